package trustkube

import (
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/podpass-io/podpass/federation/trust/kubetrust"
)

const tenant = "11111111-2222-3333-4444-555555555555"

// presets has an issuer of each preset.
var presets = []kubetrust.Issuer{
	{Preset: kubetrust.Keycloak, URL: "https://login.example.com/realms/prod", Audiences: []string{"a"}},
	{Preset: kubetrust.Okta, URL: "https://example.okta.com", Audiences: []string{"a"}},
	{Preset: kubetrust.Entra, Tenant: tenant, Audiences: []string{"a"}, GroupNames: map[string]string{"g-1": "developers"}},
	{Preset: kubetrust.Google, Domains: []string{"example.com", "example.org"}, Audiences: []string{"a"}},
	{Preset: kubetrust.Auth0, URL: "https://example.eu.auth0.com/", Audiences: []string{"a"}, GroupsClaim: "https://example.com/groups"},
	{Preset: kubetrust.OIDC, Name: "dex", URL: "https://dex.example.com", Audiences: []string{"a", "b"}},
	{Preset: kubetrust.GitHub, Owners: []string{"example"}, Audiences: []string{"a"}},
	{Preset: kubetrust.GitLab, Owners: []string{"example"}, Audiences: []string{"a"}},
	{Preset: kubetrust.Pods, Name: "prod-eu", URL: "https://oidc.example.com/prod-eu", Audiences: []string{"a"}},
}

// TestClusterPresets: a real API server starts with what is rendered for all presets at
// once, reads it while it runs, and makes the users of them that they promise.
func TestClusterPresets(t *testing.T) {
	i := newIssuer(t)
	render := func(t *testing.T, issuers []kubetrust.Issuer) []byte {
		t.Helper()
		plan, found := kubetrust.Render(kubetrust.Spec{Issuers: issuers}, kubetrust.Options{})
		if len(found) > 0 {
			t.Fatalf("found %v", found)
		}
		raw, err := plan.YAML()
		if err != nil {
			t.Fatal(err)
		}
		return raw
	}
	var issuers []kubetrust.Issuer
	for _, p := range presets {
		// The URLs that presets add are known once they are rendered.
		plan, _ := kubetrust.Render(kubetrust.Spec{Issuers: []kubetrust.Issuer{p}}, kubetrust.Options{})
		p.DiscoveryURL, p.CertificateAuthority = i.discovery(plan.Issuers[0].Issuer.URL), i.ca
		issuers = append(issuers, p)
	}
	s := startServer(t, render(t, issuers))
	for name, test := range map[string]struct {
		claims   map[string]any
		username string // empty: refused
		groups   []string
	}{
		"keycloak":              {map[string]any{"iss": "https://login.example.com/realms/prod", "sub": "u", "groups": []any{"sre"}}, "keycloak:u", []string{"keycloak:sre"}},
		"okta":                  {map[string]any{"iss": "https://example.okta.com", "sub": "u", "groups": []any{"Everyone"}}, "okta:u", []string{"okta:Everyone"}},
		"entra":                 {map[string]any{"iss": "https://login.microsoftonline.com/" + tenant + "/v2.0", "sub": "p", "oid": "o", "tid": tenant, "groups": []any{"g-1", "g-2"}}, "entra:o", []string{"entra:developers", "entra:g-2"}},
		"entra, another tenant": {map[string]any{"iss": "https://login.microsoftonline.com/" + tenant + "/v2.0", "sub": "p", "oid": "o", "tid": "other"}, "", nil},
		"entra, too many groups": {map[string]any{"iss": "https://login.microsoftonline.com/" + tenant + "/v2.0", "sub": "p", "oid": "o", "tid": tenant, "_claim_names": map[string]any{"groups": "s"},
			"_claim_sources": map[string]any{"s": map[string]any{"endpoint": "https://127.0.0.1:1"}}}, "", nil},
		"google":                  {map[string]any{"iss": "https://accounts.google.com", "sub": "1", "hd": "example.org"}, "google:1", nil},
		"google, a private one":   {map[string]any{"iss": "https://accounts.google.com", "sub": "1"}, "", nil},
		"auth0":                   {map[string]any{"iss": "https://example.eu.auth0.com/", "sub": "auth0|1", "https://example.com/groups": []any{"sre"}}, "auth0:auth0|1", []string{"auth0:sre"}},
		"any provider":            {map[string]any{"iss": "https://dex.example.com", "sub": "u"}, "dex:u", nil},
		"github":                  {map[string]any{"iss": "https://token.actions.githubusercontent.com", "sub": "s", "repository": "example/shop", "repository_owner": "example", "ref": "refs/heads/main"}, "github:s", []string{"github:owner:example", "github:repository:example/shop", "github:ref:example/shop:refs/heads/main"}},
		"github, another's":       {map[string]any{"iss": "https://token.actions.githubusercontent.com", "sub": "s", "repository": "evil/shop", "repository_owner": "evil", "ref": "r"}, "", nil},
		"gitlab":                  {map[string]any{"iss": "https://gitlab.com", "sub": "s", "namespace_path": "example/team", "project_path": "example/team/shop"}, "gitlab:s", []string{"gitlab:namespace:example/team", "gitlab:project:example/team/shop"}},
		"a pod":                   {map[string]any{"iss": "https://oidc.example.com/prod-eu", "sub": "system:serviceaccount:shop:orders"}, "prod-eu:system:serviceaccount:shop:orders", []string{"prod-eu:system:serviceaccounts", "prod-eu:system:serviceaccounts:shop"}},
		"a node of that cluster":  {map[string]any{"iss": "https://oidc.example.com/prod-eu", "sub": "system:node:a"}, "", nil},
		"a name with five pieces": {map[string]any{"iss": "https://oidc.example.com/prod-eu", "sub": "system:serviceaccount:shop:orders:x"}, "", nil},
	} {
		t.Run(name, func(t *testing.T) {
			test.claims["aud"] = "a"
			got := s.whoami(t, Case{Claims: test.claims}.encoded(t, i, ""))
			if got == nil {
				if test.username != "" {
					t.Errorf("401, want %s", test.username)
				}
				return
			}
			want := append(slices.Clone(test.groups), "system:authenticated")
			if got.Username != test.username || !cmp.Equal(got.Groups, want) {
				t.Errorf("got %s in %q, want %s in %q", got.Username, got.Groups, test.username, want)
			}
		})
	}
	slices.Reverse(issuers) // another text: the server reads it, and takes all of it or nothing
	if !s.reload(t, render(t, issuers)) {
		t.Error("the API server does not take what is rendered when it reads it while it runs")
	}
}
