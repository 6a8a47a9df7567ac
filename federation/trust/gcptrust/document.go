package gcptrust

import "strings"

// Document is what Google Cloud holds, as far as gcloud was asked for it.
type Document struct {
	Pools     []Pool     `json:"pools"`
	Providers []Provider `json:"providers"`
	Policies  []Policy   `json:"policies"`
}

// With is both documents as one: what was printed by several commands.
func (d Document) With(other Document) Document {
	return Document{
		Pools:     append(d.Pools[:len(d.Pools):len(d.Pools)], other.Pools...),
		Providers: append(d.Providers[:len(d.Providers):len(d.Providers)], other.Providers...),
		Policies:  append(d.Policies[:len(d.Policies):len(d.Policies)], other.Policies...),
	}
}

// Pool is a workload identity pool.
// https://cloud.google.com/iam/docs/reference/rest/v1/projects.locations.workloadIdentityPools
type Pool struct {
	Name     string `json:"name"`
	State    string `json:"state,omitempty"`
	Disabled bool   `json:"disabled,omitempty"`
}

// Provider is a workload identity pool provider.
// https://cloud.google.com/iam/docs/reference/rest/v1/projects.locations.workloadIdentityPools.providers
type Provider struct {
	// Name is "projects/<number>/locations/global/workloadIdentityPools/<pool>/providers/<provider>".
	Name     string `json:"name"`
	State    string `json:"state,omitempty"`
	Disabled bool   `json:"disabled,omitempty"`
	// AttributeMapping are expressions in CEL over the token's claims, by attribute.
	AttributeMapping map[string]string `json:"attributeMapping,omitempty"`
	// AttributeCondition is one that must be true; empty: none.
	AttributeCondition string `json:"attributeCondition,omitempty"`
	// OIDC is nil for a provider of another kind.
	OIDC *OIDC `json:"oidc,omitempty"`
}

// OIDC is the part of a provider that is about its issuer.
type OIDC struct {
	IssuerURI string `json:"issuerUri"`
	// AllowedAudiences; none: the provider's own name, with https: and without.
	AllowedAudiences []string `json:"allowedAudiences,omitempty"`
	// JWKSJSON are uploaded keys, which Google uses instead of the issuer's published ones.
	JWKSJSON string `json:"jwksJson,omitempty"`
}

// Pool is the name of the provider's pool.
func (p Provider) Pool() string {
	pool, _, _ := strings.Cut(p.Name, "/providers/")
	return pool
}

// Policy is the IAM policy of a service account.
// https://cloud.google.com/iam/docs/reference/rest/v1/Policy
type Policy struct {
	// Resource is what the policy is of, "projects/<project>/serviceAccounts/<email>" or
	// "projects/<project>"; gcloud does not print it.
	Resource string    `json:"resource,omitempty"`
	Bindings []Binding `json:"bindings"`
}

// Binding grants a role to members, under a condition if there is one.
type Binding struct {
	Role      string     `json:"role"`
	Members   []string   `json:"members"`
	Condition *Condition `json:"condition,omitempty"`
}

// Condition is a condition of a binding, in CEL.
type Condition struct {
	Title      string `json:"title,omitempty"`
	Expression string `json:"expression"`
}
