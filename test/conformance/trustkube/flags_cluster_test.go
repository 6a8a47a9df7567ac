package trustkube

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/podpass-io/podpass/federation/trust/kubetrust"
)

// TestClusterFlags: a real API server that is given the --oidc-* flags makes the users that
// the rendered configuration promises, and refuses the same tokens.
func TestClusterFlags(t *testing.T) {
	s, i := newServer(t), newIssuer(t)
	type answer struct {
		claims map[string]any
		groups []string
		as     string // empty: refused
	}
	for _, test := range []struct {
		issuer  kubetrust.Issuer
		answers map[string]answer
	}{
		{
			kubetrust.Issuer{Preset: kubetrust.Keycloak, URL: i.at("/realms/prod"), Audiences: []string{"kubernetes"}},
			map[string]answer{
				"in groups":           {map[string]any{"sub": "u", "aud": "kubernetes", "groups": []any{"sre"}}, []string{"keycloak:sre"}, "keycloak:u"},
				"in one":              {map[string]any{"sub": "u", "aud": "kubernetes", "groups": "sre"}, []string{"keycloak:sre"}, "keycloak:u"},
				"in none":             {map[string]any{"sub": "u", "aud": "kubernetes"}, nil, "keycloak:u"},
				"for another cluster": {map[string]any{"sub": "u", "aud": "kubernetes-staging"}, nil, ""},
				"of another realm":    {map[string]any{"sub": "u", "aud": "kubernetes", "iss": i.at("/realms/staging")}, nil, ""},
			},
		},
		{
			kubetrust.Issuer{Preset: kubetrust.Auth0, URL: i.at("/"), Audiences: []string{"kubernetes"}, GroupsClaim: "https://example.com/groups"},
			map[string]answer{
				"in groups": {map[string]any{"sub": "auth0|1", "aud": "kubernetes", "https://example.com/groups": []any{"sre"}}, []string{"auth0:sre"}, "auth0:auth0|1"},
				"ended":     {map[string]any{"sub": "auth0|1", "aud": "kubernetes", "exp": 1}, nil, ""},
			},
		},
	} {
		t.Run(test.issuer.Preset, func(t *testing.T) {
			test.issuer.CertificateAuthority = i.ca
			plan, found := kubetrust.Render(kubetrust.Spec{Issuers: []kubetrust.Issuer{test.issuer}}, kubetrust.Options{})
			if len(found) > 0 {
				t.Fatalf("found %v", found)
			}
			flags, _ := plan.Flags()
			s.restart(t, here(t, flags, i.ca)...)
			configuration, err := plan.YAML()
			if err != nil {
				t.Fatal(err)
			}
			for name, a := range test.answers {
				t.Run(name, func(t *testing.T) {
					if a.claims["iss"] == nil {
						a.claims["iss"] = test.issuer.URL
					}
					c := Case{Claims: a.claims}
					if a.claims["exp"] != nil {
						c.Expires = "-1h"
					}
					token := c.encoded(t, i, s.Issuer)
					byFile := verdict(t.Context(), i, configuration, token, s.Issuer)
					if byFile.Allowed != (a.as != "") {
						t.Errorf("by the configuration the token is taken: %t", byFile.Allowed)
					}
					got := s.whoami(t, token)
					if got == nil || a.as == "" {
						if (got == nil) != (a.as == "") {
							t.Errorf("got %v, want %q", got, a.as)
						}
						return
					}
					if got.Username != a.as || byFile.User.Username != a.as {
						t.Errorf("got %s, and %s by the configuration, want %s", got.Username, byFile.User.Username, a.as)
					}
					if diff := cmp.Diff(append(slices.Clone(a.groups), "system:authenticated"), got.Groups); diff != "" {
						t.Errorf("groups: -want +got\n%s", diff)
					}
				})
			}
		})
	}
}

// here are the flags with the certificate authority's file where the test may write it.
func here(t *testing.T, flags []string, ca string) []string {
	t.Helper()
	const name = "--oidc-ca-file="
	n := slices.IndexFunc(flags, func(f string) bool { return strings.HasPrefix(f, name) })
	if n < 0 {
		t.Fatalf("no %s in %q", name, flags)
	}
	file := filepath.Join(t.TempDir(), filepath.Base(strings.TrimPrefix(flags[n], name)))
	if err := os.WriteFile(file, []byte(ca), 0o600); err != nil {
		t.Fatal(err)
	}
	return slices.Replace(slices.Clone(flags), n, n+1, name+file)
}
