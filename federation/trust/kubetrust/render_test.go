package kubetrust

import (
	"testing"

	"github.com/google/go-cmp/cmp"
)

const tenant = "11111111-2222-3333-4444-555555555555"

// each has an issuer of each preset, as somebody would write it.
const each = `issuers:
- {preset: keycloak, url: "https://login.example.com/realms/prod", audiences: [kubernetes]}
- {preset: okta, url: "https://example.okta.com", audiences: [0oa1]}
- {preset: entra, tenant: 11111111-2222-3333-4444-555555555555, audiences: [app], groupNames: {"99999999-0000-0000-0000-000000000000": "o'developers"}}
- {preset: google, domains: [example.com], audiences: [client.apps.googleusercontent.com]}
- {preset: auth0, url: "https://example.eu.auth0.com/", audiences: [client], groupsClaim: "https://example.com/groups"}
- {preset: oidc, name: dex, url: "https://dex.example.com", audiences: [a, b]}
- {preset: github, owners: [example], audiences: ["https://prod.example.com"]}
- {preset: gitlab, owners: [example, other/sub], audiences: ["https://prod.example.com"]}
- {preset: cluster, name: prod-eu, url: "https://oidc.example.com/prod-eu", audiences: ["https://prod-us.example.com"]}
`

func plan(t testing.TB, spec string) *Plan {
	t.Helper()
	s, err := ParseSpec([]byte(spec))
	if err != nil {
		t.Fatal(err)
	}
	p, found := Render(s, Options{})
	if len(found) > 0 {
		t.Fatalf("found %v", found)
	}
	return p
}

// TestPresets: the user that each preset makes of a token as the provider documents it.
func TestPresets(t *testing.T) {
	raw, err := plan(t, each).YAML()
	if err != nil {
		t.Fatal(err)
	}
	d := document(t, string(raw))
	for name, test := range map[string]struct {
		claims map[string]any
		want   User
	}{
		"keycloak": {
			map[string]any{"iss": "https://login.example.com/realms/prod", "aud": "kubernetes", "sub": "u1", "preferred_username": "ada", "groups": []any{"developers", "sre"}},
			User{"keycloak:u1", "", []string{"keycloak:developers", "keycloak:sre", "system:authenticated"}, map[string][]string{"podpass.io/shown-name": {"ada"}}},
		},
		"okta without groups": {
			map[string]any{"iss": "https://example.okta.com", "aud": "0oa1", "sub": "00u1"},
			User{"okta:00u1", "", []string{"system:authenticated"}, nil},
		},
		"entra": {
			map[string]any{"iss": "https://login.microsoftonline.com/" + tenant + "/v2.0", "aud": "app", "sub": "pairwise", "oid": "o1", "tid": tenant, "groups": []any{"99999999-0000-0000-0000-000000000000", "8"}},
			User{"entra:o1", "", []string{"entra:o'developers", "entra:8", "system:authenticated"}, nil},
		},
		"google": {
			map[string]any{"iss": "accounts.google.com", "aud": "client.apps.googleusercontent.com", "sub": "10", "hd": "example.com", "email": "ada@example.com"},
			User{"google:10", "", []string{"system:authenticated"}, map[string][]string{"podpass.io/shown-name": {"ada@example.com"}}},
		},
		"auth0": {
			map[string]any{"iss": "https://example.eu.auth0.com/", "aud": []any{"client"}, "sub": "auth0|1", "https://example.com/groups": "one"},
			User{"auth0:auth0|1", "", []string{"auth0:one", "system:authenticated"}, nil},
		},
		"oidc": {
			map[string]any{"iss": "https://dex.example.com", "aud": "b", "sub": "d"},
			User{"dex:d", "", []string{"system:authenticated"}, nil},
		},
		"github": {
			map[string]any{"iss": "https://token.actions.githubusercontent.com", "aud": "https://prod.example.com", "sub": "repo:example/shop:ref:refs/heads/main", "repository": "example/shop", "repository_owner": "example", "ref": "refs/heads/main", "environment": "prod", "actor": "ada", "run_id": "7"},
			User{"github:repo:example/shop:ref:refs/heads/main", "", []string{"github:owner:example", "github:repository:example/shop", "github:ref:example/shop:refs/heads/main", "github:environment:example/shop:prod", "system:authenticated"}, map[string][]string{"podpass.io/actor": {"ada"}, "podpass.io/run": {"7"}}},
		},
		"gitlab": {
			map[string]any{"iss": "https://gitlab.com", "aud": "https://prod.example.com", "sub": "project_path:other/sub/shop:ref_type:branch:ref:main", "namespace_path": "other/sub", "project_path": "other/sub/shop", "ref_protected": "true", "pipeline_id": "9", "user_login": "ada"},
			User{"gitlab:project_path:other/sub/shop:ref_type:branch:ref:main", "", []string{"gitlab:namespace:other/sub", "gitlab:project:other/sub/shop", "gitlab:protected:other/sub/shop", "system:authenticated"}, map[string][]string{"podpass.io/actor": {"ada"}, "podpass.io/run": {"9"}}},
		},
		"a pod": {
			map[string]any{"iss": "https://oidc.example.com/prod-eu", "aud": []any{"https://prod-us.example.com"}, "sub": "system:serviceaccount:shop:orders", "jti": "j", "kubernetes.io": map[string]any{"namespace": "shop", "serviceaccount": map[string]any{"name": "orders", "uid": "s-1"}, "pod": map[string]any{"name": "orders-0", "uid": "p-1"}}},
			User{
				"prod-eu:system:serviceaccount:shop:orders", "prod-eu:s-1", []string{"prod-eu:system:serviceaccounts", "prod-eu:system:serviceaccounts:shop", "system:authenticated"},
				map[string][]string{"authentication.kubernetes.io/credential-id": {"JTI=j"}, "podpass.io/pod-name": {"orders-0"}, "podpass.io/pod-uid": {"p-1"}},
			},
		},
	} {
		t.Run(name, func(t *testing.T) {
			v := Evaluate(t.Context(), d, Token{Claims: test.claims})
			if !v.Allowed {
				t.Fatalf("refused: %v", v.Findings)
			}
			if diff := cmp.Diff(test.want, *v.User); diff != "" {
				t.Errorf("-want +got\n%s", diff)
			}
		})
	}
}

// TestPresetsRefuse: what a preset is there to keep out.
func TestPresetsRefuse(t *testing.T) {
	raw, err := plan(t, each).YAML()
	if err != nil {
		t.Fatal(err)
	}
	d := document(t, string(raw))
	for name, test := range map[string]struct {
		claims map[string]any
		want   []string
	}{
		"another tenant":                 {map[string]any{"iss": "https://login.microsoftonline.com/" + tenant + "/v2.0", "aud": "app", "sub": "x", "oid": "o", "tid": "other"}, []string{"WI325"}},
		"too many groups":                {map[string]any{"iss": "https://login.microsoftonline.com/" + tenant + "/v2.0", "aud": "app", "sub": "x", "oid": "o", "tid": tenant, "_claim_names": map[string]any{"groups": "src1"}, "_claim_sources": map[string]any{"src1": map[string]any{"endpoint": "https://graph.example.com"}}}, []string{"WI324"}},
		"an account of no workspace":     {map[string]any{"iss": "https://accounts.google.com", "aud": "client.apps.googleusercontent.com", "sub": "10"}, []string{"WI325"}},
		"another owner":                  {map[string]any{"iss": "https://token.actions.githubusercontent.com", "aud": "https://prod.example.com", "sub": "s", "repository": "evil/shop", "repository_owner": "evil", "ref": "r"}, []string{"WI325"}},
		"a group that begins like ours":  {map[string]any{"iss": "https://gitlab.com", "aud": "https://prod.example.com", "sub": "s", "namespace_path": "example-evil", "project_path": "example-evil/shop"}, []string{"WI326"}},
		"a subject that is no account's": {map[string]any{"iss": "https://oidc.example.com/prod-eu", "aud": "https://prod-us.example.com", "sub": "system:masters"}, []string{"WI326", "WI323"}},
	} {
		t.Run(name, func(t *testing.T) {
			v := Evaluate(t.Context(), d, Token{Claims: test.claims})
			if v.Allowed {
				t.Fatalf("let in as %v", v.User)
			}
			if diff := cmp.Diff(test.want, codesOf(v.Findings)); diff != "" {
				t.Errorf("-want +got\n%s%v", diff, v.Findings)
			}
		})
	}
}
