package trust

import (
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/podpass-io/podpass/federation"
	"github.com/podpass-io/podpass/federation/gcp"
	"github.com/podpass-io/podpass/federation/serviceaccount"
	"github.com/podpass-io/podpass/federation/trust"
	"github.com/podpass-io/podpass/federation/trust/gcptrust"
	"github.com/podpass-io/podpass/test/cloud/gcpsts"
	"github.com/podpass-io/podpass/test/cloud/signer"
	cloudtrust "github.com/podpass-io/podpass/test/cloud/trust"
)

// TestRenderedGCP: what Render says that Google Cloud must hold is put into the stand-in,
// and the broker's own exchange gets tokens there, by way of a delegate and with uploaded
// keys, too; and nobody else does.
func TestRenderedGCP(t *testing.T) {
	sign, err := signer.New()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(sign.Close)
	keys, err := sign.JWKS()
	if err != nil {
		t.Fatal(err)
	}
	const (
		pools  = "projects/123456789012/locations/global/workloadIdentityPools/"
		orders = "orders@example-project.iam.gserviceaccount.com"
		gke    = "https://container.googleapis.com/v1/projects/example-project/locations/europe-west3/clusters/gke"
	)
	prod := trust.Cluster{Name: "prod", Issuer: "https://oidc.example.com/prod"}
	home := trust.Cluster{Name: "home", Issuer: "https://kubernetes.default.svc.cluster.local", JWKS: keys}
	atProd := map[string]string{"cloud.google.com/workload-identity-provider": pools + "prod/providers/prod", "cloud.google.com/service-account-email": orders}
	delegated := map[string]string{"cloud.google.com/workload-identity-provider": pools + "prod/providers/prod", "cloud.google.com/service-account-email": "reports@example-project.iam.gserviceaccount.com", "podpass.io/gcp-delegates": "first@example-project.iam.gserviceaccount.com", "cloud.google.com/audience": "sts.googleapis.com"}
	atHome := map[string]string{"cloud.google.com/workload-identity-provider": pools + "home/providers/home", "cloud.google.com/service-account-email": orders}
	onGKE := map[string]string{"podpass.io/gcp-provider": "identitynamespace:example-project.svc.id.goog:" + gke, "cloud.google.com/service-account-email": orders}
	var accounts []trust.Account
	for _, a := range []struct {
		cluster     trust.Cluster
		name        string
		annotations map[string]string
	}{{prod, "orders", atProd}, {prod, "reports", delegated}, {home, "orders", atHome}, {trust.Cluster{Name: "gke", Issuer: gke}, "orders", onGKE}} {
		accounts = append(accounts, trust.Account{Cluster: a.cluster, Namespace: "shop", Name: a.name, Answer: serviceaccount.Resolve(
			serviceaccount.Request{Namespace: "shop", Name: a.name, Annotations: a.annotations, AnyPod: true}, serviceaccount.Installation{})})
	}
	for name, o := range map[string]gcptrust.Options{"each": {}, "namespaces": {Namespaces: true}} {
		t.Run(name, func(t *testing.T) {
			plan, found := gcptrust.Render(accounts, o)
			if len(found) > 0 {
				t.Fatalf("findings: %v", found)
			}
			endpoints := standGCP(t, plan, sign, []cloudtrust.Issuer{{URL: prod.Issuer, JWKS: keys}, {URL: gke, JWKS: keys}}, gke)
			get := func(issuer, namespace, name string, id gcp.Identity) error {
				file := tokenFile(t, sign, issuer, namespace, name, id.Audience)
				c := &gcp.Client{Identity: id, Token: file, Endpoints: endpoints, HTTP: &http.Client{Timeout: 10 * time.Second}}
				_, err := c.AccessToken(nil).Exchange(t.Context())
				return err
			}
			for _, a := range accounts {
				id := a.Answer.GCP.Identity
				if err := get(a.Cluster.Issuer, a.Namespace, a.Name, id); err != nil {
					t.Errorf("%s of %s: %v", a.Name, a.Cluster.Name, err)
				}
				if err := get(a.Cluster.Issuer, "other", a.Name, id); federation.KindOf(err) != federation.KindDenied {
					t.Errorf("%s of another namespace of %s: %v, want it denied", a.Name, a.Cluster.Name, err)
				}
				if err := get("https://oidc.example.com/else", a.Namespace, a.Name, id); federation.KindOf(err) != federation.KindIssuerUntrusted {
					t.Errorf("%s of another cluster than %s: %v, want its issuer untrusted", a.Name, a.Cluster.Name, err)
				}
			}
		})
	}
}

// tokenFile is a token as kubelet writes it.
func tokenFile(t *testing.T, sign *signer.Signer, issuer, namespace, name, audience string) federation.TokenFile {
	t.Helper()
	token, err := sign.Sign(map[string]any{
		"iss": issuer, "sub": "system:serviceaccount:" + namespace + ":" + name, "aud": []string{audience}, "iat": time.Now().Unix(), "exp": time.Now().Add(time.Hour).Unix(),
		"kubernetes.io": map[string]any{"namespace": namespace, "serviceaccount": map[string]string{"name": name}},
	})
	if err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(t.TempDir(), "token")
	if err := os.WriteFile(path, []byte(token), 0o600); err != nil {
		t.Fatal(err)
	}
	return federation.TokenFile(path)
}

// standGCP is the stand-in, configured with the plan as the IAM API would have it, and with
// the provider that Google makes for a GKE cluster.
func standGCP(t *testing.T, plan *gcptrust.Plan, sign *signer.Signer, issuers []cloudtrust.Issuer, gke string) gcp.Endpoints {
	t.Helper()
	raw, err := plan.JSON()
	if err != nil {
		t.Fatal(err)
	}
	var held struct {
		Providers []json.RawMessage
		Policies  []json.RawMessage
	}
	if err := json.Unmarshal(raw, &held); err != nil {
		t.Fatal(err)
	}
	config := cloudtrust.GCP{Providers: []cloudtrust.GCPProvider{{Name: "identitynamespace:example-project.svc.id.goog:" + gke, Issuer: gke}}}
	for _, p := range held.Providers {
		var named struct{ Name string }
		if err := json.Unmarshal(p, &named); err != nil {
			t.Fatal(err)
		}
		config.Providers = append(config.Providers, cloudtrust.GCPProvider{Name: named.Name, Described: string(p)})
	}
	for _, p := range held.Policies {
		var of struct{ Resource string }
		if err := json.Unmarshal(p, &of); err != nil {
			t.Fatal(err)
		}
		config.ServiceAccounts = append(config.ServiceAccounts, cloudtrust.GCPServiceAccount{Email: of.Resource[strings.LastIndex(of.Resource, "/")+1:], Policy: string(p)})
	}
	server := httptest.NewServer(&gcpsts.Server{Trust: config, Verifier: cloudtrust.NewVerifier(issuers), Signer: sign})
	t.Cleanup(server.Close)
	return gcp.Endpoints{STS: server.URL, IAMCredentials: server.URL}
}
