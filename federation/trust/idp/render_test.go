package idp

import (
	"errors"
	"os"
	"testing"

	"github.com/google/go-cmp/cmp"
)

const (
	tenant = "99999999-8888-7777-6666-555555555555"
	euOIDC = "https://oidc.example.com/prod-eu"
)

// company is the worked example of docs/people.md: an environment with two clusters.
func company(p Provider) Setup {
	s := Setup{
		Provider: p, Environment: "prod", Clusters: []Cluster{{Name: "prod-eu"}, {Name: "prod-us"}},
		Groups: []string{"sre", "developers", "platform-admins"},
	}
	switch p {
	case Keycloak:
		s.Issuer = "https://sso.example.com/realms/prod"
	case Entra:
		s.Tenant, s.GroupNames = tenant, true
	case Google:
		s.Domain, s.Groups = "example.com", []string{"sre@example.com", "developers@example.com"}
	case Auth0:
		s.Domain = "example.eu.auth0.com"
	case Okta: // it needs no address
	}
	if s.takesPods() {
		s.Clusters[0].Issuer = euOIDC
		s.Pods = []Pod{
			{Cluster: "prod-eu", Namespace: "shop", ServiceAccount: "orders.v2", Audiences: []string{"prod-us", "prod-eu"}},
			{Cluster: "prod-eu", Namespace: "ci", ServiceAccount: "runner"},
		}
	}
	return s
}

// all are the presets.
var all = []Provider{Keycloak, Okta, Entra, Google, Auth0}

// TestForms holds each form against a file that was read line by line when it was written.
func TestForms(t *testing.T) {
	endings := map[string]string{"shell": ".sh", "json": ".json", "terraform": ".tf", "steps": ".txt"}
	for _, provider := range all {
		plan, found := Render(company(provider))
		if len(found) > 0 {
			t.Fatalf("%s: findings: %v", provider, found)
		}
		for _, form := range provider.Forms() {
			got, err := plan.Form(form)
			if err != nil {
				t.Fatal(err)
			}
			name := "testdata/" + string(provider) + endings[form]
			want, err := os.ReadFile(name)
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(string(want), string(got)); diff != "" {
				t.Errorf("%s (-want +got):\n%s", name, diff)
			}
		}
	}
}

// TestNoForm: a form that a provider has not is refused with those that it has.
func TestNoForm(t *testing.T) {
	for _, test := range []struct {
		provider Provider
		form     string
		want     string
	}{
		{Okta, "json", "json: not a form for this provider: it has terraform, steps"},
		{Keycloak, "terraform", "terraform: not a form for this provider: it has shell, json, steps"},
		{Google, "table", "table: not a form for this provider: it has steps, terraform"},
	} {
		plan, _ := Render(company(test.provider))
		if _, err := plan.Form(test.form); !errors.Is(err, ErrNoForm) || err.Error() != test.want {
			t.Errorf("%s: %v, want %s", test.provider, err, test.want)
		}
	}
}

// TestOrder: what is rendered is the same, whatever the order of groups and pods.
func TestOrder(t *testing.T) {
	for _, provider := range all {
		s, turned := company(provider), company(provider)
		for i, j := 0, len(turned.Groups)-1; i < j; i, j = i+1, j-1 {
			turned.Groups[i], turned.Groups[j] = turned.Groups[j], turned.Groups[i]
		}
		if len(turned.Pods) == 2 {
			turned.Pods[0], turned.Pods[1] = turned.Pods[1], turned.Pods[0]
			turned.Pods[1].Audiences = []string{"prod-eu", "prod-us"}
		}
		for _, form := range provider.Forms() {
			one, _ := Render(s)
			other, _ := Render(turned)
			a, errA := one.Form(form)
			b, errB := other.Form(form)
			if diff := cmp.Diff(string(a), string(b)); diff != "" || errA != nil || errB != nil {
				t.Errorf("%s %s: %v, %v\n%s", provider, form, errA, errB, diff)
			}
		}
	}
}
