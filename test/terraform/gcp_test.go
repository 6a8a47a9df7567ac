package terraform

import (
	"encoding/json"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/hashicorp/hcl/v2"

	"github.com/podpass-io/podpass/federation/trust"
	"github.com/podpass-io/podpass/federation/trust/gcptrust"
)

// TestGCP: a provider with an audience of its own, one with uploaded keys, a service
// account of both clusters, and a role without one.
func TestGCP(t *testing.T) {
	const pools = "projects/123456789012/locations/global/workloadIdentityPools/"
	asks := func(provider string, more ...string) map[string]string {
		annotations := map[string]string{"cloud.google.com/workload-identity-provider": pools + provider}
		for n := 0; n < len(more); n += 2 {
			annotations[more[n]] = more[n+1]
		}
		return annotations
	}
	const email, audience, serviceAccount = "cloud.google.com/service-account-email", "cloud.google.com/audience", "orders@example-project.iam.gserviceaccount.com"
	home := account("home", "https://kubernetes.default.svc", "lab", "it", asks("home/providers/home", email, serviceAccount))
	home.Cluster.JWKS = []byte(`{"keys":[{"kty":"RSA","kid":"${1}","n":"AQAB","e":"AQAB"}]}`)
	p, found := gcptrust.Render([]trust.Account{
		account("prod", "https://oidc.example.com/${prod}", "shop", "orders", asks("prod/providers/main", email, serviceAccount, audience, "sts.googleapis.com")), home,
		account("prod", "https://oidc.example.com/${prod}", "shop", "direct", asks("prod/providers/main", audience, "sts.googleapis.com")),
	}, gcptrust.Options{Role: "roles/storage.objectViewer", Project: "example-project"})
	if len(found) > 0 {
		t.Fatal(found)
	}
	source, err := p.Terraform()
	if err != nil {
		t.Fatal(err)
	}
	f := parse(t, source)
	const (
		prodPool, homePool         = "google_iam_workload_identity_pool.prod_123456789012", "google_iam_workload_identity_pool.home_123456789012"
		prodProvider, homeProvider = "google_iam_workload_identity_pool_provider.prod_123456789012_main", "google_iam_workload_identity_pool_provider.home_123456789012_home"
		direct, orders, it         = "google_project_iam_member.example_project_shop_direct_of_prod", "google_service_account_iam_member.orders_shop_orders_of_prod", "google_service_account_iam_member.orders_lab_it_of_home"
	)
	if diff := cmp.Diff([]string{homePool, prodPool, homeProvider, prodProvider, direct, it, orders}, f.addresses); diff != "" {
		t.Errorf("resources (-want +got):\n%s", diff)
	}
	for _, test := range []struct{ address, attribute, want string }{
		{prodPool, "project", "123456789012"},
		{prodPool, "workload_identity_pool_id", "prod"},
		{prodProvider, "workload_identity_pool_provider_id", "main"},
		{direct, "project", "example-project"},
		{direct, "role", "roles/storage.objectViewer"},
		{direct, "member", "principal://iam.googleapis.com/" + pools + "prod/subject/system:serviceaccount:shop:direct"},
		{orders, "service_account_id", "projects/example-project/serviceAccounts/" + serviceAccount},
		{orders, "role", "roles/iam.workloadIdentityUser"},
		{it, "member", "principal://iam.googleapis.com/" + pools + "home/subject/system:serviceaccount:lab:it"},
	} {
		if got := f.value(t, test.address, test.attribute).AsString(); got != test.want {
			t.Errorf("%s %s = %q, want %q", test.address, test.attribute, got, test.want)
		}
	}
	mapping := f.value(t, prodProvider, "attribute_mapping").AsValueMap()
	if got := mapping["attribute.namespace"].AsString(); len(mapping) != 3 || got != "assertion['kubernetes.io']['namespace']" {
		t.Errorf("%d attributes, and namespace from %s", len(mapping), got)
	}
	for _, test := range []struct {
		address, attribute string
		want               []string
	}{
		{prodProvider, "workload_identity_pool_id", []string{prodPool}},
		{homeProvider, "project", []string{homePool}},
		{orders, "depends_on", []string{prodPool}},
		{it, "depends_on", []string{homePool}},
	} {
		if diff := cmp.Diff(test.want, f.references(t, test.address, test.attribute)); diff != "" {
			t.Errorf("%s %s (-want +got):\n%s", test.address, test.attribute, diff)
		}
	}
	if got := f.inner(t, prodProvider, "oidc", "issuer_uri"); got != "https://oidc.example.com/${prod}" {
		t.Errorf("issuer_uri = %q", got)
	}
	var keys struct{ Keys []struct{ Kid string } }
	if err := json.Unmarshal([]byte(f.inner(t, homeProvider, "oidc", "jwks_json")), &keys); err != nil || len(keys.Keys) != 1 || keys.Keys[0].Kid != "${1}" {
		t.Errorf("jwks_json: %v, %+v", err, keys)
	}
}

// inner is the text of an attribute of a block within a resource.
func (f file) inner(t *testing.T, address, block, attribute string) string {
	t.Helper()
	for _, b := range f.resources[address].Blocks {
		if b.Type == block && b.Body.Attributes[attribute] != nil {
			v, problems := b.Body.Attributes[attribute].Expr.Value(&hcl.EvalContext{})
			if problems.HasErrors() {
				t.Fatal(problems)
			}
			return v.AsString()
		}
	}
	t.Fatalf("%s has no %s %s", address, block, attribute)
	return ""
}
