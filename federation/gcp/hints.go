package gcp

import (
	"fmt"
	"slices"
	"strings"

	"github.com/podpass-io/podpass/federation"
	"github.com/podpass-io/podpass/federation/endpoint"
)

// MaxSubject is the limit of google.subject, in bytes.
// https://cloud.google.com/iam/docs/workload-identity-federation#mapping
const MaxSubject = 127

// failure is what an error of one of Google's APIs is explained from.
type failure struct {
	identity Identity
	claims   federation.Claims
	table    endpoint.Table
	hint     func(failure, *federation.Error) string
}

func (c *Client) stsFailure(claims federation.Claims) failure {
	return failure{c.Identity, claims, sts, failure.stsHint}
}

func (c *Client) iamFailure(claims federation.Claims) failure {
	return failure{c.Identity, claims, common, failure.iamHint}
}

// Read implements endpoint.Cloud.
func (failure) Read(r endpoint.Response) (endpoint.Words, bool) { return read(r) }

// Table implements endpoint.Cloud.
func (f failure) Table() endpoint.Table { return f.table }

// Hint implements endpoint.Cloud.
func (f failure) Hint(e *federation.Error) string { return f.hint(f, e) }

func (f failure) stsHint(e *federation.Error) string {
	c, i := f.claims, f.identity
	switch {
	case len(c.Subject) > MaxSubject && strings.Contains(e.Message, "google.subject"):
		return fmt.Sprintf("%s; that subject has %d bytes, and Google takes %d at most: use shorter names, or map google.subject to something shorter in provider %s", c, len(c.Subject), MaxSubject, i.Provider)
	case e.Code == "SERVICE_DISABLED":
		return "enable sts.googleapis.com in the project of provider " + i.Provider
	case e.Code == "USER_PROJECT_DENIED":
		return quotaProject(i, c)
	case e.Code == "unauthorized_client":
		return fmt.Sprintf("%s; the attribute condition of provider %s refuses it", c, i.Provider)
	case e.Kind == federation.KindDenied:
		return fmt.Sprintf("%s; no attribute condition refuses it but STS itself: see whether an organisation policy or VPC Service Controls keep it from provider %s", c, i.Provider)
	case e.Kind == federation.KindAudienceMismatch:
		if pool, _, ok := IdentityNamespace(i.Provider); ok {
			return fmt.Sprintf("%s; provider %s takes the audience %s alone", c, i.Provider, pool)
		}
		return fmt.Sprintf("%s; it must be among the allowed audiences of provider %s, which are its own name, https://iam.googleapis.com/%s, unless it lists others (pfnet's webhook has people list sts.googleapis.com): list it there, or name one that is listed, in the annotation cloud.google.com/audience or the chart value gcp.audience",
			c, i.Provider, strings.TrimPrefix(i.Provider, "//iam.googleapis.com/"))
	case e.Kind == federation.KindIssuerUntrusted:
		return fmt.Sprintf("%s; provider %s must have exactly that issuer, and Google must be able to fetch its keys (for a private cluster, upload its JWKS to the provider, and again whenever the keys change)", c, i.Provider)
	case e.Kind == federation.KindTokenExpired:
		return fmt.Sprintf("%s; STS takes no token issued more than 24 h ago: check the node's clock and the token-expiration annotation", c)
	case e.Kind == federation.KindConfig && strings.Contains(e.Message, mappedAttribute):
		return fmt.Sprintf("%s; check the attribute mapping of provider %s", c, i.Provider)
	case e.Kind == federation.KindConfig:
		return fmt.Sprintf("check that provider %q exists, is enabled, and names the project by number", i.Provider)
	}
	return ""
}

func (f failure) iamHint(e *federation.Error) string {
	c, i := f.claims, f.identity
	switch {
	case e.Code == "SERVICE_DISABLED":
		return "enable iamcredentials.googleapis.com in the service account's project"
	case e.Code == "USER_PROJECT_DENIED":
		return quotaProject(i, c)
	case e.Kind == federation.KindDenied:
		// Google does not say which step of a chain was refused.
		chain := append(slices.Clone(i.Delegates), i.ServiceAccount)
		h := fmt.Sprintf("grant roles/iam.workloadIdentityUser on %s to %s", chain[0], Principal(i.Provider, c.Subject))
		for n, account := range chain[1:] {
			h += fmt.Sprintf(", roles/iam.serviceAccountTokenCreator on %s to %s", account, chain[n])
		}
		return h
	case e.Code == "INVALID_ARGUMENT" && i.TokenLifetime > defaultLifetime:
		return fmt.Sprintf("tokens of more than an hour need the organisation policy constraints/iam.allowServiceAccountCredentialLifetimeExtension for %s: see to that, or to the annotation podpass.io/gcp-token-lifetime (%d seconds)", i.ServiceAccount, i.TokenLifetime)
	case e.Kind == federation.KindConfig:
		return fmt.Sprintf("check that service account %q exists, and the annotations of ServiceAccount %s/%s", i.ServiceAccount, c.Namespace, c.ServiceAccount)
	}
	return ""
}

func quotaProject(i Identity, c federation.Claims) string {
	return fmt.Sprintf("grant roles/serviceusage.serviceUsageConsumer on project %q to %s, or change the annotation podpass.io/gcp-quota-project", i.QuotaProject, Principal(i.Provider, c.Subject))
}
