package broker_test

import (
	"encoding/json"
	"io"
	"net/http"
	"strings"
	"testing"

	"github.com/podpass-io/podpass/federation/oidc"
	"github.com/podpass-io/podpass/federation/serviceaccount"
	"github.com/podpass-io/podpass/test/cloud/orders"
	"github.com/podpass-io/podpass/test/cloud/trust"
)

const (
	oidcPath   = "/oidc/v1/token/"
	oidcHeader = "Authorization: Bearer " + secret
)

// registered is a world with an OAuth 2.0 server, called registry, beside the clouds.
func registered(change func(*trust.OAuth, *oidc.Source)) func(*trust.Config, *serviceaccount.Identities, *world) {
	return func(c *trust.Config, ids *serviceaccount.Identities, _ *world) {
		source := oidc.Source{Name: "registry", Audience: orders.OAuthAudience}
		if change != nil {
			change(&c.OAuth, &source)
		}
		ids.OIDC = &oidc.Identity{Sources: []oidc.Source{source}}
	}
}

// TestOIDC: a server that is none of the clouds, by each grant.
func TestOIDC(t *testing.T) {
	for _, grant := range []oidc.Grant{"", oidc.TokenExchange, oidc.JWTBearer, oidc.ClientCredentials} {
		t.Run(string(grant), func(t *testing.T) {
			w := start(t, registered(func(o *trust.OAuth, s *oidc.Source) {
				s.Grant, s.ClientID, s.Scope, s.Parameters = grant, "podpass", "pull", map[string]string{"provider_name": "cluster"}
				o.ClientID, o.Require = "podpass", s.Parameters
			}))
			var token string
			for _, header := range []string{oidcHeader, "Authorization: " + secret} {
				got := w.get(t, oidcPath+"registry", header)
				var body struct {
					AccessToken string `json:"access_token"`
					TokenType   string `json:"token_type"`
					ExpiresIn   int    `json:"expires_in"`
				}
				if err := json.Unmarshal([]byte(got.body), &body); err != nil || got.status != http.StatusOK || body.TokenType != "Bearer" || body.ExpiresIn < 3500 || got.header.Get("Cache-Control") != "no-store" {
					t.Fatalf("%d, ends in %d: %v", got.status, body.ExpiresIn, err)
				}
				if token != "" && token != body.AccessToken {
					t.Error("not from memory")
				}
				token = body.AccessToken
			}
			if who := w.userinfo(t, token); !strings.Contains(who, `"sub":"`+orders.OAuthUser+`"`) {
				t.Errorf("the token is of %s", who)
			}
			if n := w.counts("oauth", 1); n != 1 {
				t.Errorf("%d exchanges, want 1", n)
			}
		})
	}
}

// TestOIDCRefused: the server's own words, and what has to match, in the shape of RFC
// 6749; what is not there is not there.
func TestOIDCRefused(t *testing.T) {
	for name, test := range map[string]struct {
		change func(*trust.OAuth, *oidc.Source)
		status int
		says   []string
	}{
		"another audience":      {func(o *trust.OAuth, _ *oidc.Source) { o.Audience = "x" }, 400, []string{`"error":"invalid_request"`, "another server's", subject, "hint: "}},
		"a subject not mapped":  {func(o *trust.OAuth, _ *oidc.Source) { o.Subjects = nil }, 400, []string{"is not mapped", subject}},
		"a client not known":    {func(_ *trust.OAuth, s *oidc.Source) { s.ClientID = "x" }, 403, []string{`"error":"invalid_client"`}},
		"a scope not there":     {func(_ *trust.OAuth, s *oidc.Source) { s.Scope = "push" }, 400, []string{`"error":"invalid_scope"`, "oidc.tokenSources.registry"}},
		"nobody at that server": {func(_ *trust.OAuth, s *oidc.Source) { s.TokenURL = "https://127.0.0.1:1/token" }, 503, []string{"127.0.0.1:1"}},
	} {
		t.Run(name, func(t *testing.T) {
			w := start(t, registered(test.change))
			got := w.get(t, oidcPath+"registry", oidcHeader)
			if got.status != test.status || got.header.Get("Content-Type") != "application/json" {
				t.Errorf("status %d, want %d", got.status, test.status)
			}
			for _, part := range test.says {
				if !strings.Contains(got.body, part) {
					t.Errorf("the answer does not say %q: %s", part, got.body)
				}
			}
		})
	}
	w := start(t, registered(nil))
	for path, want := range map[string]int{oidcPath + "other": 404, oidcPath: 404, "/oidc/v1/token": 404} {
		if got := w.get(t, path, oidcHeader); got.status != want {
			t.Errorf("%s: %d, want %d", path, got.status, want)
		}
	}
	for _, headers := range [][]string{nil, {"Authorization: guess"}, {"Authorization: Bearer "}, {oidcHeader, "X-Forwarded-For: 192.0.2.1"}, {oidcHeader, "Host: evil.example.com"}} {
		if got := w.get(t, oidcPath+"registry", headers...); got.status != 401 && got.status != 403 || strings.Contains(got.body, "access_token") {
			t.Errorf("%v: %d", headers, got.status)
		}
	}
}

func (w *world) userinfo(t *testing.T, token string) string {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, w.clouds.OAuth+"/userinfo", nil)
	if err != nil {
		t.Fatal(err)
	}
	req.Header.Set("Authorization", "Bearer "+token)
	resp, err := w.trusting(t).Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(resp.Body)
	if err != nil {
		t.Fatal(err)
	}
	return string(body)
}
