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
		"identitynamespace:p.svc.id.goog:https://" + strings.Repeat("x", 600-len("identitynamespace:p.svc.id.goog:https://")): "identitynamespace:p.svc.id.goog:https://" + strings.Repeat("x", 600-len("identitynamespace:p.svc.id.goog:https://")),
		"identitynamespace:p.svc.id.goog:https://container.googleapis.com/v1/projects/p/locations/l/clusters/c":               "identitynamespace:p.svc.id.goog:https://container.googleapis.com/v1/projects/p/locations/l/clusters/c",
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
		"https:" + "//iam.googleapis.com/" + name:                                                                               "want projects/<number>",
		strings.Replace(name, "global", "../x", 1):                                                                              "want projects/<number>",
		strings.Replace(name, "clusters", "abc", 1):                                                                             "want projects/<number>",
		strings.Replace(name, "123456789012", "example-project", 1):                                                             `project "example-project" by its ID`,
		strings.Replace(name, "123456789012", "example.com:shop-1", 1):                                                          "by its ID",
		"identitynamespace:p.svc.id.goog":                                                                                       "want identitynamespace:",
		strings.Replace(name, "123456789012", strings.Repeat("1", 21), 1):                                                       "by its ID",
		"identitynamespace:p.svc.id.goog:https://" + strings.Repeat("x", 600-len("identitynamespace:p.svc.id.goog:https://")+1): "want identitynamespace:",
		"identitynamespace:p.svc.id.goog:http://c.example.com":                                                                  "want identitynamespace:",
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
			[]string{"orders@example-project.iam.gserviceaccount.com", "123456-compute@developer.gserviceaccount.com", "example-project@appspot.gserviceaccount.com", "a@proj.example.com.iam.gserviceaccount.com", email(254)},
			[]string{"", "orders", "@example-project.iam.gserviceaccount.com", "a@b", "a/../b@example-project.iam.gserviceaccount.com", "a@p.iam.gserviceaccount.com:generateAccessToken", "A@p.iam.gserviceaccount.com", "a@p.iam.gserviceaccount.com\n", email(255)},
		},
		"zone":     {gcp.ValidZone, []string{"europe-west3-a"}, []string{"", "e", "europe/west", "Europe-west3-a"}},
		"universe": {gcp.ValidUniverse, []string{"googleapis.com", strings.Repeat("a.", 125) + "com"}, []string{"", "com", "https://x.com", strings.Repeat("a.", 124) + "aa.com"}},
		"project":  {gcp.ValidProject, []string{"example-project", "example.com:shop-1"}, []string{"", "123456789012", "short", "Example-project", "example-project-", "a/b-cdef", strings.Repeat("x", 31)}},
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

// email is one of n bytes.
func email(n int) string {
	const end = ".gserviceaccount.com"
	return "a@" + strings.Repeat("b", n-len("a@")-len(end)) + end
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
		"identitynamespace:Not-A-Project.svc.id.goog" + identityProvider:                 "",
		"identitynamespace:example-project.svc.id.goog":                                  "",
		"identitynamespace:pool.global.123456789012.workload.id.goog" + identityProvider: "",
		"identitynamespace:example-project" + identityProvider:                           "",
		provider: "",
		"":       "",
	} {
		if got := gcp.ProjectOfPool(provider); got != want {
			t.Errorf("%s: %q, want %q", provider, got, want)
		}
	}
}
