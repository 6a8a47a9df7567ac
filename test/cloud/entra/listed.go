package entra

import (
	"encoding/json"

	"github.com/podpass-io/podpass/test/cloud/trust"
)

// listed are federated credentials as az lists them, one for each audience. Those with an
// expression instead of a subject are left out: no cluster's token fits them.
func listed(text string) ([]trust.FederatedCredential, error) {
	var list []struct {
		Issuer     string          `json:"issuer"`
		Subject    *string         `json:"subject"`
		Audiences  []string        `json:"audiences"`
		Expression json.RawMessage `json:"claimsMatchingExpression"`
	}
	if err := json.Unmarshal([]byte(text), &list); err != nil {
		return nil, err
	}
	var all []trust.FederatedCredential
	for _, c := range list {
		for _, audience := range c.Audiences {
			if c.Subject != nil && (c.Expression == nil || string(c.Expression) == "null") {
				all = append(all, trust.FederatedCredential{Issuer: c.Issuer, Subject: *c.Subject, Audience: audience})
			}
		}
	}
	return all, nil
}
