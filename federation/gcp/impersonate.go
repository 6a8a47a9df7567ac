package gcp

import (
	"context"
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/podpass-io/podpass/federation"
)

// maxIDTokenAge is how long an ID token is served. It lives an hour, and Go's client
// takes that for what is left when it gets one: each must be nearly new.
const maxIDTokenAge = 5 * time.Minute

// defaultLifetime of an impersonated token, in seconds: the longest that needs no
// organisation policy.
const defaultLifetime = 3600

// impersonated is generateAccessToken.
// https://cloud.google.com/iam/docs/reference/credentials/rest/v1/projects.serviceAccounts/generateAccessToken
type impersonated struct {
	c      *Client
	scopes []string
}

func (e *impersonated) Key() string {
	i := e.c.Identity
	return fmt.Sprintf("gcp/access/%s>%s/%s/%d/%s", e.c.Federated().Key(), e.c.Endpoints.ImpersonationURL(i.ServiceAccount, ""), strings.Join(i.Delegates, ","), i.TokenLifetime, strings.Join(e.scopes, ","))
}

func (e *impersonated) Exchange(ctx context.Context) (federation.Credential, error) {
	lifetime := e.c.Identity.TokenLifetime
	if lifetime == 0 {
		lifetime = defaultLifetime
	}
	var out struct {
		AccessToken federation.Secret `json:"accessToken"`
		ExpireTime  time.Time         `json:"expireTime"`
	}
	call, err := e.c.call(ctx, "generateAccessToken", map[string]any{
		"scope": e.scopes, "lifetime": strconv.Itoa(lifetime) + "s", "delegates": delegates(e.c.Identity),
	}, &out)
	if err != nil {
		return federation.Credential{}, err
	}
	if out.AccessToken == "" || out.ExpireTime.IsZero() {
		return federation.Credential{}, call.Error(ctx, nil)
	}
	return federation.Credential{
		Token: out.AccessToken, Principal: e.c.Identity.ServiceAccount,
		Expiry: federation.ExpiresWithin(time.Now(), out.ExpireTime, time.Duration(lifetime)*time.Second),
	}, nil
}

// idToken is generateIdToken.
// https://cloud.google.com/iam/docs/reference/credentials/rest/v1/projects.serviceAccounts/generateIdToken
type idToken struct {
	c        *Client
	audience string
}

func (e *idToken) Key() string {
	i := e.c.Identity
	return fmt.Sprintf("gcp/id/%s>%s/%s/%q", e.c.Federated().Key(), e.c.Endpoints.ImpersonationURL(i.ServiceAccount, ""), strings.Join(i.Delegates, ","), e.audience)
}

func (e *idToken) Exchange(ctx context.Context) (federation.Credential, error) {
	if e.c.Identity.ServiceAccount == "" {
		return federation.Credential{}, &federation.Error{Kind: federation.KindConfig, Cloud: cloud, Op: "iamcredentials:generateIdToken", Err: ErrNoIDToken}
	}
	var out struct {
		Token federation.Secret `json:"token"`
	}
	call, err := e.c.call(ctx, "generateIdToken", map[string]any{
		"audience": e.audience, "includeEmail": true, "delegates": delegates(e.c.Identity),
	}, &out)
	if err != nil {
		return federation.Credential{}, err
	}
	// An ID token is a JWT; its own exp is the only word on when it ends.
	parsed, err := federation.ParseSubjectToken([]byte(out.Token.Reveal()))
	if err != nil {
		return federation.Credential{}, call.Error(ctx, nil)
	}
	now := time.Now()
	expiry := federation.ExpiresAt(now, parsed.Expiry)
	if expiry.Life() > maxIDTokenAge {
		expiry = federation.ExpiresIn(now, maxIDTokenAge)
	}
	return federation.Credential{Token: out.Token, Principal: e.c.Identity.ServiceAccount, Expiry: expiry}, nil
}

func delegates(i Identity) []string {
	var names []string
	for _, d := range i.Delegates {
		names = append(names, "projects/-/serviceAccounts/"+d)
	}
	return names
}
