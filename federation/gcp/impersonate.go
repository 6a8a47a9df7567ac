package gcp

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"net/http"
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
	err := e.c.callIAM(ctx, "generateAccessToken", map[string]any{
		"scope": e.scopes, "lifetime": strconv.Itoa(lifetime) + "s", "delegates": delegates(e.c.Identity),
	}, &out)
	if err != nil {
		return federation.Credential{}, err
	}
	if out.AccessToken == "" || out.ExpireTime.IsZero() {
		return federation.Credential{}, unreadable("iamcredentials:generateAccessToken", http.StatusOK)
	}
	return federation.Credential{
		Token: out.AccessToken, Principal: e.c.Identity.ServiceAccount,
		Expiry: federation.ExpiresAt(time.Now(), out.ExpireTime),
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
	err := e.c.callIAM(ctx, "generateIdToken", map[string]any{
		"audience": e.audience, "includeEmail": true, "delegates": delegates(e.c.Identity),
	}, &out)
	if err != nil {
		return federation.Credential{}, err
	}
	// An ID token is a JWT; its own exp is the only word on when it ends.
	parsed, err := federation.ParseSubjectToken([]byte(out.Token.Reveal()))
	if err != nil {
		return federation.Credential{}, &federation.Error{Kind: federation.KindUnavailable, Cloud: cloud, Op: "iamcredentials:generateIdToken", Err: fmt.Errorf("ID token: %w", err)}
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

// callIAM calls a method of the IAM credentials API on the identity's service
// account, authorized by the federated token.
func (c *Client) callIAM(ctx context.Context, method string, body, into any) error {
	op, url := "iamcredentials:"+method, c.Endpoints.ImpersonationURL(c.Identity.ServiceAccount, method)
	if err := federation.CheckEndpoint(url); err != nil {
		return &federation.Error{Kind: federation.KindConfig, Cloud: cloud, Op: op, Err: err, Hint: "set the chart value gcp.iamCredentialsEndpoint to an https URL"}
	}
	from, err := c.viaFederated(ctx)
	if err != nil {
		return err
	}
	encoded, err := json.Marshal(body)
	if err != nil {
		return fmt.Errorf("%s: %w", op, err)
	}
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, url, bytes.NewReader(encoded))
	if err != nil {
		return &federation.Error{Kind: federation.KindConfig, Cloud: cloud, Op: op, Err: err}
	}
	req.Header.Set("Content-Type", "application/json")
	req.Header.Set("Authorization", "Bearer "+from.Token.Reveal())
	if q := c.Identity.QuotaProject; q != "" {
		req.Header.Set("X-Goog-User-Project", q)
	}
	client, recorder := federation.Record(c.HTTP)
	resp, err := client.Do(req)
	if err != nil {
		return federation.Unreachable(ctx, cloud, op, url, err)
	}
	defer resp.Body.Close()
	last := recorder.Last()
	if resp.StatusCode != http.StatusOK {
		claims := federation.Claims{}
		if token, err := c.Token.SubjectToken(ctx); err == nil { // only to name it in the hint
			claims = token.Claims
		}
		return explain(ctx, nil, last, failure{Op: op, Identity: c.Identity, Endpoint: url, Claims: claims})
	}
	if err := json.Unmarshal(last.Body, into); err != nil {
		return unreadable(op, resp.StatusCode)
	}
	return nil
}

// unreadable is a success that holds no credential: somebody else's answer, a
// proxy's perhaps.
func unreadable(op string, status int) error {
	return &federation.Error{Kind: federation.KindUnavailable, Cloud: cloud, Op: op, Status: status, Message: "the answer is not the JSON that was expected"}
}
