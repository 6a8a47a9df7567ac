// Package gcp trades a bound ServiceAccount token for Google Cloud tokens: the
// STS exchange for a federated token, and IAM credentials for impersonation and
// ID tokens.
package gcp

// Identity is the Google Cloud identity that a ServiceAccount asks for.
type Identity struct {
	// Provider is the STS audience: "//iam.googleapis.com/projects/<number>/locations/
	// <location>/workloadIdentityPools/<pool>/providers/<provider>", or
	// "identitynamespace:<pool>:<identity provider>" for GKE and fleets.
	Provider string `json:"provider"`
	// Audience of the subject token; Provider unless annotated.
	Audience string `json:"audience"`
	// ServiceAccount is the email to impersonate; empty: direct resource access.
	ServiceAccount string `json:"serviceAccount,omitempty"`
	// Delegates are the service accounts of the delegation chain, in order.
	Delegates []string `json:"delegates,omitempty"`
	// Project is the project ID that the metadata server names; empty: unknown.
	Project string `json:"project,omitempty"`
	// QuotaProject is sent as X-Goog-User-Project; empty: none.
	QuotaProject string `json:"quotaProject,omitempty"`
	// TokenLifetime of impersonated access tokens in seconds, 600..43200; 0: one hour.
	TokenLifetime int `json:"tokenLifetime,omitempty"`
	// PrincipalAsEmail makes the metadata server give the federated principal as
	// email under direct access (iam.gke.io/return-principal-id-as-email).
	PrincipalAsEmail bool `json:"principalAsEmail,omitempty"`
}
