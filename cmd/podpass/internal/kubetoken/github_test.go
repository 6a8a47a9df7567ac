package kubetoken

import (
	"io"
	"net/http"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/podpass-io/podpass/federation"
	"github.com/podpass-io/podpass/test/cloud/actions"
)

// TestTokenEndpoint: the job's token goes to GitHub alone, wherever a step would have it.
func TestTokenEndpoint(t *testing.T) {
	for name, test := range map[string]struct {
		url, server string
		ok          bool
	}{
		"github.com":               {"https://run-actions-1-azure-eastus.actions.githubusercontent.com/42//idtoken/a/b?api-version=2.0", "https://github.com", true},
		"no server said":           {"https://pipelines.actions.githubusercontent.com/x", "", true},
		"Enterprise Server":        {"https://github.example.com/_services/pipelines/x", "https://github.example.com", true},
		"Enterprise Server, below": {"https://pipelines.github.example.com/x", "https://github.example.com", true},
		"Enterprise, port":         {"https://github.example.com:8443/x", "https://github.example.com:8443", true},
		"in the clear":             {"http://pipelines.actions.githubusercontent.com/x", "https://github.com", false},
		"another host":             {"https://evil.example.com/x", "https://github.com", false},
		"a name that ends so":      {"https://evilactions.githubusercontent.com/x", "https://github.com", false},
		"a name that begins so":    {"https://actions.githubusercontent.com.evil.example.com/x", "https://github.com", false},
		"what anybody may publish": {"https://raw.githubusercontent.com/x", "https://github.com", false},
		"a user":                   {"https://actions.githubusercontent.com@evil.example.com/x", "https://github.com", false},
		"a user at the host":       {"https://x@pipelines.actions.githubusercontent.com/x", "https://github.com", false},
		"another port":             {"https://pipelines.actions.githubusercontent.com:8443/x", "https://github.com", false},
		"another server's":         {"https://pipelines.actions.githubusercontent.com/x", "https://github.example.com", false},
		"server in the clear":      {"https://github.example.com/x", "http://github.example.com", false},
		"no URL":                   {"%", "https://github.com", false},
		"opaque":                   {"https:actions.githubusercontent.com", "https://github.com", false},
	} {
		if _, err := tokenEndpoint(test.url, test.server); (err == nil) != test.ok {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// job is what a command in a job of GitHub has.
func job(t *testing.T, a *actions.Actions) Surroundings {
	return Surroundings{Getenv: a.Getenv, HTTP: a.Client, Stderr: t.Output(), Cache: &Cache{dir: filepath.Join(t.TempDir(), "kube")}}
}

// TestGitHub: a job's token, once per life; and each job, and each audience, has its own.
func TestGitHub(t *testing.T) {
	a := actions.Start(t)
	s, o := job(t, a), Options{GitHub: true, Audience: "prod-us"}
	got, err := o.Get(t.Context(), s)
	if err != nil || got.Claims.Subject != actions.Subject || got.Claims.Audiences[0] != "prod-us" {
		t.Fatalf("%+v, %v", got.Claims, err)
	}
	if left := time.Until(got.Until()); left > 5*time.Minute-early || left < 4*time.Minute {
		t.Errorf("it is used for %s, and lives for 5 minutes", left)
	}
	again, err := o.Get(t.Context(), s)
	if err != nil || again.Secret != got.Secret || a.Asked() != 1 {
		t.Errorf("another one, after %d: %v", a.Asked(), err)
	}
	if other, err := (&Options{GitHub: true, Audience: "prod-eu"}).Get(t.Context(), s); err != nil || other.Claims.Audiences[0] != "prod-eu" || a.Asked() != 2 {
		t.Errorf("%+v after %d: %v", other.Claims, a.Asked(), err)
	}
	a.RequestToken = "that of the next job on this runner"
	if next, err := o.Get(t.Context(), s); err != nil || next.Secret == got.Secret || a.Asked() != 3 {
		t.Errorf("the next job has the token of the one before, after %d: %v", a.Asked(), err)
	}
	s.Cache = nil
	if _, err := o.Get(t.Context(), s); err != nil || a.Asked() != 4 {
		t.Errorf("without a cache %d were asked: %v", a.Asked(), err)
	}
}

// TestGitHubRefuses: whatever goes wrong is said, and no secret with it.
func TestGitHubRefuses(t *testing.T) {
	const secret = "the-bearer-of-the-job-which-is-a-secret"
	var went bool
	for name, test := range map[string]struct {
		answer http.HandlerFunc
		want   string
	}{
		"refused, with an echo": {func(w http.ResponseWriter, r *http.Request) {
			w.WriteHeader(http.StatusForbidden)
			_, _ = io.WriteString(w, `{"message":"no: `+r.Header.Get("Authorization")+`"}`)
		}, "ask GitHub Actions for a token: no: "},
		"a page": {func(w http.ResponseWriter, _ *http.Request) {
			w.WriteHeader(http.StatusBadGateway)
			_, _ = io.WriteString(w, "<title>Bad gateway</title>")
		}, "Bad gateway"},
		"a redirect": {func(w http.ResponseWriter, r *http.Request) {
			if r.URL.Path == "/elsewhere" {
				went = true
			}
			http.Redirect(w, r, "/elsewhere", http.StatusTemporaryRedirect)
		}, "redirects"},
		"no token": {func(w http.ResponseWriter, _ *http.Request) { _, _ = io.WriteString(w, `{}`) }, "empty token"},
		"no JWT":   {func(w http.ResponseWriter, _ *http.Request) { _, _ = io.WriteString(w, `{"value":"`+secret+`"}`) }, "not a JWT"},
		"endless": {func(w http.ResponseWriter, _ *http.Request) {
			_, _ = io.WriteString(w, `{"value":"`+strings.Repeat(secret, 20000))
		}, "is larger than"},
		"another's": {func(w http.ResponseWriter, _ *http.Request) {
			_, _ = io.WriteString(w, `{"value":"`+jwt("other", time.Now().Add(time.Hour))+`"}`)
		}, `the token of GitHub Actions is for audience "other", and "prod-us" is asked for`},
		"an old one": {func(w http.ResponseWriter, _ *http.Request) {
			_, _ = io.WriteString(w, `{"value":"`+jwt("prod-us", time.Unix(1700000000, 0))+`"}`)
		}, "the token of GitHub Actions expired at 2023-11-14T22:13:20Z; it is "},
	} {
		t.Run(name, func(t *testing.T) {
			a := actions.Start(t)
			a.RequestToken = secret
			a.Answer(test.answer)
			_, err := (&Options{GitHub: true, Audience: "prod-us"}).Get(t.Context(), job(t, a))
			if err == nil || !strings.Contains(err.Error(), test.want) || strings.Contains(err.Error(), secret) || strings.Contains(err.Error(), "eyJ") {
				t.Errorf("error %v", err)
			}
		})
	}
	if went {
		t.Error("the redirect was followed")
	}
}

// TestNoJob: where the variables are missing, or lead elsewhere, nobody is asked.
func TestNoJob(t *testing.T) {
	a := actions.Start(t)
	for name, test := range map[string]struct {
		change map[string]string
		want   string
	}{
		"no URL":        {map[string]string{"ACTIONS_ID_TOKEN_REQUEST_URL": ""}, "this is no GitHub Actions job that may have tokens"},
		"no bearer":     {map[string]string{"ACTIONS_ID_TOKEN_REQUEST_TOKEN": ""}, "this is no GitHub Actions job that may have tokens"},
		"of github.com": {map[string]string{"GITHUB_SERVER_URL": ""}, "which is not of actions.githubusercontent.com: the job's token is not sent there"},
	} {
		s := job(t, a)
		s.Getenv = func(name string) string {
			if v, ok := test.change[name]; ok {
				return v
			}
			return a.Getenv(name)
		}
		_, err := (&Options{GitHub: true, Audience: "prod-us"}).Get(t.Context(), s)
		if err == nil || !strings.Contains(err.Error(), test.want) || strings.Contains(err.Error(), federation.Secret(a.RequestToken).Reveal()) {
			t.Errorf("%s: %v", name, err)
		}
	}
	if a.Asked() != 0 {
		t.Errorf("%d tokens were given", a.Asked())
	}
}
