package terraform

import (
	"encoding/json"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/podpass-io/podpass/federation/serviceaccount"
	"github.com/podpass-io/podpass/federation/trust"
	"github.com/podpass-io/podpass/federation/trust/awstrust"
)

func account(cluster, issuer, namespace, name string, annotations map[string]string) trust.Account {
	return trust.Account{Cluster: trust.Cluster{Name: cluster, Issuer: issuer}, Namespace: namespace, Name: name, Answer: serviceaccount.Resolve(
		serviceaccount.Request{Namespace: namespace, Name: name, Annotations: annotations, AnyPod: true}, serviceaccount.Installation{})}
}

const (
	orders  = "arn:aws:iam::111122223333:role/orders"
	partner = "arn:aws:iam::444455556666:role/team/orders"
)

// TestAWS: two clusters, a role that they share, and a chain into another account, whose
// role has the same name.
func TestAWS(t *testing.T) {
	p, found := awstrust.Render([]trust.Account{
		account("prod", "https://oidc.example.com/${prod}", "shop", "orders", map[string]string{
			"eks.amazonaws.com/role-arn": orders, "podpass.io/aws-assume-role-arn": partner, "podpass.io/aws-external-id": "orders-42",
		}),
		account("", "https://oidc.example.com/2", "shop", "orders", map[string]string{"eks.amazonaws.com/role-arn": orders, "podpass.io/aws-session-duration": "7200"}),
	}, awstrust.Options{Thumbprints: []string{"9e99a48a9960b14926bb7f3b02e22da2b0ab7280"}})
	if len(found) > 0 {
		t.Fatal(found)
	}
	source, err := p.Terraform()
	if err != nil {
		t.Fatal(err)
	}
	f := parse(t, source)
	if diff := cmp.Diff([]string{
		"aws_iam_openid_connect_provider.prod", "aws_iam_openid_connect_provider.oidc_example_com_2",
		"aws_iam_role.orders", "aws_iam_role_policy.orders", "aws_iam_role.orders_2",
	}, f.addresses); diff != "" {
		t.Errorf("resources (-want +got):\n%s", diff)
	}
	for _, test := range []struct{ address, attribute, want string }{
		{"aws_iam_openid_connect_provider.prod", "url", "https://oidc.example.com/${prod}"},
		{"aws_iam_openid_connect_provider.oidc_example_com_2", "url", "https://oidc.example.com/2"},
		{"aws_iam_role.orders", "name", "orders"},
		{"aws_iam_role.orders", "path", "/"},
		{"aws_iam_role.orders_2", "path", "/team/"},
		{"aws_iam_role_policy.orders", "name", "podpass-assume-role"},
	} {
		if got := f.value(t, test.address, test.attribute).AsString(); got != test.want {
			t.Errorf("%s %s = %q, want %q", test.address, test.attribute, got, test.want)
		}
	}
	for _, attribute := range []string{"client_id_list", "thumbprint_list"} {
		if n := f.value(t, "aws_iam_openid_connect_provider.prod", attribute).LengthInt(); n != 1 {
			t.Errorf("%s has %d values, want 1", attribute, n)
		}
	}
	if got, _ := f.value(t, "aws_iam_role.orders", "max_session_duration").AsBigFloat().Int64(); got != 7200 {
		t.Errorf("max_session_duration = %d, want 7200", got)
	}
	for _, test := range []struct {
		address, attribute string
		want               []string
	}{
		{"aws_iam_role.orders", "depends_on", []string{"aws_iam_openid_connect_provider.prod", "aws_iam_openid_connect_provider.oidc_example_com_2"}},
		{"aws_iam_role.orders_2", "depends_on", []string{"aws_iam_role.orders"}},
		{"aws_iam_role.orders_2", "provider", []string{"aws.account_444455556666"}},
		{"aws_iam_role_policy.orders", "provider", []string{"aws.account_111122223333"}},
		{"aws_iam_role_policy.orders", "role", []string{"aws_iam_role.orders"}},
	} {
		if diff := cmp.Diff(test.want, f.references(t, test.address, test.attribute)); diff != "" {
			t.Errorf("%s %s (-want +got):\n%s", test.address, test.attribute, diff)
		}
	}
	same(t, p, f)
}

// same holds the policies against those of the plan's JSON.
func same(t *testing.T, p *awstrust.Plan, f file) {
	t.Helper()
	raw, err := p.JSON()
	if err != nil {
		t.Fatal(err)
	}
	var out struct {
		Roles []struct {
			Arn                      string
			AssumeRolePolicyDocument any
		}
		RolePolicies []struct{ PolicyDocument any }
	}
	if err := json.Unmarshal(raw, &out); err != nil || len(out.Roles) != 2 || len(out.RolePolicies) != 1 {
		t.Fatalf("%v: %s", err, raw)
	}
	for _, test := range []struct {
		address, attribute string
		want               any
	}{
		{"aws_iam_role.orders", "assume_role_policy", out.Roles[0].AssumeRolePolicyDocument},
		{"aws_iam_role.orders_2", "assume_role_policy", out.Roles[1].AssumeRolePolicyDocument},
		{"aws_iam_role_policy.orders", "policy", out.RolePolicies[0].PolicyDocument},
	} {
		var got any
		if err := json.Unmarshal([]byte(f.value(t, test.address, test.attribute).AsString()), &got); err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(test.want, got); diff != "" {
			t.Errorf("%s %s (-JSON +Terraform):\n%s", test.address, test.attribute, diff)
		}
	}
}
