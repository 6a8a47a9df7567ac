package gcptrust

import (
	"os"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/podpass-io/podpass/federation/finding"
	"github.com/podpass-io/podpass/federation/serviceaccount"
	"github.com/podpass-io/podpass/federation/trust"
)

const (
	demoProvider = "projects/123456789012/locations/global/workloadIdentityPools/clusters/providers/demo"
	homeProvider = "projects/123456789012/locations/global/workloadIdentityPools/home/providers/k3s-1"
	ordersEmail  = "orders@example-project.iam.gserviceaccount.com"
	// a cluster's key, of which Google does not take the field x5t.
	homeKeys = `{"keys":[{"kty":"RSA","kid":"k'1","use":"sig","alg":"RS256","n":"AQAB","e":"AQAB","x5t":"no"}]}`
)

var (
	demo = trust.Cluster{Name: "demo", Issuer: "https://oidc.example.com/demo"}
	home = trust.Cluster{Name: "home", Issuer: "https://kubernetes.default.svc.cluster.local", JWKS: []byte(homeKeys)}
)

// account is a ServiceAccount with what its annotations make of it.
func account(t *testing.T, c trust.Cluster, namespace, name string, annotations ...string) trust.Account {
	t.Helper()
	request := serviceaccount.Request{Namespace: namespace, Name: name, Annotations: map[string]string{}, AnyPod: true}
	for n := 0; n < len(annotations); n += 2 {
		request.Annotations[annotations[n]] = annotations[n+1]
	}
	return trust.Account{Cluster: c, Namespace: namespace, Name: name, Answer: serviceaccount.Resolve(request, serviceaccount.Installation{})}
}

const (
	byProvider = "cloud.google.com/workload-identity-provider"
	byEmail    = "cloud.google.com/service-account-email"
	byAudience = "cloud.google.com/audience"
)

// fleet is one plan with all that a plan may have.
func fleet(t *testing.T) []trust.Account {
	return []trust.Account{
		account(t, demo, "shop", "orders", byProvider, demoProvider, byEmail, ordersEmail),
		account(t, demo, "shop", "cart", byProvider, demoProvider, byEmail, ordersEmail),
		account(t, demo, "shop", "reports", byProvider, demoProvider, byAudience, "sts.googleapis.com", byEmail, "reports@example-project.iam.gserviceaccount.com",
			serviceaccount.KeyGCPDelegates, "first@example-project.iam.gserviceaccount.com"),
		account(t, demo, "shop", "direct", byProvider, demoProvider),
		account(t, home, "lab", "it", byProvider, homeProvider, byEmail, ordersEmail),
		account(t, trust.Cluster{Name: "gke", Issuer: "https://container.googleapis.com/v1/projects/example-project/locations/europe-west3/clusters/gke"}, "shop", "orders",
			serviceaccount.KeyGCPProvider, "identitynamespace:example-project.svc.id.goog:https://container.googleapis.com/v1/projects/example-project/locations/europe-west3/clusters/gke", byEmail, ordersEmail),
	}
}

// rendered are the forms of the fleet's plan.
func rendered(t *testing.T) (*Plan, map[string]string) {
	t.Helper()
	plan, found := Render(fleet(t), Options{Role: "roles/storage.objectViewer", Project: "example-project"})
	if len(found) > 0 {
		t.Fatalf("findings: %v", found)
	}
	forms := map[string]string{}
	for name, form := range map[string]func() ([]byte, error){"plan.json": plan.JSON, "plan.tf": plan.Terraform, "plan.sh": plan.Shell} {
		b, err := form()
		if err != nil {
			t.Fatal(err)
		}
		forms[name] = string(b)
	}
	return plan, forms
}

// TestForms holds each form against a file that was read line by line when it was written.
func TestForms(t *testing.T) {
	_, forms := rendered(t)
	for name, got := range forms {
		want, err := os.ReadFile("testdata/" + name)
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(string(want), got); diff != "" {
			t.Errorf("%s (-want +got):\n%s", name, diff)
		}
	}
}

// TestOrder: the plan is the same in whatever order the accounts come.
func TestOrder(t *testing.T) {
	accounts := fleet(t)
	a, _ := Render(accounts, Options{Namespaces: true})
	for i, j := 0, len(accounts)-1; i < j; i, j = i+1, j-1 {
		accounts[i], accounts[j] = accounts[j], accounts[i]
	}
	b, _ := Render(accounts, Options{Namespaces: true})
	if diff := cmp.Diff(a, b); diff != "" {
		t.Error(diff)
	}
}

func TestRenderFinds(t *testing.T) {
	other := trust.Cluster{Name: "other", Issuer: "https://oidc.example.com/other"}
	inside := trust.Cluster{Issuer: home.Issuer}
	keys := func(jwks string) trust.Cluster { return trust.Cluster{Issuer: home.Issuer, JWKS: []byte(jwks)} }
	secret := "c2VjcmV0"
	for name, test := range map[string]struct {
		accounts []trust.Account
		want     []string // code and severity
	}{
		"nothing wrong":                    {[]trust.Account{account(t, demo, "shop", "orders", byProvider, demoProvider, byEmail, ordersEmail)}, nil},
		"nothing asked for":                {[]trust.Account{account(t, demo, "shop", "plain")}, []string{"WI259 info"}},
		"pods that are denied":             {[]trust.Account{account(t, demo, "shop", "orders", byProvider, "projects/example/x")}, []string{"WI259 warning", "WI259 error"}},
		"an issuer only in the cluster":    {[]trust.Account{account(t, inside, "shop", "orders", byProvider, demoProvider, byEmail, ordersEmail)}, []string{"WI234 error"}},
		"an issuer that is no URL":         {[]trust.Account{account(t, trust.Cluster{Issuer: "kubernetes/serviceaccount", JWKS: []byte(homeKeys)}, "shop", "orders", byProvider, demoProvider)}, []string{"WI234 error"}},
		"keys that are none":               {[]trust.Account{account(t, keys("{}"), "shop", "orders", byProvider, demoProvider)}, []string{"WI235 error"}},
		"a private key":                    {[]trust.Account{account(t, keys(`{"keys":[{"kty":"RSA","n":"x","e":"x","d":"`+secret+`"}]}`), "shop", "orders", byProvider, demoProvider)}, []string{"WI235 error"}},
		"a key of another kind":            {[]trust.Account{account(t, keys(`{"keys":[{"kty":"OKP","crv":"Ed25519","x":"x"}]}`), "shop", "orders", byProvider, demoProvider)}, []string{"WI235 error"}},
		"two clusters at one provider":     {[]trust.Account{account(t, demo, "a", "a", byProvider, demoProvider, byEmail, ordersEmail), account(t, other, "b", "b", byProvider, demoProvider, byEmail, ordersEmail)}, []string{"WI255 error"}},
		"two clusters in one pool":         {[]trust.Account{account(t, demo, "a", "a", byProvider, demoProvider, byEmail, ordersEmail), account(t, other, "b", "b", byProvider, demoProvider+"-2", byEmail, ordersEmail)}, []string{"WI253 warning", "WI253 warning"}},
		"a reserved name":                  {[]trust.Account{account(t, demo, "a", "a", byProvider, strings.Replace(demoProvider, "clusters", "gcp-clusters", 1), byEmail, ordersEmail)}, []string{"WI256 error"}},
		"a location that is none":          {[]trust.Account{account(t, demo, "a", "a", byProvider, strings.Replace(demoProvider, "global", "europe-west3", 1), byEmail, ordersEmail)}, []string{"WI256 error"}},
		"a long subject":                   {[]trust.Account{account(t, demo, strings.Repeat("n", 60), strings.Repeat("a", 60), byProvider, demoProvider, byEmail, ordersEmail)}, []string{"WI240 error"}},
		"direct access, without a role":    {[]trust.Account{account(t, demo, "shop", "direct", byProvider, demoProvider)}, []string{"WI257 info"}},
		"an audience for the API server":   {[]trust.Account{account(t, demo, "shop", "orders", byProvider, demoProvider, byEmail, ordersEmail, byAudience, "https://kubernetes.default.svc")}, []string{"WI252 warning"}},
		"more members than a policy takes": {many(t, 1501), []string{"WI258 error"}},
	} {
		t.Run(name, func(t *testing.T) {
			_, found := Render(test.accounts, Options{})
			var got []string
			for _, f := range found {
				got = append(got, f.Code+" "+string(f.Severity))
				if strings.Contains(f.String(), secret) {
					t.Errorf("a finding shows a key: %s", f)
				}
			}
			if diff := cmp.Diff(test.want, got); diff != "" {
				t.Errorf("%s\n%v", diff, found)
			}
		})
	}
	published := demo
	published.JWKS = []byte(homeKeys)
	one := []trust.Account{account(t, published, "shop", "orders", byProvider, demoProvider, byEmail, ordersEmail)}
	for upload, want := range map[bool]bool{true: true, false: false} {
		plan, found := Render(one, Options{UploadKeys: upload})
		if len(found) > 0 || (plan.Providers[0].OIDC.JWKSJSON != "") != want {
			t.Errorf("upload %v: %+v, %v", upload, plan.Providers[0].OIDC, found)
		}
	}
	if plan, found := Render(many(t, 1501), Options{Namespaces: true}); finding.Worst(found) != "" || len(plan.Grants) != 1 {
		t.Errorf("by namespace: %d grants, %v", len(plan.Grants), found)
	}
}

func many(t *testing.T, n int) []trust.Account {
	list := make([]trust.Account, 0, n)
	for i := range n {
		a := account(t, demo, "shop", "orders", byProvider, demoProvider, byEmail, ordersEmail)
		a.Name = "orders-" + strings.Repeat("x", i/100) + string(rune('a'+i%100/10)) + string(rune('a'+i%10))
		list = append(list, a)
	}
	return list
}

// TestUnreachableIssuer: whoever is told that Google cannot fetch the keys is told how to get
// them.
func TestUnreachableIssuer(t *testing.T) {
	_, found := Render([]trust.Account{account(t, trust.Cluster{Issuer: home.Issuer}, "shop", "orders", byProvider, demoProvider, byEmail, ordersEmail)}, Options{})
	if len(found) != 1 || found[0].Seen != home.Issuer || found[0].Fix != "give the cluster's keys, to be uploaded" || found[0].Command != "kubectl get --raw /openid/v1/jwks" {
		t.Errorf("found %v", lines(found))
	}
}

// TestDirectAccess: a role is granted where there is a project to grant it in; half of that
// grants nothing, and says so.
func TestDirectAccess(t *testing.T) {
	const role, project = "roles/storage.objectViewer", "example-project"
	accounts := []trust.Account{account(t, demo, "shop", "direct", byProvider, demoProvider)}
	for name, test := range map[string]struct {
		options Options
		grants  int
		found   string
	}{
		"both":           {Options{Role: role, Project: project}, 1, ""},
		"a role alone":   {Options{Role: role}, 0, CodeDirect},
		"a project only": {Options{Project: project}, 0, CodeDirect},
	} {
		plan, found := Render(accounts, test.options)
		code := ""
		for _, f := range found {
			code += f.Code
		}
		if len(plan.Grants) != test.grants || code != test.found {
			t.Errorf("%s: %v, %v", name, plan.Grants, lines(found))
		}
	}
}
