package kubetoken

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"log/slog"
	"net/http/httptest"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/podpass-io/podpass/broker/tokenapi"
	"github.com/podpass-io/podpass/federation"
	"github.com/podpass-io/podpass/test/cloud"
	"github.com/podpass-io/podpass/test/cloud/actions"
	"github.com/podpass-io/podpass/test/cloud/issuer"
	"github.com/podpass-io/podpass/test/cloud/trust"
)

func vars(of map[string]string) func(string) string {
	return func(name string) string { return of[name] }
}

// TestGiven: a token that is there already, and is what it should be.
func TestGiven(t *testing.T) {
	good, old := jwt("prod-us", time.Now().Add(time.Hour)), jwt("prod-us", time.Unix(1700000000, 0))
	file := func(content string) string {
		name := filepath.Join(t.TempDir(), "token")
		if err := os.WriteFile(name, []byte(content), 0o600); err != nil {
			t.Fatal(err)
		}
		return name
	}
	s := Surroundings{Getenv: vars(map[string]string{"GOOD": good, "OLD": old, "NONE": "hunter2"}), Stderr: t.Output(), Cache: &Cache{dir: filepath.Join(t.TempDir(), "kube")}}
	for name, test := range map[string]struct {
		options Options
		wrong   string
	}{
		"a variable":               {Options{TokenEnv: "GOOD", Audience: "prod-us"}, ""},
		"for anybody":              {Options{TokenEnv: "GOOD"}, ""},
		"a variable, another's":    {Options{TokenEnv: "GOOD", Audience: "prod-eu"}, `the token in the variable GOOD is for audience "prod-us", and "prod-eu" is asked for`},
		"a variable, old":          {Options{TokenEnv: "OLD", Audience: "prod-us"}, "the token in the variable OLD expired at 2023-11-14T22:13:20Z; it is "},
		"a variable, no token":     {Options{TokenEnv: "NONE"}, "the variable NONE: not a JWT"},
		"a variable, empty":        {Options{TokenEnv: "EMPTY"}, "the variable EMPTY is not set"},
		"a file":                   {Options{TokenFile: file(good + "\n"), Audience: "prod-us"}, ""},
		"a file, another's":        {Options{TokenFile: file(good), Audience: "prod-eu"}, `is for audience "prod-us", and "prod-eu" is asked for`},
		"a file, old":              {Options{TokenFile: file(old)}, "expired at 2023-11-14T22:13:20Z"},
		"a file, no token":         {Options{TokenFile: file("hunter2")}, "not a JWT"},
		"a file that is not there": {Options{TokenFile: filepath.Join(t.TempDir(), "none")}, "no such file"},
	} {
		t.Run(name, func(t *testing.T) {
			got, err := test.options.Get(t.Context(), s)
			if test.wrong == "" {
				if err != nil || got.Secret.Reveal() != good {
					t.Errorf("error %v", err)
				}
				return
			}
			if err == nil || !strings.Contains(err.Error(), test.wrong) || strings.Contains(err.Error(), "hunter2") || strings.Contains(err.Error(), "eyJ") {
				t.Errorf("error %v", err)
			}
		})
	}
	if files, err := os.ReadDir(s.Cache.dir); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("what is at hand was kept a second time: %v", files)
	}
}

// TestBroker: the token that the broker has of a source, by its own handler.
func TestBroker(t *testing.T) {
	const secret = "8c3e3f0a-0000-4000-8000-000000000001"
	token := jwt("prod-us", time.Now().Add(10*time.Minute))
	var failed error
	server := httptest.NewServer(&tokenapi.Handler{
		AccessToken: func(context.Context) (federation.Credential, error) {
			return federation.Credential{Token: federation.Secret(token), Expiry: federation.ExpiresIn(time.Now(), 20*time.Minute)}, failed
		},
		Secret: secret, Log: slog.New(slog.DiscardHandler),
	})
	defer server.Close()
	env := map[string]string{"PODPASS_TOKEN_URL": server.URL + tokenapi.Path, "PODPASS_TOKEN_SECRET": secret}
	s := Surroundings{Getenv: vars(env), Stderr: t.Output()}
	o := Options{Broker: true, Source: "keycloak", Audience: "prod-us"}
	got, err := o.Get(t.Context(), s)
	if err != nil || got.Secret.Reveal() != token {
		t.Fatal(err)
	}
	// The token's own end comes before that which the server says.
	if left := time.Until(got.Expiry); left > 10*time.Minute || left < 9*time.Minute {
		t.Errorf("%s left", left)
	}
	o.Audience = "prod-eu"
	if _, err := o.Get(t.Context(), s); err == nil || !strings.Contains(err.Error(), `is for audience "prod-us", and "prod-eu" is asked for`) {
		t.Errorf("another's: %v", err)
	}
	token = "opaque-token-of-the-server"
	if _, err := o.Get(t.Context(), s); err == nil || !strings.Contains(err.Error(), "is no JWT") || strings.Contains(err.Error(), token) {
		t.Errorf("opaque: %v", err)
	}
	failed = errors.New("the server is away")
	if _, err := o.Get(t.Context(), s); err == nil || !strings.Contains(err.Error(), "the server is away") {
		t.Errorf("refused: %v", err)
	}
	for address, want := range map[string]string{
		"":                                 "are not set",
		"http://example.com/oidc/v1/token": "is no http URL of this pod's loopback",
		"https://127.0.0.1/oidc/v1/token":  "is no http URL of this pod's loopback",
		"http://127.0.0.1@example.com/":    "is no http URL of this pod's loopback",
	} {
		env["PODPASS_TOKEN_URL"] = address
		if _, err := o.Get(t.Context(), s); err == nil || !strings.Contains(err.Error(), want) || strings.Contains(err.Error(), secret) {
			t.Errorf("%s: %v", address, err)
		}
	}
}

func mustURL(t *testing.T, raw string) *url.URL {
	t.Helper()
	u, err := url.Parse(raw)
	if err != nil {
		t.Fatal(err)
	}
	return u
}

// TestExchange: a CI job's token is traded at a token source that verifies it, once per
// life; and one that the source would refuse is not sent.
func TestExchange(t *testing.T) {
	a := actions.Start(t)
	clouds := cloud.Start(t, trust.Config{
		Issuers: []trust.Issuer{a.Issuer.Trust()},
		OAuth:   trust.OAuth{Issuer: a.Issuer.URL, Audience: "keycloak", Subjects: []string{actions.Subject}, User: "ci"},
	})
	ca, err := os.ReadFile(clouds.CAFile)
	if err != nil {
		t.Fatal(err)
	}
	jobCA, err := os.ReadFile(a.Issuer.CAFile) // of all servers of httptest
	if err != nil {
		t.Fatal(err)
	}
	settings := filepath.Join(t.TempDir(), "settings.json")
	text, err := json.Marshal(map[string]any{
		"broker": map[string]any{"image": "example.com/podpass-broker:dev"}, "caBundle": string(ca) + string(jobCA),
		"oidc": map[string]any{"tokenSources": map[string]any{"keycloak": map[string]string{"tokenURL": clouds.OAuth + "/token", "audience": "keycloak"}}},
	})
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(settings, text, 0o600); err != nil {
		t.Fatal(err)
	}
	asked := func() int { return clouds.Faults.Count("oauth") }
	ours := func(audience string) string {
		return a.Issuer.Token(t, issuer.Claims{Namespace: "shop", ServiceAccount: "orders", Audience: audience})
	}
	job := map[string]string{"KUBE_TOKEN": ours("keycloak"), "OTHER": ours("registry")}
	s := Surroundings{Stderr: t.Output(), Cache: &Cache{dir: filepath.Join(t.TempDir(), "kube")}, Getenv: func(name string) string {
		return cmp.Or(job[name], a.Getenv(name))
	}}

	o := Options{TokenEnv: "OTHER", Source: "keycloak", SettingsFile: settings}
	if _, err := o.Get(t.Context(), s); err == nil || !strings.Contains(err.Error(), `is for audience "registry", and "keycloak" is asked for`) || asked() != 0 {
		t.Errorf("another's, sent %d times: %v", asked(), err)
	}
	o.TokenEnv = "KUBE_TOKEN"
	if _, err := o.Get(t.Context(), s); err == nil || !strings.Contains(err.Error(), "is not mapped to anybody") || strings.Contains(err.Error(), job["KUBE_TOKEN"]) || asked() != 1 {
		t.Errorf("a subject that the source does not know, sent %d times: %v", asked(), err)
	}
	o = Options{GitHub: true, Source: "keycloak", SettingsFile: settings}
	for range 2 {
		got, err := o.Get(t.Context(), s)
		if err != nil || time.Until(got.Expiry) < 59*time.Minute {
			t.Fatalf("ends %s: %v", got.Expiry, err)
		}
	}
	if asked() != 2 || a.Asked() != 1 {
		t.Errorf("the source was asked %d times, GitHub %d times; want a refusal, and once each", asked(), a.Asked())
	}
	// A token that lies in a variable is another job's, perhaps.
	for _, again := range []bool{false, true} {
		if !again {
			token, err := (&github{mustURL(t, a.RequestURL), federation.Secret(a.RequestToken), "keycloak", a.Client}).SubjectToken(t.Context())
			if err != nil {
				t.Fatal(err)
			}
			job["KUBE_TOKEN"] = token.Reveal()
		}
		if _, err := (&Options{TokenEnv: "KUBE_TOKEN", Source: "keycloak", SettingsFile: settings}).Get(t.Context(), s); err != nil || asked() != 3 {
			t.Errorf("a variable's, again %t: the source was asked %d times, want once more: %v", again, asked(), err)
		}
	}
	// What the source gives is held to the audience, too.
	o.Audience = "prod-us"
	if _, err := o.Get(t.Context(), s); err == nil || !strings.Contains(err.Error(), `the token of source keycloak is for audience "", and "prod-us" is asked for`) {
		t.Errorf("for another audience: %v", err)
	}
	o.Audience = ""
	o.Source = "other"
	if _, err := o.Get(t.Context(), s); err == nil || !strings.Contains(err.Error(), `there is no token source "other"`) {
		t.Errorf("an unknown source: %v", err)
	}
}
