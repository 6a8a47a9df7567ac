package gcp

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/podpass-io/podpass/federation"
)

// stsKinds reads STS's errors: OAuth codes are few, so part of the text decides, in
// lower case. The first row that fits counts; an empty text fits all. Texts quote the
// issuer's URL and the audience, so that no row may look for a word that these have.
var stsKinds = []struct {
	code, text string
	kind       federation.Kind
}{
	{"invalid_target", "", federation.KindConfig},
	{"invalid_request", "", federation.KindConfig},
	{"invalid_scope", "", federation.KindConfig},
	{"invalid_grant", "the issuer in id token", federation.KindIssuerUntrusted},
	{"invalid_grant", "the audience in id token", federation.KindAudienceMismatch},
	{"invalid_grant", "connecting to the given credential's issuer", federation.KindIssuerUntrusted},
	{"invalid_grant", "is stale", federation.KindTokenExpired},
	{"invalid_grant", "expired", federation.KindTokenExpired},
	{"invalid_grant", "mapped attribute", federation.KindConfig},
	{"invalid_grant", "", federation.KindIssuerUntrusted},
	{"unauthorized_client", "", federation.KindDenied},
	{"access_denied", "", federation.KindDenied},
}

// failure is what an error is explained from.
type failure struct {
	Op       string
	Identity Identity
	Endpoint string
	Claims   federation.Claims
}

func explain(ctx context.Context, err error, resp *federation.Response, f failure) error {
	if resp == nil {
		return federation.Unreachable(ctx, cloud, f.Op, f.Endpoint, err)
	}
	e := &federation.Error{Cloud: cloud, Op: f.Op, Status: resp.Status, RetryAfter: federation.RetryAfter(resp.Header)}
	if f.Op != opSTS || !readOAuth(e, resp.Body) {
		readStatus(e, resp.Body)
	}
	switch {
	case resp.Status == 429 || e.Code == "RESOURCE_EXHAUSTED":
		e.Kind = federation.KindThrottled
	case resp.Status >= 500 || resp.Status < 400:
		e.Kind = federation.KindUnavailable
	case e.Kind == "":
		e.Kind = federation.KindDenied
	}
	if e.Message == "" {
		e.Message = fmt.Sprintf("%s answered with status %d and no error that can be read", f.Endpoint, resp.Status)
	}
	e.Hint = hint(e, f)
	return e
}

// readOAuth reads an OAuth error (RFC 6749, section 5.2); false: it is none.
func readOAuth(e *federation.Error, body []byte) bool {
	var in struct {
		Error       string `json:"error"`
		Description string `json:"error_description"`
	}
	if json.Unmarshal(body, &in) != nil || in.Error == "" {
		return false
	}
	e.Code, e.Message = in.Error, in.Description
	text := strings.ToLower(in.Description)
	for _, k := range stsKinds {
		if k.code == in.Error && strings.Contains(text, k.text) {
			e.Kind = k.kind
			break
		}
	}
	return true
}

// readStatus reads Google's common error model, which STS's front end speaks too.
// https://cloud.google.com/apis/design/errors
func readStatus(e *federation.Error, body []byte) {
	var in struct {
		Error struct {
			Message string `json:"message"`
			Status  string `json:"status"`
			Details []struct {
				Reason     string `json:"reason"`
				RetryDelay string `json:"retryDelay"`
			} `json:"details"`
		} `json:"error"`
	}
	if json.Unmarshal(body, &in) != nil {
		return // e then tells the status
	}
	e.Code, e.Message = in.Error.Status, in.Error.Message
	for _, d := range in.Error.Details {
		if d.Reason != "" {
			e.Code = d.Reason
		}
		if delay, err := time.ParseDuration(d.RetryDelay); err == nil && e.RetryAfter == 0 {
			e.RetryAfter = delay
		}
	}
	switch {
	case e.Code == "SERVICE_DISABLED", e.Code == "USER_PROJECT_DENIED", in.Error.Status == "INVALID_ARGUMENT", in.Error.Status == "NOT_FOUND":
		e.Kind = federation.KindConfig
	case in.Error.Status == "UNAUTHENTICATED", in.Error.Status == "PERMISSION_DENIED":
		e.Kind = federation.KindDenied
	}
}

// MaxSubject is the limit of google.subject, in bytes.
// https://cloud.google.com/iam/docs/workload-identity-federation#mapping
const MaxSubject = 127

func hint(e *federation.Error, f failure) string {
	c, i := f.Claims, f.Identity
	who := fmt.Sprintf("the token of ServiceAccount %s/%s has issuer %q, subject %q, audience %q",
		c.Namespace, c.ServiceAccount, c.Issuer, c.Subject, strings.Join(c.Audiences, ","))
	switch {
	case f.Op == opSTS && len(c.Subject) > MaxSubject && strings.Contains(e.Message, "google.subject"):
		return fmt.Sprintf("%s; that subject has %d bytes, and Google takes %d at most: use shorter names, or map google.subject to something shorter in provider %s", who, len(c.Subject), MaxSubject, i.Provider)
	case e.Code == "SERVICE_DISABLED" && f.Op == opSTS:
		return "enable sts.googleapis.com in the project of provider " + i.Provider
	case e.Code == "SERVICE_DISABLED":
		return "enable iamcredentials.googleapis.com in the service account's project"
	case e.Code == "USER_PROJECT_DENIED":
		return fmt.Sprintf("grant roles/serviceusage.serviceUsageConsumer on project %q to %s, or change the annotation podpass.io/gcp-quota-project", i.QuotaProject, Principal(i.Provider, c.Subject))
	case e.Kind == federation.KindDenied && f.Op != opSTS:
		// Google does not say which step of a chain was refused.
		chain := append(slices.Clone(i.Delegates), i.ServiceAccount)
		h := fmt.Sprintf("grant roles/iam.workloadIdentityUser on %s to %s", chain[0], Principal(i.Provider, c.Subject))
		for n, account := range chain[1:] {
			h += fmt.Sprintf(", roles/iam.serviceAccountTokenCreator on %s to %s", account, chain[n])
		}
		return h
	case e.Kind == federation.KindDenied:
		return who + "; the attribute condition of provider " + i.Provider + " refuses it"
	case e.Kind == federation.KindAudienceMismatch:
		return who + "; it must be among the allowed audiences of provider " + i.Provider
	case e.Kind == federation.KindIssuerUntrusted:
		return who + "; provider " + i.Provider + " must have exactly that issuer, and Google must be able to fetch its keys (for a private cluster, upload its JWKS to the provider, and again whenever the keys change)"
	case e.Kind == federation.KindTokenExpired:
		return who + "; STS takes no token issued more than 24 h ago: check the node's clock and the token-expiration annotation"
	case e.Kind == federation.KindConfig && strings.Contains(e.Message, "mapped attribute"):
		return who + "; check the attribute mapping of provider " + i.Provider
	case e.Kind == federation.KindConfig && f.Op == opSTS:
		return fmt.Sprintf("check that provider %q exists, is enabled, and names the project by number", i.Provider)
	case e.Kind == federation.KindConfig && e.Code == "INVALID_ARGUMENT" && i.TokenLifetime > defaultLifetime:
		return fmt.Sprintf("tokens of more than an hour need the organisation policy constraints/iam.allowServiceAccountCredentialLifetimeExtension for %s: see to that, or to the annotation podpass.io/gcp-token-lifetime (%d seconds)", i.ServiceAccount, i.TokenLifetime)
	case e.Kind == federation.KindConfig:
		return fmt.Sprintf("check that service account %q exists, and the annotations of ServiceAccount %s/%s", i.ServiceAccount, c.Namespace, c.ServiceAccount)
	default:
		return ""
	}
}
