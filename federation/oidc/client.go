package oidc

import (
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"

	"github.com/podpass-io/podpass/federation"
	"github.com/podpass-io/podpass/federation/endpoint"
)

const (
	jwtType = "urn:ietf:params:oauth:token-type:jwt"
	// defaultLife is for servers that do not say how long their tokens live, which
	// RFC 6749 leaves to them, and whose tokens do not say it either.
	defaultLife = 5 * time.Minute
)

// Client makes the exchange of one source. It is safe for concurrent use once its
// fields are set.
type Client struct {
	Source Source
	Token  federation.TokenSource
	// HTTP talks to the server; see endpoint.NewClient.
	HTTP *http.Client
}

// AccessToken is the exchange for the source's access token.
func (c *Client) AccessToken() federation.Exchanger { return &accessToken{c} }

type accessToken struct{ c *Client }

func (e *accessToken) Key() string {
	s := e.c.Source
	return fmt.Sprintf("oidc/%s/%s/%s/%s/%q/%q/%q/%q", s.Name, s.TokenURL, s.Grant, s.Encoding, s.Audience, s.ClientID, s.Scope, s.Parameters)
}

// fields of the request, by the source's grant.
func (s Source) fields(token string) map[string]string {
	f := map[string]string{}
	maps.Copy(f, s.Parameters)
	if s.ClientID != "" {
		f["client_id"] = s.ClientID
	}
	if s.Scope != "" {
		f["scope"] = s.Scope
	}
	switch s.Grant {
	case JWTBearer:
		f["grant_type"] = "urn:ietf:params:oauth:grant-type:jwt-bearer"
		f["assertion"] = token
	case ClientCredentials:
		f["grant_type"] = "client_credentials"
		f["client_assertion_type"] = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"
		f["client_assertion"] = token
	default:
		f["grant_type"] = "urn:ietf:params:oauth:grant-type:token-exchange"
		f["subject_token"] = token
		f["subject_token_type"] = cmp.Or(f["subject_token_type"], jwtType)
	}
	return f
}

// body of the request, and its Content-Type.
func (s Source) body(token string) (encoded, contentType string) {
	fields := s.fields(token)
	if s.Encoding == JSON {
		b, _ := json.Marshal(fields) // strings always have JSON
		return string(b), "application/json"
	}
	form := url.Values{}
	for name, value := range fields {
		form.Set(name, value)
	}
	return form.Encode(), "application/x-www-form-urlencoded"
}

func (e *accessToken) Exchange(ctx context.Context) (federation.Credential, error) {
	s := e.c.Source
	token, err := e.c.Token.SubjectToken(ctx)
	if err != nil {
		return federation.Credential{}, err
	}
	call := &endpoint.Call{
		Cloud: "oidc", Op: "oauth:token", URL: s.TokenURL, Setting: "oidc.tokenSources." + s.Name + ".tokenURL",
		Secrets: []federation.Secret{federation.Secret(token.Reveal())}, Reads: failure{s, token.Claims},
	}
	body, contentType := s.body(token.Reveal())
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, s.TokenURL, strings.NewReader(body))
	if err != nil {
		return federation.Credential{}, call.Error(ctx, err)
	}
	req.Header.Set("Content-Type", contentType)
	req.Header.Set("Accept", "application/json")
	now := time.Now()
	resp, err := call.Client(e.c.HTTP).Do(req)
	if err != nil {
		return federation.Credential{}, call.Error(ctx, err)
	}
	defer resp.Body.Close()
	var out struct {
		AccessToken federation.Secret `json:"access_token"`
		ExpiresIn   json.RawMessage   `json:"expires_in"`
	}
	// An answer that is no JSON has no token.
	if _ = json.Unmarshal(call.Last().Body, &out); resp.StatusCode/100 != 2 || out.AccessToken == "" {
		return federation.Credential{}, call.Error(ctx, nil)
	}
	return federation.Credential{Token: out.AccessToken, Principal: s.Name, Expiry: expiry(now, out.ExpiresIn, out.AccessToken)}, nil
}

// expiry is when the server, or else the token itself, says that it ends. Some
// servers write the seconds as a string, or with a fraction.
func expiry(now time.Time, expiresIn json.RawMessage, token federation.Secret) federation.Expiry {
	if seconds, err := strconv.ParseFloat(strings.Trim(string(expiresIn), `"`), 64); err == nil && seconds > 0 {
		return federation.ExpiresIn(now, time.Duration(min(seconds, 86400)*float64(time.Second)))
	}
	// What is no JWT has ended, as the zero token has.
	if parsed, _ := federation.ParseSubjectToken([]byte(token.Reveal())); parsed.Expiry.After(now) {
		if issued := parsed.IssuedAt; issued.Before(parsed.Expiry) && !issued.IsZero() {
			return federation.ExpiresWithin(now, parsed.Expiry, parsed.Expiry.Sub(issued))
		}
		return federation.ExpiresAt(now, parsed.Expiry)
	}
	return federation.ExpiresIn(now, defaultLife)
}
