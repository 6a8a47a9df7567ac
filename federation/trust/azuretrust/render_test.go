package azuretrust

import (
	"fmt"
	"os"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/podpass-io/podpass/federation/serviceaccount"
	"github.com/podpass-io/podpass/federation/trust"
)

const (
	ordersClient = "11111111-2222-3333-4444-555555555555"
	otherClient  = "22222222-3333-4444-5555-666666666666"
	tenant       = "99999999-8888-7777-6666-555555555555"
	byClient     = "azure.workload.identity/client-id"
)

var (
	demo  = trust.Cluster{Name: "demo", Issuer: "https://oidc.example.com/demo"}
	other = trust.Cluster{Name: "other", Issuer: "https://oidc.example.com/other"}
)

// account is a ServiceAccount with what its annotations make of it.
func account(t *testing.T, c trust.Cluster, namespace, name string, annotations ...string) trust.Account {
	t.Helper()
	request := serviceaccount.Request{Namespace: namespace, Name: name, Annotations: map[string]string{}, AnyPod: true}
	for n := 0; n < len(annotations); n += 2 {
		request.Annotations[annotations[n]] = annotations[n+1]
	}
	installation := serviceaccount.Installation{}
	installation.Azure.TenantID, installation.Azure.Audience = tenant, "api://AzureADTokenExchange"
	return trust.Account{Cluster: c, Namespace: namespace, Name: name, Answer: serviceaccount.Resolve(request, installation)}
}

// fleet has two clusters, an identity that two ServiceAccounts share, and one with two.
func fleet(t *testing.T) []trust.Account {
	return []trust.Account{
		account(t, demo, "shop", "orders", byClient, ordersClient, serviceaccount.KeyAzureOtherClients, otherClient),
		account(t, demo, "shop", "cart.v2", byClient, ordersClient),
		account(t, other, "shop", "orders", byClient, strings.ToUpper(ordersClient)),
	}
}

// TestForms holds each form against a file that was read line by line when it was written.
func TestForms(t *testing.T) {
	for _, kind := range []string{"identity", "application"} {
		plan, found := Render(fleet(t), Options{Application: kind == "application"})
		if len(found) > 0 {
			t.Fatalf("findings: %v", found)
		}
		for ending, form := range map[string]func() ([]byte, error){"json": plan.JSON, "tf": plan.Terraform, "sh": plan.Shell} {
			got, err := form()
			if err != nil {
				t.Fatal(err)
			}
			name := "testdata/" + kind + "." + ending
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

func TestRenderFinds(t *testing.T) {
	many := func(n int) (list []trust.Account) {
		for i := range n {
			list = append(list, account(t, demo, "shop", fmt.Sprintf("orders-%d", i), byClient, ordersClient))
		}
		return list
	}
	for name, test := range map[string]struct {
		accounts []trust.Account
		want     []string // code and severity
	}{
		"nothing wrong":                  {fleet(t), nil},
		"nothing asked for":              {[]trust.Account{account(t, demo, "shop", "plain")}, []string{"WI275 info"}},
		"pods that are denied":           {[]trust.Account{account(t, demo, "shop", "orders", byClient, "orders")}, []string{"WI275 warning", "WI275 error"}},
		"an issuer only in the cluster":  {[]trust.Account{account(t, trust.Cluster{Issuer: "https://kubernetes.default.svc"}, "shop", "orders", byClient, ordersClient)}, []string{"WI263 error"}},
		"an issuer that is too long":     {[]trust.Account{account(t, trust.Cluster{Issuer: "https://oidc.example.com/" + strings.Repeat("x", 600)}, "shop", "orders", byClient, ordersClient)}, []string{"WI274 error"}},
		"as many as an identity takes":   {many(20), nil},
		"more than an identity takes":    {many(21), []string{"WI273 error"}},
		"two clusters with one issuer":   {[]trust.Account{account(t, demo, "a", "a", byClient, ordersClient), account(t, trust.Cluster{Name: "twin", Issuer: demo.Issuer}, "a", "a", byClient, ordersClient)}, nil},
		"the same ServiceAccount, twice": {append(many(20), many(20)...), nil},
	} {
		t.Run(name, func(t *testing.T) {
			_, found := Render(test.accounts, Options{})
			var got []string
			for _, f := range found {
				got = append(got, f.Code+" "+string(f.Severity))
			}
			if diff := cmp.Diff(test.want, got); diff != "" {
				t.Errorf("%s\n%v", diff, found)
			}
		})
	}
	a := account(t, demo, "shop", "orders", byClient, ordersClient)
	a.Answer.Azure.Audience = "https://kubernetes.default.svc"
	if _, found := Render([]trust.Account{a}, Options{}); len(found) != 1 || found[0].Code != CodeBroadAudience {
		t.Errorf("an audience for the API server: %v", found)
	}
}

// TestNames: what Entra takes (3 to 120 letters, digits, hyphens and underscores, a letter
// or a digit first), and different for different ServiceAccounts.
func TestNames(t *testing.T) {
	seen := map[string]string{}
	for _, a := range []trust.Account{
		{Cluster: demo, Namespace: "shop", Name: "orders"}, {Cluster: demo, Namespace: "shop-a", Name: "b"}, {Cluster: demo, Namespace: "shop", Name: "a-b"},
		{Cluster: demo, Namespace: "shop", Name: "a.b"}, {Cluster: trust.Cluster{Issuer: "https://a.example"}, Namespace: "a", Name: "b"}, {Cluster: trust.Cluster{Issuer: "https://b.example"}, Namespace: "a", Name: "b"},
		{Cluster: trust.Cluster{Name: "_käse/!"}, Namespace: "a", Name: "b"}, {Cluster: demo, Namespace: strings.Repeat("n", 63), Name: strings.Repeat("a", 253)},
		{Cluster: demo, Namespace: strings.Repeat("n", 63), Name: strings.Repeat("a", 252)}, {Cluster: trust.Cluster{Name: "demo_shop"}, Namespace: "a", Name: "b"}, {Cluster: demo, Namespace: "a", Name: "b"},
	} {
		name := nameOf(a)
		who := a.Cluster.Name + " " + a.Cluster.Issuer + " " + a.Namespace + "/" + a.Name
		if len(name) < 3 || len(name) > 120 || notName.MatchString(name) || strings.IndexAny(name, "-_") == 0 {
			t.Errorf("%s: %q is not a name", who, name)
		}
		if seen[name] != "" {
			t.Errorf("%q is the name of %s and of %s", name, seen[name], who)
		}
		seen[name] = who
	}
	if got := nameOf(trust.Account{Cluster: demo, Namespace: "shop", Name: "orders"}); got != "demo_shop_orders" {
		t.Errorf("got %s", got)
	}
}

// TestNobody: of no ServiceAccounts there is nothing to say, and the plan is empty.
func TestNobody(t *testing.T) {
	plan, found := Render(nil, Options{})
	if len(found) > 0 {
		t.Errorf("findings: %v", found)
	}
	got, err := plan.JSON()
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff("{\n  \"identities\": []\n}\n", string(got)); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}
