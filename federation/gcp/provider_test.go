package gcp_test

import (
	"strings"
	"testing"

	"github.com/podpass-io/podpass/federation/gcp"
)

func TestParseProvider(t *testing.T) {
	const name = "projects/123456789012/locations/global/workloadIdentityPools/clusters/providers/demo"
	for text, want := range map[string]string{
		name:                           "//iam.googleapis.com/" + name,
		"//iam.googleapis.com/" + name: "//iam.googleapis.com/" + name,
		"identitynamespace:p.svc.id.goog:https://container.googleapis.com/v1/projects/p/locations/l/clusters/c": "identitynamespace:p.svc.id.goog:https://container.googleapis.com/v1/projects/p/locations/l/clusters/c",
	} {
		if got, err := gcp.ParseProvider(text); got != want || err != nil {
			t.Errorf("%s: %s, %v", text, got, err)
		}
	}
	for text, reason := range map[string]string{
		"":          "want projects/<number>",
		"clusters":  "want projects/<number>",
		name + "/":  "want projects/<number>",
		name + "\n": "want projects/<number>",
		"https:" + "//iam.googleapis.com/" + name:                      "want projects/<number>",
		strings.Replace(name, "global", "../x", 1):                     "want projects/<number>",
		strings.Replace(name, "clusters", "abc", 1):                    "want projects/<number>",
		strings.Replace(name, "123456789012", "example-project", 1):    `project "example-project" by its ID`,
		strings.Replace(name, "123456789012", "example.com:shop-1", 1): "by its ID",
		"identitynamespace:p.svc.id.goog":                              "want identitynamespace:",
		"identitynamespace:p.svc.id.goog:http://c.example.com":         "want identitynamespace:",
	} {
		if got, err := gcp.ParseProvider(text); err == nil || !strings.Contains(err.Error(), reason) {
			t.Errorf("%q: want %q: %s, %v", text, reason, got, err)
		}
	}
}

func TestForms(t *testing.T) {
	for name, test := range map[string]struct {
		valid     func(string) bool
		good, bad []string
	}{
		"service account": {
			gcp.ValidServiceAccount,
			[]string{"orders@example-project.iam.gserviceaccount.com", "123456-compute@developer.gserviceaccount.com", "example-project@appspot.gserviceaccount.com", "a@proj.example.com.iam.gserviceaccount.com"},
			[]string{"", "orders", "@example-project.iam.gserviceaccount.com", "a@b", "a/../b@example-project.iam.gserviceaccount.com", "a@p.iam.gserviceaccount.com:generateAccessToken", "A@p.iam.gserviceaccount.com", "a@p.iam.gserviceaccount.com\n"},
		},
		"project": {gcp.ValidProject, []string{"example-project", "example.com:shop-1"}, []string{"", "123456789012", "short", "Example-project", "example-project-", "a/b-cdef", strings.Repeat("x", 31)}},
	} {
		for _, s := range test.good {
			if !test.valid(s) {
				t.Errorf("%s %q: refused", name, s)
			}
		}
		for _, s := range test.bad {
			if test.valid(s) {
				t.Errorf("%s %q: accepted", name, s)
			}
		}
	}
}

func TestProjectOf(t *testing.T) {
	for email, want := range map[string]string{
		"orders@example-project.iam.gserviceaccount.com":    "example-project",
		"orders@shop-1.example.com.iam.gserviceaccount.com": "example.com:shop-1",
		"123456-compute@developer.gserviceaccount.com":      "",
		"orders": "",
		"":       "",
	} {
		if got := gcp.ProjectOf(email); got != want {
			t.Errorf("%s: %q, want %q", email, got, want)
		}
	}
}

func TestProjectOfPool(t *testing.T) {
	const identityProvider = ":https://gkehub.googleapis.com/projects/x/locations/global/memberships/shop"
	for provider, want := range map[string]string{
		"identitynamespace:example-project.svc.id.goog" + identityProvider:               "example-project",
		"identitynamespace:example.com:example-project.svc.id.goog" + identityProvider:   "example.com:example-project",
		"identitynamespace:pool.global.123456789012.workload.id.goog" + identityProvider: "",
		provider: "",
		"":       "",
	} {
		if got := gcp.ProjectOfPool(provider); got != want {
			t.Errorf("%s: %q, want %q", provider, got, want)
		}
	}
}
