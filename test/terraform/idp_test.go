package terraform

import (
	"encoding/json"
	"fmt"
	"maps"
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/hashicorp/hcl/v2"
	"github.com/hashicorp/hcl/v2/hclsyntax"

	"github.com/podpass-io/podpass/federation/trust/idp"
)

// setups are of an environment with two clusters, and all that a provider has.
func setups() map[string]idp.Setup {
	clusters := func() []idp.Cluster { return []idp.Cluster{{Name: "prod-eu"}, {Name: "prod-us"}} }
	entra := idp.Setup{
		Provider: idp.Entra, Tenant: "99999999-8888-7777-6666-555555555555", GroupNames: true, Clusters: clusters(), Groups: []string{"${sre}", "dev \"ops\""},
		Pods: []idp.Pod{{Cluster: "prod-eu", Namespace: "ci", ServiceAccount: "runner", Audiences: []string{"prod-us"}}},
	}
	entra.Clusters[0].Issuer = "https://oidc.example.com/$${prod}"
	return map[string]idp.Setup{
		"okta":   {Provider: idp.Okta, Environment: "prod", Clusters: clusters(), Groups: []string{"${sre}", "dev \"ops\""}},
		"entra":  entra,
		"google": {Provider: idp.Google, Domain: "example.com", Clusters: clusters(), Groups: []string{"sre@example.com", "dev-ops@example.com"}},
		"auth0":  {Provider: idp.Auth0, Environment: "prod", Domain: "example.eu.auth0.com", Clusters: clusters(), Groups: []string{"${sre}", "%{dev} \"ops\""}},
	}
}

func terraform(t *testing.T, s idp.Setup) []byte {
	t.Helper()
	plan, found := idp.Render(s)
	if len(found) > 0 {
		t.Fatal(found)
	}
	source, err := plan.Form("terraform")
	if err != nil {
		t.Fatal(err)
	}
	return source
}

// published are arguments and nested blocks of resources, as their providers document them.
func published(t *testing.T) map[string][]string {
	t.Helper()
	raw, err := os.ReadFile("testdata/providers.json")
	if err != nil {
		t.Fatal(err)
	}
	var all map[string][]string
	if err := json.Unmarshal(raw, &all); err != nil {
		t.Fatal(err)
	}
	return all
}

// TestIdentityProviders: each resource exists, has only arguments that its provider documents,
// and refers only to what is there.
func TestIdentityProviders(t *testing.T) {
	documented := published(t)
	used := map[string]bool{}
	for name, s := range setups() {
		t.Run(name, func(t *testing.T) {
			f := parse(t, terraform(t, s))
			for _, address := range f.addresses {
				kind, _, _ := strings.Cut(strings.TrimPrefix(address, "data."), ".")
				if strings.HasPrefix(address, "data.") {
					kind = "data." + kind
				}
				body := f.resources[address]
				if kind != "output" {
					documentedBlock(t, documented, used, kind, body)
				}
				for _, expression := range expressions(body) {
					for _, traversal := range expression.Variables() {
						if target := target(traversal); f.resources[target] == nil {
							t.Errorf("%s refers to %s, which is not there", address, target)
						}
					}
				}
			}
		})
	}
	for kind := range documented {
		if !used[kind] && kind != "source" {
			t.Errorf("testdata/providers.json has %s, which nothing uses", kind)
		}
	}
}

// documentedBlock holds a block and those within it against the documentation.
func documentedBlock(t *testing.T, documented map[string][]string, used map[string]bool, kind string, body *hclsyntax.Body) {
	t.Helper()
	used[kind] = true
	known := documented[kind]
	if known == nil {
		t.Errorf("%s is no resource that is known", kind)
		return
	}
	for _, name := range slices.Sorted(maps.Keys(body.Attributes)) {
		if !slices.Contains(known, name) {
			t.Errorf("%s has no argument %s", kind, name)
		}
	}
	for _, b := range body.Blocks {
		if !slices.Contains(known, b.Type+" {}") {
			t.Errorf("%s has no block %s", kind, b.Type)
			continue
		}
		documentedBlock(t, documented, used, kind+"."+b.Type, b.Body)
	}
}

// expressions of a body and of what is in it.
func expressions(body *hclsyntax.Body) []hclsyntax.Expression {
	var list []hclsyntax.Expression
	for _, a := range body.Attributes {
		list = append(list, a.Expr)
	}
	for _, b := range body.Blocks {
		list = append(list, expressions(b.Body)...)
	}
	return list
}

// target of a reference, as an address.
func target(traversal hcl.Traversal) string {
	parts := []string{traversal.RootName()}
	want := 2
	if parts[0] == "data" {
		want = 3
	}
	for _, step := range traversal[1:] {
		if a, ok := step.(hcl.TraverseAttr); ok && len(parts) < want {
			parts = append(parts, a.Name)
		}
	}
	return strings.Join(parts, ".")
}

// TestIdentityProviderValues: what people named is read as it was written.
func TestIdentityProviderValues(t *testing.T) {
	all := setups()
	for _, test := range []struct{ provider, address, attribute, want string }{
		{"okta", "data.okta_group.sre", "name", "${sre}"},
		{"okta", "okta_app_oauth.prod_eu", "client_id", "kubernetes-prod-eu"},
		{"okta", "okta_app_oauth.prod_eu", "token_endpoint_auth_method", "none"},
		{"okta", "okta_auth_server_claim.kubernetes_prod", "value", `^(\$\{sre\}|dev "ops")$`},
		{"entra", "data.azuread_group.dev_ops", "display_name", `dev "ops"`},
		{"entra", "azuread_application_federated_identity_credential.pod_prod_eu_ci_runner", "issuer", "https://oidc.example.com/$${prod}"},
		{"entra", "azuread_application_federated_identity_credential.pod_prod_eu_ci_runner", "subject", "system:serviceaccount:ci:runner"},
		{"entra", "output.issuer", "value", "https://login.microsoftonline.com/99999999-8888-7777-6666-555555555555/v2.0"},
		{"auth0", "output.issuer", "value", "https://example.eu.auth0.com/"},
		{"auth0", "auth0_role.sre", "name", "${sre}"},
		{"google", "data.google_organization.company", "domain", "example.com"},
	} {
		f := parse(t, terraform(t, all[test.provider]))
		if got := f.value(t, test.address, test.attribute).AsString(); got != test.want {
			t.Errorf("%s %s = %q, want %q", test.address, test.attribute, got, test.want)
		}
	}
	code := parse(t, terraform(t, all["auth0"])).value(t, "auth0_action.kubernetes_prod", "code").AsString()
	if !strings.HasPrefix(code, "exports.onExecutePostLogin = ") || !strings.Contains(code, `const known = ["${sre}","%{dev} \"ops\""];`) || !strings.HasSuffix(code, "\n};\n") {
		t.Errorf("the Action is\n%s", code)
	}
}

// TestManyGroups: lists that are too long for a line are laid out as terraform fmt does it.
func TestManyGroups(t *testing.T) {
	for _, provider := range []string{"okta", "entra", "auth0"} {
		s := setups()[provider]
		for n := range 12 {
			s.Groups = append(s.Groups, fmt.Sprintf("a-team-with-a-name-%d", n))
		}
		s.RedirectURIs = []string{"http://localhost:8000/a-path-that-is-long", "http://localhost:18000/a-path-that-is-long", "http://127.0.0.1:8000/a-path"}
		parse(t, terraform(t, s))
	}
}
