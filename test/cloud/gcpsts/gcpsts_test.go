package gcpsts_test

import (
	"encoding/json"
	"maps"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/podpass-io/podpass/test/cloud/gcpsts"
	"github.com/podpass-io/podpass/test/cloud/issuer"
	"github.com/podpass-io/podpass/test/cloud/trust"
)

const (
	provider  = "projects/123456789012/locations/global/workloadIdentityPools/clusters/providers/demo"
	audience  = "//iam.googleapis.com/" + provider
	account   = "orders@example-project.iam.gserviceaccount.com"
	delegate  = "first@example-project.iam.gserviceaccount.com"
	principal = "principal://iam.googleapis.com/projects/123456789012/locations/global/workloadIdentityPools/clusters/subject/system:serviceaccount:shop:orders"
	everScope = "https://www.googleapis.com/auth/cloud-platform"
)

func google(t *testing.T) (*gcpsts.Server, *issuer.Issuer) {
	t.Helper()
	i := issuer.Start(t)
	return &gcpsts.Server{
		Verifier: trust.NewVerifier([]trust.Issuer{i.Trust()}), Signer: i.Signer,
		Trust: trust.GCP{
			Providers: []trust.GCPProvider{{Name: provider, Issuer: i.URL}, {Name: strings.Replace(provider, "demo", "gone", 1), Issuer: i.URL, Disabled: true}},
			ServiceAccounts: []trust.GCPServiceAccount{
				{Email: account, Members: []string{principal, "serviceAccount:" + delegate}}, {Email: delegate, Members: []string{principal}},
			},
		},
	}, i
}

// post sends a request, and gives the status and the body.
func post(h http.Handler, path, contentType, body string, headers map[string]string) (int, string) {
	r := httptest.NewRequest(http.MethodPost, path, strings.NewReader(body))
	r.Header.Set("Content-Type", contentType)
	for k, v := range headers {
		r.Header.Set(k, v)
	}
	w := httptest.NewRecorder()
	h.ServeHTTP(w, r)
	return w.Code, w.Body.String()
}

const form = "application/x-www-form-urlencoded"

// TestExchangeIsStrict: what STS refuses, by its own codes.
func TestExchangeIsStrict(t *testing.T) {
	s, i := google(t)
	good := url.Values{
		"grant_type": {"urn:ietf:params:oauth:grant-type:token-exchange"}, "audience": {audience}, "scope": {everScope},
		"requested_token_type": {"urn:ietf:params:oauth:token-type:access_token"}, "subject_token_type": {"urn:ietf:params:oauth:token-type:jwt"},
		"subject_token": {i.Token(t, issuer.Claims{Namespace: "shop", ServiceAccount: "orders", Audience: audience})},
	}
	token := func(c issuer.Claims) string { return i.Token(t, c) }
	orders := issuer.Claims{Namespace: "shop", ServiceAccount: "orders", Audience: audience}
	stale, expired, elsewhere, long, other := orders, orders, orders, orders, orders
	stale.IssuedAt, stale.Life = time.Now().Add(-25*time.Hour), 48*time.Hour
	expired.IssuedAt = time.Now().Add(-2 * time.Hour)
	elsewhere.Issuer = "https://elsewhere.example.com"
	long.ServiceAccount = strings.Repeat("x", 120)
	other.Audience = "sts.amazonaws.com"
	for name, test := range map[string]struct {
		parameter, value string
		header           string
		says             string // "": it is given
	}{
		"as it should be":        {"", "", "", ""},
		"another grant":          {"grant_type", "client_credentials", "", "unsupported_grant_type"},
		"another requested type": {"requested_token_type", "urn:ietf:params:oauth:token-type:id_token", "", "invalid_request"},
		"another subject type":   {"subject_token_type", "urn:ietf:params:oauth:token-type:saml2", "", "invalid_request"},
		"no scope":               {"scope", " ", "", "Scope(s) must be provided"},
		"an audience by ID":      {"audience", provider, "", `Invalid value for \"audience\"`},
		"an unknown provider":    {"audience", audience + "x", "", "invalid_target"},
		"a disabled provider":    {"audience", strings.Replace(audience, "demo", "gone", 1), "", "invalid_target"},
		"client authentication":  {"", "", "Basic eDp5", "Client authentication is not allowed"},
		"no token":               {"subject_token", "", "", "Unable to parse"},
		"a stale token":          {"subject_token", token(stale), "", "is stale"},
		"an expired token":       {"subject_token", token(expired), "", "is stale"},
		"another issuer":         {"subject_token", token(elsewhere), "", "does not match the expected one"},
		"another audience":       {"subject_token", token(other), "", "The audience in ID Token [sts.amazonaws.com] does not match"},
		"a long subject":         {"subject_token", token(long), "", "exceeds the 127 bytes limit"},
		"a forged signature":     {"subject_token", good.Get("subject_token")[:len(good.Get("subject_token"))-8] + "AAAAAAAA", "", "Unable to verify"},
	} {
		t.Run(name, func(t *testing.T) {
			f := maps.Clone(good)
			if test.parameter != "" {
				f.Set(test.parameter, test.value)
			}
			status, body := post(s, "/v1/token", form, f.Encode(), map[string]string{"Authorization": test.header})
			if want := map[bool]int{true: 200, false: 400}[test.says == ""]; status != want || !strings.Contains(body, test.says) {
				t.Errorf("status %d, want %d and %q: %s", status, want, test.says, body)
			}
		})
	}
}

// TestImpersonationIsStrict: and what IAM refuses.
func TestImpersonationIsStrict(t *testing.T) {
	s, i := google(t)
	federated := func(scope string) string {
		_, body := post(s, "/v1/token", form, url.Values{
			"grant_type": {"urn:ietf:params:oauth:grant-type:token-exchange"}, "audience": {audience}, "scope": {scope},
			"requested_token_type": {"urn:ietf:params:oauth:token-type:access_token"}, "subject_token_type": {"urn:ietf:params:oauth:token-type:jwt"},
			"subject_token": {i.Token(t, issuer.Claims{Namespace: "shop", ServiceAccount: "orders", Audience: audience})},
		}.Encode(), nil)
		var answer struct {
			AccessToken string `json:"access_token"`
		}
		if err := json.Unmarshal([]byte(body), &answer); err != nil || answer.AccessToken == "" {
			t.Fatalf("no federated token: %s", body)
		}
		return answer.AccessToken
	}
	bearer, narrow := federated(everScope), federated("https://www.googleapis.com/auth/pubsub")
	const names = "/v1/projects/-/serviceAccounts/"
	for name, test := range map[string]struct {
		path, body, bearer string
		status             int
		says               string
	}{
		"access":                   {names + account + ":generateAccessToken", `{"scope":["x"],"lifetime":"3600s"}`, bearer, 200, "accessToken"},
		"access, by a delegate":    {names + account + ":generateAccessToken", `{"scope":["x"],"lifetime":"3600s","delegates":["projects/-/serviceAccounts/` + delegate + `"]}`, bearer, 200, "accessToken"},
		"ID":                       {names + account + ":generateIdToken", `{"audience":"x"}`, bearer, 200, "token"},
		"no bearer":                {names + account + ":generateAccessToken", `{"scope":["x"],"lifetime":"3600s"}`, "", 401, "UNAUTHENTICATED"},
		"an unknown bearer":        {names + account + ":generateAccessToken", `{"scope":["x"],"lifetime":"3600s"}`, "ya29.x", 401, "UNAUTHENTICATED"},
		"a narrow federated token": {names + account + ":generateAccessToken", `{"scope":["x"],"lifetime":"3600s"}`, narrow, 403, "getAccessToken"},
		"an unknown account":       {names + "x@y:generateAccessToken", `{"scope":["x"],"lifetime":"3600s"}`, bearer, 403, "getAccessToken"},
		"no scope":                 {names + account + ":generateAccessToken", `{"lifetime":"3600s"}`, bearer, 400, "INVALID_ARGUMENT"},
		"a lifetime of a day":      {names + account + ":generateAccessToken", `{"scope":["x"],"lifetime":"86400s"}`, bearer, 400, "INVALID_ARGUMENT"},
		"a lifetime as a number":   {names + account + ":generateAccessToken", `{"scope":["x"],"lifetime":3600}`, bearer, 400, "INVALID_ARGUMENT"},
		"a delegate by email":      {names + account + ":generateAccessToken", `{"scope":["x"],"lifetime":"3600s","delegates":["` + delegate + `"]}`, bearer, 400, "INVALID_ARGUMENT"},
		"an unknown delegate":      {names + account + ":generateAccessToken", `{"scope":["x"],"lifetime":"3600s","delegates":["projects/-/serviceAccounts/x@y"]}`, bearer, 403, "getAccessToken"},
		"ID without audience":      {names + account + ":generateIdToken", `{}`, bearer, 400, "INVALID_ARGUMENT"},
		"another method":           {names + account + ":signBlob", `{}`, bearer, 404, "NOT_FOUND"},
	} {
		t.Run(name, func(t *testing.T) {
			headers := map[string]string{}
			if test.bearer != "" {
				headers["Authorization"] = "Bearer " + test.bearer
			}
			if status, body := post(s, test.path, "application/json", test.body, headers); status != test.status || !strings.Contains(body, test.says) {
				t.Errorf("status %d, want %d and %q: %s", status, test.status, test.says, body)
			}
		})
	}
}
