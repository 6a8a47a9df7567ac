package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"os"

	"cloud.google.com/go/auth"
	"cloud.google.com/go/auth/credentials"
	"cloud.google.com/go/auth/credentials/idtoken"
	"cloud.google.com/go/compute/metadata"
)

const cloudPlatform = "https://www.googleapis.com/auth/cloud-platform"

func describeGCP() (sdk, source string) {
	return module("cloud.google.com/go/auth", "cloud.google.com/go/auth"),
		firstEnv("GOOGLE_APPLICATION_CREDENTIALS", "GCE_METADATA_HOST")
}

// gcpCheck takes Application Default Credentials for an access token.
type gcpCheck struct {
	creds *auth.Credentials
}

func (c *gcpCheck) describe() (sdk, source string) { return describeGCP() }

func (c *gcpCheck) run(ctx context.Context, r *result) error {
	if c.creds == nil {
		own, err := ownGoogleKey()
		if err != nil {
			return err
		}
		creds, err := credentials.DetectDefault(&credentials.DetectOptions{Scopes: []string{cloudPlatform}, CredentialsJSON: own})
		if err != nil {
			return err
		}
		c.creds = creds
	}
	token, err := c.creds.Token(ctx)
	if err != nil {
		return err
	}
	r.setExpiry(token.Expiry)
	if len(c.creds.JSON()) == 0 { // from the metadata server, which also has a name
		if r.Identity, err = metadata.EmailWithContext(ctx, "default"); err != nil {
			return err
		}
	}
	if endpoint := os.Getenv("SDK_GCP_TOKENINFO"); endpoint != "" {
		if r.Identity, err = tokenInfo(ctx, endpoint, token.Value); err != nil {
			return fmt.Errorf("tokeninfo: %w", err)
		}
	}
	return nil
}

// tokenInfo asks the cloud whose access token this is. The token travels in the
// query, as Google's endpoint has it: the error must not show the URL.
func tokenInfo(ctx context.Context, endpoint, token string) (string, error) {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, endpoint+"?"+url.Values{"access_token": {token}}.Encode(), nil)
	if err != nil {
		return "", errors.New("SDK_GCP_TOKENINFO is not a URL")
	}
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		if e, ok := errors.AsType[*url.Error](err); ok {
			err = e.Err
		}
		return "", err
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(io.LimitReader(resp.Body, 64<<10))
	if err != nil {
		return "", err
	}
	if resp.StatusCode != http.StatusOK {
		return "", fmt.Errorf("status %s", resp.Status)
	}
	var info struct {
		Email   string `json:"email"`
		Subject string `json:"sub"`
	}
	if err := json.Unmarshal(body, &info); err != nil {
		return "", err
	}
	if info.Email != "" {
		return info.Email, nil
	}
	if info.Subject != "" {
		return info.Subject, nil
	}
	return "", errors.New("the answer names nobody")
}

// idTokenCheck takes an ID token for SDK_AUDIENCE.
type idTokenCheck struct {
	creds *auth.Credentials
}

func (c *idTokenCheck) describe() (sdk, source string) { return describeGCP() }

func (c *idTokenCheck) run(ctx context.Context, r *result) error {
	audience := os.Getenv("SDK_AUDIENCE")
	if c.creds == nil {
		creds, err := idtoken.NewCredentials(&idtoken.Options{Audience: audience})
		if err != nil {
			return err
		}
		c.creds = creds
	}
	token, err := c.creds.Token(ctx)
	if err != nil {
		return err
	}
	r.setExpiry(token.Expiry)
	claims, err := readClaims(token.Value)
	if err != nil {
		return err
	}
	if claims.Audience != audience {
		return fmt.Errorf("the ID token is for %q, not for %q", claims.Audience, audience)
	}
	r.Identity = claims.Email
	if r.Identity == "" {
		r.Identity = claims.Subject
	}
	return nil
}
