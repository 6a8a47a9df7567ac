package idp

import (
	"regexp"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// TestTerraformNames: no address is there twice, whatever the names.
func TestTerraformNames(t *testing.T) {
	address := regexp.MustCompile(`(?m)^(resource|data|output) .*\{$`)
	for _, provider := range []Provider{Okta, Entra, Auth0} {
		s := company(provider)
		s.Pods = nil
		s.Groups = []string{"b-c", "b_c", "b.c", "c", "#"}
		s.Clusters = []Cluster{{Name: "a"}, {Name: "a-b"}, {Name: "a--b"}, {Name: "pod-a-ci-runner"}}
		if provider == Entra {
			s.Clusters[0].Issuer = euOIDC
			s.Pods = []Pod{{Cluster: "a", Namespace: "ci", ServiceAccount: "runner", Audiences: []string{"a-b", "a--b"}}, {Cluster: "a", Namespace: "ci", ServiceAccount: "run.ner"}, {Cluster: "a", Namespace: "ci", ServiceAccount: "run-ner"}}
		}
		plan, found := Render(s)
		if len(found) > 0 {
			t.Fatal(found)
		}
		source, err := plan.Form("terraform")
		if err != nil {
			t.Fatal(err)
		}
		seen := map[string]bool{}
		for _, head := range address.FindAllString(string(source), -1) {
			if seen[head] {
				t.Errorf("%s: %s is there twice", provider, head)
			}
			seen[head] = true
		}
		if len(seen) < 10 {
			t.Errorf("%s: only %d addresses", provider, len(seen))
		}
	}
}

// TestExactly: the groups that are named, and none whose name has one of them in it.
func TestExactly(t *testing.T) {
	expression := regexp.MustCompile(exactly([]string{"sre", "dev.ops", "a|b"}))
	for name, want := range map[string]bool{"sre": true, "dev.ops": true, "a|b": true, "sre-old": false, "my-sre": false, "devXops": false, "a": false, "": false} {
		if expression.MatchString(name) != want {
			t.Errorf("%q: %v, want %v", name, !want, want)
		}
	}
}

// TestRoleID: what RFC 9562 calls a UUID, the same each time, and another for each cluster.
func TestRoleID(t *testing.T) {
	id := roleID("prod-eu", "Pods")
	if !regexp.MustCompile(`^[0-9a-f]{8}-[0-9a-f]{4}-8[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$`).MatchString(id) || id != roleID("prod-eu", "Pods") || id == roleID("prod-us", "Pods") || id == roleID("prod-eu", "People") {
		t.Errorf("%s, and for another cluster %s", id, roleID("prod-us", "Pods"))
	}
}

// TestCredentialName: what Entra takes, and another for each pod of an application.
func TestCredentialName(t *testing.T) {
	for _, test := range []struct{ serviceAccount, want string }{
		{"orders", "shop_orders"},
		{"orders.v2", "pods-1856060dcb31580aff434806f8019f7625f"},
		{strings.Repeat("a", 115), "shop_" + strings.Repeat("a", 115)},
		{strings.Repeat("a", 116), ""},
	} {
		got := credentialName(Pod{Cluster: "prod-eu", Namespace: "shop", ServiceAccount: test.serviceAccount})
		if test.want != "" && got != test.want || !regexp.MustCompile(`^[A-Za-z0-9][A-Za-z0-9_-]{2,119}$`).MatchString(got) {
			t.Errorf("%s: %s, want %s", test.serviceAccount, got, test.want)
		}
	}
}

func TestWrap(t *testing.T) {
	for name, test := range map[string]struct {
		text string
		want []string
	}{
		"fits":          {"to the letter", []string{"to the letter"}},
		"does not":      {"to the letter and more", []string{"to the letter", "and more"}},
		"a longer word": {"see https://sso.example.com now", []string{"see", "https://sso.example.com", "now"}},
		"begins so":     {"https://sso.example.com now", []string{"https://sso.example.com", "now"}},
		"nothing":       {"", []string{""}},
	} {
		if diff := cmp.Diff(test.want, wrap(test.text, 13)); diff != "" {
			t.Errorf("%s (-want +got):\n%s", name, diff)
		}
	}
}

// TestHeredoc: what HashiCorp's language would evaluate stands for itself.
func TestHeredoc(t *testing.T) {
	if got, want := heredoc("a ${b}\n  %{c}\n"), "<<-EOT\n  a $${b}\n    %%{c}\nEOT"; got != want {
		t.Errorf("got %q, want %q", got, want)
	}
}

// TestReferences: a list that is long has a line for each, as terraform fmt would have it.
func TestReferences(t *testing.T) {
	short := []string{strings.Repeat("a", 47), strings.Repeat("b", 48)}
	if got, want := references("ids", short).Value, "["+short[0]+", "+short[1]+"]"; got != want {
		t.Errorf("%d characters: %s", len(want), got)
	}
	long := []string{short[0], short[1] + "b"}
	if got, want := references("ids", long).Value, "[\n  "+long[0]+",\n  "+long[1]+",\n]"; got != want {
		t.Errorf("got %s, want %s", got, want)
	}
	if got, want := list("names", []string{strings.Repeat("a", 97)}).Value, "[\n  \""+strings.Repeat("a", 97)+"\",\n]"; got != want {
		t.Errorf("got %s, want %s", got, want)
	}
}
