package azuretrust

import (
	"cmp"
	"slices"

	"github.com/podpass-io/podpass/federation/trust/internal/quote"
)

// Plan is what Entra must hold; it implements trust.Plan.
type Plan struct {
	Identities []PlannedIdentity
}

// PlannedIdentity is a managed identity, or an application, with the federated credentials
// that it must have; others that it has may stay.
type PlannedIdentity struct {
	ClientID, TenantID string
	Application        bool
	Credentials        []PlannedCredential
}

// PlannedCredential is a federated credential for one ServiceAccount.
type PlannedCredential struct {
	Credential
	// User is the ServiceAccount, for comments.
	User string
}

// sort makes the plan the same whatever the order of the accounts.
func (p *Plan) sort() {
	slices.SortFunc(p.Identities, func(a, b PlannedIdentity) int {
		return cmp.Or(cmp.Compare(a.TenantID, b.TenantID), cmp.Compare(a.ClientID, b.ClientID))
	})
	for _, i := range p.Identities {
		slices.SortFunc(i.Credentials, func(a, b PlannedCredential) int { return cmp.Compare(a.Name, b.Name) })
	}
}

// plannedJSON is an identity with its credentials in the shape that its API takes.
type plannedJSON struct {
	ClientID    string `json:"clientId"`
	TenantID    string `json:"tenantId"`
	Kind        string `json:"kind"`
	Credentials []any  `json:"federatedIdentityCredentials"`
}

// resourceJSON is a credential as Azure Resource Manager takes it.
type resourceJSON struct {
	Name       string         `json:"name"`
	Properties propertiesJSON `json:"properties"`
}

type propertiesJSON struct {
	Issuer    string   `json:"issuer"`
	Subject   string   `json:"subject"`
	Audiences []string `json:"audiences"`
}

// JSON gives each identity with its credentials: of a managed identity as Azure Resource
// Manager takes them, of an application as Microsoft Graph does.
func (p *Plan) JSON() ([]byte, error) {
	identities := []plannedJSON{}
	for _, i := range p.Identities {
		out := plannedJSON{ClientID: i.ClientID, TenantID: i.TenantID, Kind: "managedIdentity"}
		for _, c := range i.Credentials {
			if i.Application {
				out.Credentials = append(out.Credentials, c.Credential)
			} else {
				out.Credentials = append(out.Credentials, resourceJSON{c.Name, propertiesJSON{c.Issuer, c.Subject, c.Audiences}})
			}
		}
		if i.Application {
			out.Kind = "application"
		}
		identities = append(identities, out)
	}
	return quote.JSON(map[string]any{"identities": identities})
}
