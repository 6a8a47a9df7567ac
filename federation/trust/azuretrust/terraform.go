package azuretrust

import (
	"strings"

	"github.com/podpass-io/podpass/federation/trust/internal/quote"
)

const terraformIdentities = `# hashicorp/azurerm 5 or newer; before, user_assigned_identity_id is parent_id, and
# resource_group_name is needed besides
variable "identities" {
  type        = map(string)
  description = "Resource IDs of the managed identities, by client ID"
}
`

// Terraform is HCL for the providers hashicorp/azurerm (managed identities) and
// hashicorp/azuread (applications).
// https://registry.terraform.io/providers/hashicorp/azurerm/latest/docs/resources/federated_identity_credential
// https://registry.terraform.io/providers/hashicorp/azuread/latest/docs/resources/application_federated_identity_credential
func (p *Plan) Terraform() ([]byte, error) {
	var blocks []string
	var labels quote.Labels
	for n, i := range p.Identities {
		switch label := quote.Label("client", i.ClientID); {
		case i.Application:
			blocks = append(blocks, quote.Block(`data "azuread_application" `+quote.HCL(label), []quote.Attribute{{Name: "client_id", Value: quote.HCL(i.ClientID)}}))
		case n == 0:
			blocks = append(blocks, terraformIdentities)
		}
		for _, c := range i.Credentials {
			blocks = append(blocks, quote.Comment("for "+c.User)+i.terraform(c, labels.Unique(quote.Label(c.Name))))
		}
	}
	return []byte(strings.Join(blocks, "\n")), nil
}

func (i PlannedIdentity) terraform(c PlannedCredential, label string) string {
	trusted := []quote.Attribute{{Name: "issuer", Value: quote.HCL(c.Issuer)}, {Name: "subject", Value: quote.HCL(c.Subject)}}
	if i.Application {
		return quote.Block(`resource "azuread_application_federated_identity_credential" `+quote.HCL(label), append([]quote.Attribute{
			{Name: "application_id", Value: "data.azuread_application." + quote.Label("client", i.ClientID) + ".id"},
			{Name: "display_name", Value: quote.HCL(c.Name)},
			{Name: "audiences", Value: quote.HCLList(c.Audiences)},
		}, trusted...))
	}
	return quote.Block(`resource "azurerm_federated_identity_credential" `+quote.HCL(label), append([]quote.Attribute{
		{Name: "name", Value: quote.HCL(c.Name)},
		{Name: "user_assigned_identity_id", Value: "var.identities[" + quote.HCL(i.ClientID) + "]"},
		{Name: "audience", Value: quote.HCLList(c.Audiences)},
	}, trusted...))
}
