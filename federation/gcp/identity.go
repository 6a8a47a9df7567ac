// Package gcp trades a bound ServiceAccount token for Google Cloud tokens: the
// STS exchange for a federated token, and IAM credentials for impersonation and
// ID tokens.
package gcp

import (
	"errors"
	"fmt"
)

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

// Validate reports all that is wrong with an identity, each problem with the name of
// its JSON field.
func (i Identity) Validate() error {
	var errs []error
	bad := func(ok bool, format string, args ...any) {
		if !ok {
			errs = append(errs, fmt.Errorf(format, args...))
		}
	}
	canonical, err := ParseProvider(i.Provider)
	bad(err == nil, "provider: %.120q: %w", i.Provider, err)
	bad(err != nil || canonical == i.Provider, "provider: %.120q: want %s", i.Provider, canonical)
	bad(i.Audience != "", "audience: required; one that the provider allows")
	bad(i.ServiceAccount == "" || ValidServiceAccount(i.ServiceAccount), "serviceAccount: %.120q is not the email of a service account", i.ServiceAccount)
	for n, d := range i.Delegates {
		bad(ValidServiceAccount(d), "delegates[%d]: %.120q is not the email of a service account", n, d)
	}
	// What the email's domain says is taken as it is, for no request is made with it.
	bad(i.Project == "" || ValidProject(i.Project) || i.Project == ProjectOf(i.ServiceAccount), "project: %.80q is not a project ID", i.Project)
	bad(i.QuotaProject == "" || ValidProject(i.QuotaProject), "quotaProject: %.80q is not a project ID", i.QuotaProject)
	bad(i.TokenLifetime == 0 || i.TokenLifetime >= MinTokenLifetime && i.TokenLifetime <= MaxTokenLifetime, "tokenLifetime: %d is not in %d..%d seconds", i.TokenLifetime, MinTokenLifetime, MaxTokenLifetime)
	return errors.Join(errs...)
}
