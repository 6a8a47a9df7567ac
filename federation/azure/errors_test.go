package azure_test

import (
	"context"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/podpass-io/podpass/federation"
	"github.com/podpass-io/podpass/federation/azure"
	ft "github.com/podpass-io/podpass/federation/federationtest"
)

const tenant = "99999999-8888-7777-6666-555555555555"

// entra answers discovery truthfully, and the token request with a.
func entra(t *testing.T, a ft.Answer, form func(*http.Request)) *azure.Client {
	t.Helper()
	var s *httptest.Server
	s = httptest.NewTLSServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Type", "application/json")
		if r.Method == http.MethodGet {
			base := s.URL + "/" + tenant
			_ = json.NewEncoder(w).Encode(map[string]string{ // loopback
				"issuer": base + "/v2.0", "token_endpoint": base + "/oauth2/v2.0/token", "authorization_endpoint": base + "/oauth2/v2.0/authorize",
			})
			return
		}
		if form != nil {
			form(r)
		}
		for k, v := range a.Header {
			w.Header().Set(k, v)
		}
		w.WriteHeader(a.Status)
		_, _ = w.Write([]byte(a.Body)) // loopback
	}))
	t.Cleanup(s.Close)
	return &azure.Client{
		Identity: azure.Identity{ClientID: "11111111-2222-3333-4444-555555555555", TenantID: tenant},
		Token:    ft.Token{}, AuthorityHost: s.URL, HTTP: s.Client(),
	}
}

// TestErrors: every row of Entra's table.
func TestErrors(t *testing.T) {
	both := []string{ft.Subject, ft.Audience}
	for number, test := range map[int]struct {
		kind federation.Kind
		hint []string
	}{
		700211:  {federation.KindIssuerUntrusted, append([]string{"trailing slash", ft.Issuer}, both...)},
		50166:   {federation.KindIssuerUntrusted, nil},
		501661:  {federation.KindIssuerUntrusted, nil},
		90061:   {federation.KindIssuerUntrusted, nil},
		700212:  {federation.KindAudienceMismatch, []string{azure.DefaultAudience, ft.Audience}},
		700213:  {federation.KindSubjectMismatch, append([]string{"letter case"}, both...)},
		7002137: {federation.KindSubjectMismatch, nil},
		7002138: {federation.KindSubjectMismatch, nil},
		70021:   {federation.KindSubjectMismatch, []string{"minutes"}},
		70025:   {federation.KindConfig, []string{"no federated credential", ft.Subject}},
		700024:  {federation.KindTokenExpired, []string{"clock"}},
		7000272: {federation.KindIssuerUntrusted, []string{"JWKS", "rotation"}},
		50027:   {federation.KindIssuerUntrusted, []string{"Entra cannot read it"}},
		5002738: {federation.KindIssuerUntrusted, []string{"Entra cannot read it"}}, // ES256
		7000229: {federation.KindConfig, []string{tenant}},
		700016:  {federation.KindConfig, []string{tenant}},
		90002:   {federation.KindConfig, nil},
		50049:   {federation.KindConfig, nil},
		53003:   {federation.KindDenied, []string{"sign-in log"}},
		700223:  {federation.KindDenied, []string{"policy of the tenant"}},
		700238:  {federation.KindDenied, []string{"policy of the tenant"}},
		7002381: {federation.KindDenied, []string{"policy of the tenant"}},
		500011:  {federation.KindConfig, []string{"https://vault.azure.net"}},
		500014:  {federation.KindConfig, []string{"https://vault.azure.net"}},
		900023:  {federation.KindConfig, []string{tenant}},
		70011:   {federation.KindConfig, []string{"https://vault.azure.net"}},
		1234567: {federation.KindDenied, []string{"AADSTS1234567", "error reference"}}, // one that is not known
	} {
		t.Run(fmt.Sprint("AADSTS", number), func(t *testing.T) {
			t.Parallel()
			c := entra(t, ft.Answer{Status: 401, Body: fmt.Sprintf(`{"error":"invalid_client","error_description":"AADSTS%d: Entra's own words","error_codes":[%d],"correlation_id":"c-1"}`, number, number)}, nil)
			_, err := c.AccessToken("https://vault.azure.net", "").Exchange(t.Context())
			ft.Check(t, err, ft.Want{Kind: test.kind, Code: fmt.Sprint("AADSTS", number), Message: "Entra's own words", Hint: test.hint})
		})
	}
}

func TestCommon(t *testing.T) {
	ft.Cloud{
		Exchange: func(t *testing.T, a ft.Answer) error {
			_, err := entra(t, a, nil).AccessToken("https://vault.azure.net", "").Exchange(t.Context())
			return err
		},
		Says: func(text string) string {
			b, err := json.Marshal(map[string]string{"error": "invalid_client", "error_description": text})
			if err != nil {
				t.Error(err)
			}
			return string(b)
		},
		Sends: ft.Token{}.Raw(),
	}.Test(t)
}

// signed is a token whose header is this.
type signed string

func (s signed) SubjectToken(context.Context) (federation.SubjectToken, error) {
	_, rest, _ := strings.Cut(ft.Token{}.Raw(), ".")
	return federation.ParseSubjectToken([]byte(base64.RawURLEncoding.EncodeToString([]byte(s)) + "." + rest))
}

// TestSignatures: that Entra takes RSA alone is the cause where the cluster signs
// otherwise, and only there.
func TestSignatures(t *testing.T) {
	for header, hint := range map[string]string{
		`{"alg":"ES256"}`: "Entra accepts RSA signatures only, and the cluster signs with ES256",
		`{"alg":"RS512"}`: "a trailing slash counts",
		`{"kid":"k1"}`:    "a trailing slash counts",
	} {
		c := entra(t, ft.Answer{Status: 400, Body: `{"error":"invalid_client","error_description":"AADSTS700211: No matching federated identity record found.","error_codes":[700211]}`}, nil)
		c.Token = signed(header)
		_, err := c.AccessToken("https://vault.azure.net", "").Exchange(t.Context())
		ft.Check(t, err, ft.Want{Kind: federation.KindIssuerUntrusted, Code: "AADSTS700211", Message: "No matching", Hint: []string{hint}})
	}
}

// TestUnreachable: nobody answers, nobody asks any more, and a token in the clear.
func TestUnreachable(t *testing.T) {
	c := &azure.Client{Identity: azure.Identity{ClientID: "11111111-2222-3333-4444-555555555555", TenantID: tenant}, Token: ft.Token{}, AuthorityHost: "https://127.0.0.1:1/"}
	_, err := c.AccessToken("r", "").Exchange(t.Context())
	ft.Check(t, err, ft.Want{Kind: federation.KindUnavailable, Message: "connection refused", Hint: []string{"https://127.0.0.1:1/" + tenant, "network policy"}})
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := c.AccessToken("r", "").Exchange(ctx); federation.KindOf(err) != federation.KindCanceled {
		t.Errorf("canceled: %v", err)
	}
	c.AuthorityHost = "http://entra.example.com/"
	if _, err := c.AccessToken("r", "").Exchange(t.Context()); federation.KindOf(err) != federation.KindConfig {
		t.Errorf("a token in the clear: %v", err)
	}
}

// TestProvesTrust: Entra took the token, and refuses this resource, or by a policy for
// it. A tenant without federation refuses all of them.
func TestProvesTrust(t *testing.T) {
	for number, want := range map[int]bool{53003: true, 500011: true, 500014: true, 501051: true, 700223: false, 700238: false, 7002381: false, 70011: false, 700213: false, 1234567: false} {
		c := entra(t, ft.Answer{Status: 400, Body: fmt.Sprintf(`{"error":"invalid_resource","error_description":"AADSTS%d: words"}`, number)}, nil)
		_, err := c.AccessToken("https://vault.azure.net", "").Exchange(t.Context())
		e, ok := errors.AsType[*federation.Error](err)
		if !ok || e.ProvesTrust() != want {
			t.Errorf("AADSTS%d: %v, want %t", number, err, want)
		}
		if strings.Count(err.Error(), fmt.Sprint("AADSTS", number, ":")) != 1 {
			t.Errorf("the code stands there twice: %v", err)
		}
	}
	c := entra(t, ft.Answer{Status: 503, Body: `{"error":"invalid_resource","error_description":"AADSTS500011: words"}`}, nil)
	_, err := c.AccessToken("https://vault.azure.net", "").Exchange(t.Context())
	if e, ok := errors.AsType[*federation.Error](err); !ok || e.ProvesTrust() {
		t.Errorf("an answer that may change proves the trust: %v", err)
	}
}

func TestTransient(t *testing.T) {
	for name, test := range map[string]struct {
		status int
		body   string
		kind   federation.Kind
		code   string
	}{
		"throttled":               {429, `{"error":"throttled","error_description":"slow down"}`, federation.KindThrottled, "throttled"},
		"down":                    {503, `{"error":"server_error","error_description":"sorry"}`, federation.KindUnavailable, "server_error"},
		"temporarily_unavailable": {400, `{"error":"temporarily_unavailable","error_description":"sorry"}`, federation.KindUnavailable, "temporarily_unavailable"},
		"a proxy's page":          {502, `<html>`, federation.KindUnavailable, ""},
		"an empty success":        {200, `{}`, federation.KindUnavailable, ""},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			c := entra(t, ft.Answer{Status: test.status, Header: map[string]string{"Retry-After": "11"}, Body: test.body}, nil)
			_, err := c.AccessToken("https://vault.azure.net", "").Exchange(t.Context())
			ft.Check(t, err, ft.Want{Kind: test.kind, Code: test.code, RetryAfter: 11 * time.Second})
		})
	}
}

// TestFor: an identity's applications by client ID, in any letter case; each is asked
// for in its own tenant.
func TestFor(t *testing.T) {
	const own, further = "11111111-2222-3333-4444-5555555555aa", "22222222-2222-3333-4444-5555555555bb"
	c := &azure.Client{Identity: azure.Identity{ClientID: own, TenantID: tenant, Audience: "a", Others: []azure.Application{{ClientID: further, TenantID: "other.example.com"}}}}
	if got, ok := c.For(strings.ToUpper(own)); !ok || got != c {
		t.Errorf("its own: %+v", got)
	}
	got, ok := c.For(strings.ToUpper(further))
	if !ok || got.Identity.ClientID != further || got.Identity.TenantID != "other.example.com" || got.Identity.Others != nil || got.Identity.Audience != "a" || c.Identity.ClientID != own {
		t.Errorf("a further one: %+v", got)
	}
	if got, ok := c.For("33333333-2222-3333-4444-555555555555"); ok || got != nil {
		t.Errorf("somebody else's: %+v", got)
	}
}

// TestSource: asks the Getter for what it is asked for.
func TestSource(t *testing.T) {
	c := &azure.Client{Identity: azure.Identity{ClientID: "id", TenantID: tenant}}
	if got, err := c.Source(keys{})(t.Context(), "r", "{}"); err != nil || got.Principal != c.AccessToken("r", "{}").Key() {
		t.Errorf("%s, %v", got.Principal, err)
	}
}

type keys struct{}

func (keys) Get(_ context.Context, e federation.Exchanger) (federation.Credential, error) {
	return federation.Credential{Principal: e.Key()}, nil
}

// TestNoToken: Entra is not asked without one, nor in a tenant that cannot be one.
func TestNoToken(t *testing.T) {
	c := entra(t, ft.Answer{Status: 200}, func(*http.Request) { t.Error("asked") })
	c.Token = federation.TokenFile("/does/not/exist")
	_, err := c.AccessToken("r", "").Exchange(t.Context())
	if e, ok := errors.AsType[*federation.Error](err); !ok || !e.Local() {
		t.Errorf("no token: %v", err)
	}
	c.Token, c.AuthorityHost = ft.Token{}, "https://"
	_, err = c.AccessToken("r", "").Exchange(t.Context())
	if e, ok := errors.AsType[*federation.Error](err); !ok || e.Local() || e.Kind != federation.KindConfig || !strings.Contains(e.Hint, "azure.authorityHost") {
		t.Errorf("no authority: %v", err)
	}
}

// TestNoRefreshIn: Entra need not say when it wants a renewal.
func TestNoRefreshIn(t *testing.T) {
	c := entra(t, ft.Answer{Status: 200, Body: `{"token_type":"Bearer","expires_in":3600,"access_token":"secret"}`}, func(r *http.Request) {
		if err := r.ParseForm(); err != nil || r.PostForm.Has("claims") && strings.Contains(r.PostForm.Get("claims"), "nbf") {
			t.Errorf("claims that nobody asked for: %v", err)
		}
	})
	got, err := c.AccessToken("r", "").Exchange(t.Context())
	if life := got.Expiry.Life(); err != nil || got.RefreshIn != 0 || got.Token != "secret" || got.Principal != c.Identity.ClientID || life < 59*time.Minute || life > time.Hour+2*time.Second {
		t.Errorf("%+v, %v", got, err)
	}
}

// TestRequest: the resource is appended to verbatim, claims are passed on, and
// refresh_in is kept.
func TestRequest(t *testing.T) {
	for resource, scope := range map[string]string{
		"https://vault.azure.net":            "https://vault.azure.net/.default",
		"https://storage.azure.com/":         "https://storage.azure.com//.default",
		"https://graph.example.com/.default": "https://graph.example.com/.default",
	} {
		t.Run(resource, func(t *testing.T) {
			var got http.Request
			c := entra(t, ft.Answer{Status: 200, Body: `{"token_type":"Bearer","expires_in":3600,"ext_expires_in":3600,"refresh_in":1800,"access_token":"secret"}`}, func(r *http.Request) {
				_ = r.ParseForm()
				got.PostForm = r.PostForm
			})
			credential, err := c.AccessToken(resource, `{"access_token":{"nbf":{"essential":true}}}`).Exchange(t.Context())
			if err != nil {
				t.Fatal(err)
			}
			f := got.PostForm
			if f.Get("grant_type") != "client_credentials" || f.Get("client_assertion") == "" {
				t.Errorf("not the client credentials grant with an assertion: %s", f.Get("grant_type"))
			}
			if first, _, _ := strings.Cut(f.Get("scope"), " "); first != scope {
				t.Errorf("scope %q, want %q", f.Get("scope"), scope)
			}
			if f.Get("claims") == "" {
				t.Error("the claims challenge was not passed on")
			}
			if left := credential.RefreshIn; left < 29*time.Minute || left > 31*time.Minute {
				t.Errorf("refresh in %s, want 30m", left)
			}
		})
	}
}
