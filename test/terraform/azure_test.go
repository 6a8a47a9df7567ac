package terraform

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/podpass-io/podpass/federation/trust"
	"github.com/podpass-io/podpass/federation/trust/azuretrust"
)

// TestAzure: a managed identity, and the same as an application.
func TestAzure(t *testing.T) {
	const client = "11111111-2222-3333-4444-555555555555"
	annotations := map[string]string{"azure.workload.identity/client-id": client, "azure.workload.identity/tenant-id": "99999999-8888-7777-6666-555555555555"}
	a := account("prod", "https://oidc.example.com/$${prod}", "shop", "orders", annotations)
	a.Answer.Azure.Audience = "api://AzureADTokenExchange" // as the installation has it
	for _, test := range []struct {
		options                             azuretrust.Options
		addresses                           []string
		name, audience, identity, reference string
	}{
		{azuretrust.Options{}, []string{"var.identities", "azurerm_federated_identity_credential.prod_shop_orders"}, "name", "audience", "user_assigned_identity_id", ""},
		{
			azuretrust.Options{Application: true},
			[]string{"data.azuread_application.client_11111111_2222_3333_4444_555555555555", "azuread_application_federated_identity_credential.prod_shop_orders"},
			"display_name", "audiences", "application_id", "data.azuread_application",
		},
	} {
		p, found := azuretrust.Render([]trust.Account{a}, test.options)
		if len(found) > 0 {
			t.Fatal(found)
		}
		source, err := p.Terraform()
		if err != nil {
			t.Fatal(err)
		}
		f := parse(t, source)
		if diff := cmp.Diff(test.addresses, f.addresses); diff != "" {
			t.Errorf("blocks (-want +got):\n%s", diff)
		}
		credential := test.addresses[1]
		for attribute, want := range map[string]string{test.name: "prod_shop_orders", "issuer": "https://oidc.example.com/$${prod}", "subject": "system:serviceaccount:shop:orders"} {
			if got := f.value(t, credential, attribute).AsString(); got != want {
				t.Errorf("%s %s = %q, want %q", credential, attribute, got, want)
			}
		}
		if got := f.value(t, credential, test.audience); got.LengthInt() != 1 {
			t.Errorf("%d audiences", got.LengthInt())
		}
		if test.reference == "" {
			test.reference = "var.identities"
		}
		if got := f.references(t, credential, test.identity); len(got) != 1 || got[0] != test.reference {
			t.Errorf("%s is %q, want %s", test.identity, got, test.reference)
		}
	}
}
