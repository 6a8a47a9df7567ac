package oidc

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/podpass-io/podpass/federation"
)

const (
	cloud = "oidc"
	op    = "oauth:token"

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
	// HTTP talks to the server; see federation.HTTPClient.
	HTTP *http.Client
}

// AccessToken is the exchange for the source's access token.
func (c *Client) AccessToken() federation.Exchanger { return &accessToken{c} }

type accessToken struct{ c *Client }

func (e *accessToken) Key() string {
	s := e.c.Source
	return fmt.Sprintf("oidc/%s/%s/%s/%q/%q/%q/%q", s.Name, s.TokenURL, s.Grant, s.Audience, s.ClientID, s.Scope, s.Parameters)
}

// form is the request, by the source's grant.
func (s Source) form(token string) url.Values {
	f := url.Values{}
	for name, value := range s.Parameters {
		f.Set(name, value)
	}
	set := func(name, value string) {
		if value != "" {
			f.Set(name, value)
		}
	}
	set("client_id", s.ClientID)
	set("scope", s.Scope)
	switch s.Grant {
	case JWTBearer:
		f.Set("grant_type", "urn:ietf:params:oauth:grant-type:jwt-bearer")
		f.Set("assertion", token)
	case ClientCredentials:
		f.Set("grant_type", "client_credentials")
		f.Set("client_assertion_type", "urn:ietf:params:oauth:client-assertion-type:jwt-bearer")
		f.Set("client_assertion", token)
	default:
		f.Set("grant_type", "urn:ietf:params:oauth:grant-type:token-exchange")
		f.Set("subject_token", token)
		if !f.Has("subject_token_type") {
			f.Set("subject_token_type", jwtType)
		}
	}
	return f
}

func (e *accessToken) Exchange(ctx context.Context) (federation.Credential, error) {
	s := e.c.Source
	token, err := e.c.Token.SubjectToken(ctx)
	if err != nil {
		return federation.Credential{}, err
	}
	if err := federation.CheckEndpoint(s.TokenURL); err != nil {
		return federation.Credential{}, &federation.Error{Kind: federation.KindConfig, Cloud: cloud, Op: op, Err: err, Hint: "set the chart value oidc.tokenSources." + s.Name + ".tokenURL to an https URL"}
	}
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, s.TokenURL, strings.NewReader(s.form(token.Reveal()).Encode()))
	if err != nil {
		return federation.Credential{}, &federation.Error{Kind: federation.KindConfig, Cloud: cloud, Op: op, Err: err}
	}
	req.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	req.Header.Set("Accept", "application/json")
	client, recorder := federation.Record(e.c.HTTP)
	now := time.Now()
	resp, err := client.Do(req)
	if err != nil {
		return federation.Credential{}, federation.Unreachable(ctx, cloud, op, s.TokenURL, err)
	}
	defer resp.Body.Close()
	last := recorder.Last()
	if resp.StatusCode != http.StatusOK {
		return federation.Credential{}, explain(last, failure{Source: s, Claims: token.Claims})
	}
	var out struct {
		AccessToken federation.Secret `json:"access_token"`
		ExpiresIn   json.Number       `json:"expires_in"` // some servers write it as a string
	}
	if err := json.Unmarshal(last.Body, &out); err != nil || out.AccessToken == "" {
		return federation.Credential{}, &federation.Error{Kind: federation.KindUnavailable, Cloud: cloud, Op: op, Status: resp.StatusCode, Message: "the answer is not that of a token endpoint: it has no access_token"}
	}
	return federation.Credential{Token: out.AccessToken, Principal: s.Name, Expiry: expiry(now, out.ExpiresIn, out.AccessToken)}, nil
}

// expiry is when the server, or else the token itself, says that it ends.
func expiry(now time.Time, expiresIn json.Number, token federation.Secret) federation.Expiry {
	if seconds, err := expiresIn.Int64(); err == nil && seconds > 0 {
		return federation.ExpiresIn(now, time.Duration(min(seconds, 86400))*time.Second)
	}
	if parsed, err := federation.ParseSubjectToken([]byte(token.Reveal())); err == nil && parsed.Expiry.After(now) {
		return federation.ExpiresAt(now, parsed.Expiry)
	}
	return federation.ExpiresIn(now, defaultLife)
}
