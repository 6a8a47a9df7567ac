package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"strings"
	"time"
)

// oidcCheck is what an application does without an SDK: it reads a token's file, whose
// verifier it would present it to, and asks podpass's own endpoint for the access
// token of another server, who then says whose it is.
type oidcCheck struct{}

func (*oidcCheck) describe() (sdk, source string) {
	return "net/http", firstEnv("SDK_TOKEN_FILE") + " " + firstEnv("PODPASS_TOKEN_URL")
}

func (*oidcCheck) run(ctx context.Context, r *result) error {
	raw, err := os.ReadFile(os.Getenv("SDK_TOKEN_FILE"))
	if err != nil {
		return err
	}
	subject, audiences, err := readBoundToken(string(raw))
	if err != nil {
		return err
	}
	r.Identity = fmt.Sprintf("file: %s for %s", subject, strings.Join(audiences, ","))
	source := os.Getenv("SDK_TOKEN_SOURCE")
	if source == "" {
		return nil
	}
	var token struct {
		AccessToken string `json:"access_token"`
		ExpiresIn   int    `json:"expires_in"`
	}
	if err := getJSON(ctx, os.Getenv("PODPASS_TOKEN_URL")+"/"+source, os.Getenv("PODPASS_TOKEN_SECRET"), &token); err != nil {
		return err
	}
	r.setExpiry(time.Now().Add(time.Duration(token.ExpiresIn) * time.Second))
	var who struct {
		Subject string `json:"sub"`
	}
	if err := getJSON(ctx, os.Getenv("SDK_OAUTH_USERINFO"), token.AccessToken, &who); err != nil {
		return err
	}
	r.Identity += "; " + source + ": " + who.Subject
	return nil
}

func getJSON(ctx context.Context, url, bearer string, into any) error {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, url, nil)
	if err != nil {
		return err
	}
	req.Header.Set("Authorization", "Bearer "+bearer)
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		return err
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(io.LimitReader(resp.Body, 64<<10))
	if err != nil {
		return err
	}
	if resp.StatusCode != http.StatusOK {
		return fmt.Errorf("%s answers %s: %s", url, resp.Status, body)
	}
	if json.Unmarshal(body, into) != nil {
		return errors.New(url + " answers something else than was expected") // which may be a token
	}
	return nil
}
