package trust

import (
	"encoding/json"
	"net/http/httptest"
	"testing"

	"github.com/podpass-io/podpass/federation"
	"github.com/podpass-io/podpass/federation/azure"
	"github.com/podpass-io/podpass/federation/serviceaccount"
	"github.com/podpass-io/podpass/federation/trust"
	"github.com/podpass-io/podpass/federation/trust/azuretrust"
	"github.com/podpass-io/podpass/test/cloud/entra"
	"github.com/podpass-io/podpass/test/cloud/signer"
	cloudtrust "github.com/podpass-io/podpass/test/cloud/trust"
)

// TestRenderedAzure: the federated credentials that Render says an application must have are
// put into the stand-in, and the broker's own exchange gets tokens there; and nobody else
// does.
func TestRenderedAzure(t *testing.T) {
	const tenant, orders, other = "99999999-8888-7777-6666-555555555555", "11111111-2222-3333-4444-555555555555", "22222222-3333-4444-5555-666666666666"
	sign, err := signer.New()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(sign.Close)
	keys, err := sign.JWKS()
	if err != nil {
		t.Fatal(err)
	}
	var in serviceaccount.Installation
	in.Azure.TenantID, in.Azure.Audience = tenant, azure.DefaultAudience
	var accounts []trust.Account
	var issuers []cloudtrust.Issuer
	for _, cluster := range []trust.Cluster{{Name: "prod", Issuer: "https://oidc.example.com/prod"}, {Name: "test", Issuer: "https://oidc.example.com/test"}} {
		issuers = append(issuers, cloudtrust.Issuer{URL: cluster.Issuer, JWKS: keys})
		for name, client := range map[string]string{"orders": orders, "billing": other} {
			if cluster.Name == "test" && name == "billing" {
				continue // prod has it alone
			}
			accounts = append(accounts, trust.Account{Cluster: cluster, Namespace: "shop", Name: name, Answer: serviceaccount.Resolve(serviceaccount.Request{
				Namespace: "shop", Name: name, Annotations: map[string]string{"azure.workload.identity/client-id": client}, AnyPod: true,
			}, in)})
		}
	}
	plan, found := azuretrust.Render(accounts, azuretrust.Options{Application: true})
	if len(found) > 0 {
		t.Fatalf("findings: %v", found)
	}
	raw, err := plan.JSON()
	if err != nil {
		t.Fatal(err)
	}
	var held struct {
		Identities []struct {
			ClientID    string          `json:"clientId"`
			TenantID    string          `json:"tenantId"`
			Credentials json.RawMessage `json:"federatedIdentityCredentials"`
		}
	}
	if err := json.Unmarshal(raw, &held); err != nil {
		t.Fatal(err)
	}
	directory := cloudtrust.Tenant{ID: tenant}
	for _, i := range held.Identities {
		directory.Applications = append(directory.Applications, cloudtrust.Application{ClientID: i.ClientID, Listed: string(i.Credentials)})
	}
	server := httptest.NewTLSServer(&entra.Server{Trust: cloudtrust.Azure{Tenants: []cloudtrust.Tenant{directory}}, Verifier: cloudtrust.NewVerifier(issuers), Signer: sign})
	t.Cleanup(server.Close)
	get := func(issuer, name string, id azure.Identity) error {
		c := &azure.Client{Identity: id, Token: tokenFile(t, sign, issuer, "shop", name, id.Audience), AuthorityHost: server.URL + "/", HTTP: server.Client()}
		_, err := c.AccessToken("https://management.azure.com", "").Exchange(t.Context())
		return err
	}
	for _, a := range accounts {
		id := a.Answer.Azure.Identity
		if err := get(a.Cluster.Issuer, a.Name, id); err != nil {
			t.Errorf("%s of %s: %v", a.Name, a.Cluster.Name, err)
		}
		if err := get(a.Cluster.Issuer, "stray", id); federation.KindOf(err) != federation.KindSubjectMismatch {
			t.Errorf("stray of %s: %v, want its subject refused", a.Cluster.Name, err)
		}
		if err := get("https://oidc.example.com/else", a.Name, id); federation.KindOf(err) != federation.KindIssuerUntrusted {
			t.Errorf("%s of another cluster: %v, want its issuer refused", a.Name, err)
		}
	}
}
