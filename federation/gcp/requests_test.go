package gcp_test

import (
	"encoding/base64"
	"encoding/json"
	"fmt"
	"net/url"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/podpass-io/podpass/federation"
	ft "github.com/podpass-io/podpass/federation/federationtest"
	"github.com/podpass-io/podpass/federation/gcp"
)

// TestSTSRequest: every parameter of the exchange, also for the providers of GKE
// clusters and fleets; no client authentication, which STS would refuse.
func TestSTSRequest(t *testing.T) {
	for name, audience := range map[string]string{
		"pool":  provider,
		"GKE":   "identitynamespace:example-project.svc.id.goog:https://container.googleapis.com/v1/projects/example-project/locations/europe-west3/clusters/shop",
		"fleet": "identitynamespace:example-project.svc.id.goog:https://gkehub.googleapis.com/projects/example-project/locations/global/memberships/shop",
	} {
		t.Run(name, func(t *testing.T) {
			var g ft.Recorder
			c := &gcp.Client{Identity: gcp.Identity{Provider: audience}, Token: ft.Token{}, Endpoints: gcp.Endpoints{STS: g.Serve(t, `{"access_token":"ya29.x","issued_token_type":"urn:ietf:params:oauth:token-type:access_token","token_type":"Bearer","expires_in":3599}`)}}
			credential, err := c.AccessToken([]string{"https://www.googleapis.com/auth/pubsub", "https://www.googleapis.com/auth/bigquery"}).Exchange(t.Context())
			if err != nil {
				t.Fatal(err)
			}
			form, err := url.ParseQuery(g.Body)
			if err != nil {
				t.Fatal(err)
			}
			want := url.Values{
				"grant_type":           {"urn:ietf:params:oauth:grant-type:token-exchange"},
				"audience":             {audience},
				"scope":                {"https://www.googleapis.com/auth/bigquery https://www.googleapis.com/auth/pubsub"},
				"requested_token_type": {"urn:ietf:params:oauth:token-type:access_token"},
				"subject_token_type":   {"urn:ietf:params:oauth:token-type:jwt"},
				"subject_token":        {ft.Token{}.Raw()},
			}
			if diff := cmp.Diff(want, form); diff != "" {
				t.Error(diff)
			}
			if g.Path != "/v1/token" || g.Header.Get("Authorization") != "" {
				t.Errorf("path %s, with Authorization: %t", g.Path, g.Header.Get("Authorization") != "")
			}
			if life := credential.Expiry.Life(); life < 3590*time.Second || life > 3600*time.Second {
				t.Errorf("a life of %s, want 3599 s", life)
			}
		})
	}
}

// TestIAMRequests: lifetime, delegates, the quota project, and the methods.
func TestIAMRequests(t *testing.T) {
	full := gcp.Identity{
		Provider: provider, ServiceAccount: identity.ServiceAccount, QuotaProject: "example-quota", TokenLifetime: 43200,
		Delegates: []string{"one@example-project.iam.gserviceaccount.com", "two@example-project.iam.gserviceaccount.com"},
	}
	access := fmt.Sprintf(`{"accessToken":"ya29.y","expireTime":%q}`, time.Now().Add(time.Hour).UTC().Format(time.RFC3339))
	id := fmt.Sprintf(`{"token":%q}`, jwt(time.Now().Add(time.Hour)))
	chain := []any{"projects/-/serviceAccounts/one@example-project.iam.gserviceaccount.com", "projects/-/serviceAccounts/two@example-project.iam.gserviceaccount.com"}
	for name, test := range map[string]struct {
		identity gcp.Identity
		exchange func(*gcp.Client) federation.Exchanger
		answer   string
		method   string
		body     map[string]any
		quota    string
	}{
		"access token": {identity, func(c *gcp.Client) federation.Exchanger { return c.AccessToken(nil) }, access, "generateAccessToken",
			map[string]any{"scope": []any{"https://www.googleapis.com/auth/cloud-platform"}, "lifetime": "3600s", "delegates": nil}, ""},
		"access token, all options": {full, func(c *gcp.Client) federation.Exchanger { return c.AccessToken([]string{"b", "a", "b"}) }, access, "generateAccessToken",
			map[string]any{"scope": []any{"a", "b"}, "lifetime": "43200s", "delegates": chain}, "example-quota"},
		"ID token": {identity, func(c *gcp.Client) federation.Exchanger { return c.IDToken("https://x.example.com") }, id, "generateIdToken",
			map[string]any{"audience": "https://x.example.com", "includeEmail": true, "delegates": nil}, ""},
		"ID token, all options": {full, func(c *gcp.Client) federation.Exchanger { return c.IDToken("32555940559.apps.googleusercontent.com") }, id, "generateIdToken",
			map[string]any{"audience": "32555940559.apps.googleusercontent.com", "includeEmail": true, "delegates": chain}, "example-quota"},
	} {
		t.Run(name, func(t *testing.T) {
			var g ft.Recorder
			c := &gcp.Client{Identity: test.identity, Token: ft.Token{}, Via: federated{}, Endpoints: gcp.Endpoints{IAMCredentials: g.Serve(t, test.answer)}}
			if _, err := test.exchange(c).Exchange(t.Context()); err != nil {
				t.Fatal(err)
			}
			var body map[string]any
			if err := json.Unmarshal([]byte(g.Body), &body); err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(test.body, body); diff != "" {
				t.Error(diff)
			}
			if want := "/v1/projects/-/serviceAccounts/orders@example-project.iam.gserviceaccount.com:" + test.method; g.Path != want {
				t.Errorf("path %s, want %s", g.Path, want)
			}
			if got := g.Header.Get("X-Goog-User-Project"); got != test.quota {
				t.Errorf("quota project %q, want %q", got, test.quota)
			}
			if got := g.Header.Get("Content-Type"); got != "application/json" {
				t.Errorf("content type %q", got)
			}
			if got := g.Header.Get("Authorization"); got != "Bearer "+federatedToken {
				t.Error("not authorized by the federated token")
			}
		})
	}
}

// jwt is an ID token that ends at exp.
func jwt(exp time.Time) string {
	part := base64.RawURLEncoding.EncodeToString
	return part([]byte(`{"alg":"RS256"}`)) + "." + part(fmt.Appendf(nil, `{"exp":%d}`, exp.Unix())) + ".c2ln"
}

// TestIDTokenIsServedForFiveMinutes: Go's client takes each for an hour old at most.
func TestIDTokenIsServedForFiveMinutes(t *testing.T) {
	for name, test := range map[string]struct{ left, want time.Duration }{
		"an hour":   {time.Hour, 5 * time.Minute},
		"a minute":  {time.Minute, time.Minute},
		"has ended": {-time.Hour, -time.Hour},
	} {
		t.Run(name, func(t *testing.T) {
			var g ft.Recorder
			c := &gcp.Client{Identity: identity, Token: ft.Token{}, Via: federated{}, Endpoints: gcp.Endpoints{IAMCredentials: g.Serve(t, fmt.Sprintf(`{"token":%q}`, jwt(time.Now().Add(test.left))))}}
			credential, err := c.IDToken("https://x.example.com").Exchange(t.Context())
			if err != nil {
				t.Fatal(err)
			}
			if life := credential.Expiry.Life(); life > test.want || life < test.want-2*time.Second {
				t.Errorf("served for %s, want %s", life, test.want)
			}
		})
	}
}

// TestUnreadableAnswers: what a proxy says instead of Google is no credential.
func TestUnreadableAnswers(t *testing.T) {
	for name, answer := range map[string]string{"nothing": "", "a page": "<html>", "no token": "{}", "an error of no form": `{"error":7}`, "an end of no form": `{"accessToken":"x","expireTime":"soon"}`, "a token that is no JWT": `{"token":"x"}`, "no end": `{"accessToken":"x","token":"x","access_token":"x"}`, "no access token": `{"expireTime":"2030-01-01T00:00:00Z","expires_in":1}`} {
		t.Run(name, func(t *testing.T) {
			var g ft.Recorder
			endpoint := g.Serve(t, answer)
			c := &gcp.Client{Identity: identity, Token: ft.Token{}, Via: federated{}, Endpoints: gcp.Endpoints{STS: endpoint, IAMCredentials: endpoint}}
			for _, e := range []federation.Exchanger{c.Federated(), c.AccessToken(nil), c.IDToken("https://x.example.com")} {
				if _, err := e.Exchange(t.Context()); federation.KindOf(err) != federation.KindUnavailable {
					t.Errorf("%s: got %v", e.Key(), err)
				}
			}
		})
	}
}

func TestEndpoints(t *testing.T) {
	const account = "orders@example.iam.gserviceaccount.com"
	for name, test := range map[string]struct {
		endpoints  gcp.Endpoints
		token, iam string
	}{
		"public":          {gcp.Endpoints{}, "https://sts.googleapis.com", "https://iamcredentials.googleapis.com"},
		"sovereign":       {gcp.Endpoints{Universe: "apis-berlin-build0.goog"}, "https://sts.apis-berlin-build0.goog", "https://iamcredentials.apis-berlin-build0.goog"},
		"private":         {gcp.Endpoints{STS: "https://sts.example.com"}, "https://sts.example.com", "https://iamcredentials.googleapis.com"},
		"private, beside": {gcp.Endpoints{Universe: "apis-berlin-build0.goog", IAMCredentials: "https://iam.example.com"}, "https://sts.apis-berlin-build0.goog", "https://iam.example.com"},
	} {
		if got, want := test.endpoints.TokenURL(), test.token+"/v1/token"; got != want {
			t.Errorf("%s: %s, want %s", name, got, want)
		}
		if got, want := test.endpoints.ImpersonationURL(account, "generateIdToken"), test.iam+"/v1/projects/-/serviceAccounts/"+account+":generateIdToken"; got != want {
			t.Errorf("%s: %s, want %s", name, got, want)
		}
	}
}

func TestPrincipal(t *testing.T) {
	for audience, want := range map[string]string{
		provider: "principal://iam.googleapis.com/projects/123456789012/locations/global/workloadIdentityPools/clusters/subject/system:serviceaccount:shop:orders",
		"identitynamespace:example-project.svc.id.goog:https://c.example.com": "serviceAccount:example-project.svc.id.goog[shop/orders]",
		"identitynamespace:example-project.svc.id.goog":                       ft.Subject, // nothing better is known
	} {
		if got := gcp.Principal(audience, ft.Subject); got != want {
			t.Errorf("%s: %s, want %s", audience, got, want)
		}
	}
}
