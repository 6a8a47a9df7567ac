package azure

import (
	"context"
	"encoding/json"
	"fmt"
	"regexp"
	"slices"
	"strings"

	"github.com/podpass-io/podpass/federation"
)

// kinds is what Entra's error codes mean.
// https://learn.microsoft.com/entra/identity-platform/reference-error-codes
var kinds = map[string]federation.Kind{
	"AADSTS700211":  federation.KindIssuerUntrusted,
	"AADSTS50166":   federation.KindIssuerUntrusted,
	"AADSTS501661":  federation.KindIssuerUntrusted,
	"AADSTS90061":   federation.KindIssuerUntrusted,
	"AADSTS7000272": federation.KindIssuerUntrusted,
	"AADSTS50027":   federation.KindIssuerUntrusted,
	"AADSTS700212":  federation.KindAudienceMismatch,
	"AADSTS700213":  federation.KindSubjectMismatch,
	"AADSTS7002137": federation.KindSubjectMismatch,
	"AADSTS7002138": federation.KindSubjectMismatch,
	"AADSTS70021":   federation.KindSubjectMismatch,
	"AADSTS70025":   federation.KindConfig,
	"AADSTS700024":  federation.KindTokenExpired,
	"AADSTS700016":  federation.KindConfig,
	"AADSTS7000229": federation.KindConfig,
	"AADSTS900023":  federation.KindConfig,
	"AADSTS90002":   federation.KindConfig,
	"AADSTS50049":   federation.KindConfig,
	"AADSTS70011":   federation.KindConfig,
	"AADSTS500011":  federation.KindConfig,
	"AADSTS53003":   federation.KindDenied,
	"AADSTS700223":  federation.KindDenied,
	"AADSTS700238":  federation.KindDenied,
}

// malformedToken begins the codes of what is wrong with the token itself: 50027, and
// those of its algorithm, 5002723, 5002730, 5002738.
const malformedToken = "AADSTS50027"

// policies are the codes of a tenant's policies.
var policies = []string{"AADSTS53003", "AADSTS700223", "AADSTS700238"}

var aadsts = regexp.MustCompile(`AADSTS\d+`)

// failure is what an error is explained from.
type failure struct {
	Identity  Identity
	Authority string
	Resource  string
	Claims    federation.Claims
}

func explain(ctx context.Context, err error, resp *federation.Response, f failure) error {
	if resp == nil {
		return federation.Unreachable(ctx, cloud, op, f.Authority, err)
	}
	e := &federation.Error{Cloud: cloud, Op: op, Status: resp.Status, RetryAfter: federation.RetryAfter(resp.Header)}
	var in struct {
		Error         string `json:"error"`
		Description   string `json:"error_description"`
		CorrelationID string `json:"correlation_id"`
		Issuer        string `json:"issuer"`
	}
	if json.Unmarshal(resp.Body, &in) == nil {
		e.Code, e.Message, e.RequestID = in.Error, in.Description, in.CorrelationID
	}
	if code := aadsts.FindString(e.Message); code != "" {
		e.Code = code
	}
	kind, known := kinds[e.Code]
	if !known && strings.HasPrefix(e.Code, malformedToken) {
		kind, known = federation.KindIssuerUntrusted, true
	}
	switch {
	case in.Issuer != "" && resp.Status == 200:
		// The tenant's metadata, which was refused before anything was sent.
		e.Kind = federation.KindConfig
		e.Message = fmt.Sprintf("the metadata of %s is that of issuer %q", f.Authority, in.Issuer)
	case known:
		e.Kind = kind
	case resp.Status == 429:
		e.Kind = federation.KindThrottled
	case resp.Status == 408, resp.Status >= 500, in.Error == "temporarily_unavailable", resp.Status < 400:
		// A 2xx that MSAL refuses is a broken answer, of a proxy perhaps.
		e.Kind = federation.KindUnavailable
	case e.Code == "":
		e.Kind = federation.KindConfig // not Entra's words: a proxy's page, or no Entra
	default:
		e.Kind = federation.KindDenied
	}
	if e.Message == "" {
		e.Message = fmt.Sprintf("%s answered with status %d and nothing that can be read", f.Authority, resp.Status)
	}
	e.Hint = hint(e, f)
	return e
}

func hint(e *federation.Error, f failure) string {
	c, i := f.Claims, f.Identity
	who := fmt.Sprintf("the token of ServiceAccount %s/%s has issuer %q, subject %q, audience %q",
		c.Namespace, c.ServiceAccount, c.Issuer, c.Subject, strings.Join(c.Audiences, ","))
	switch e.Kind {
	case federation.KindIssuerUntrusted:
		switch {
		case c.Algorithm != "" && !strings.HasPrefix(c.Algorithm, "RS"):
			return fmt.Sprintf("Entra accepts RSA signatures only, and the cluster signs with %s", c.Algorithm)
		case e.Code == "AADSTS7000272":
			return fmt.Sprintf("%s; its key %q is not in the issuer's JWKS as Entra has it: after a rotation of the cluster's keys, publish the new one", who, c.KeyID)
		case strings.HasPrefix(e.Code, malformedToken):
			return who + "; Entra cannot read it: the cluster must sign with RSA, and the token file hold one token"
		}
		return fmt.Sprintf("%s; a federated credential of %s must have exactly that issuer (a trailing slash counts), and Entra must be able to fetch its keys", who, i.ClientID)
	case federation.KindAudienceMismatch:
		return who + "; the federated credential's audience must be the same: " + DefaultAudience + " unless the installation says otherwise"
	case federation.KindSubjectMismatch:
		return fmt.Sprintf("%s; a federated credential of %s must have exactly that issuer and subject, letter case included (one just made takes some minutes to work)", who, i.ClientID)
	case federation.KindTokenExpired:
		return who + fmt.Sprintf("; it expires at %s: check the node's clock", c.Expiry.UTC().Format("2006-01-02T15:04:05Z"))
	case federation.KindDenied:
		if !slices.Contains(policies, e.Code) {
			return who + "; Entra's error reference explains " + e.Code + ", and the sign-in log of tenant " + i.TenantID + " has the correlation ID"
		}
		return who + "; a policy of the tenant refuses it: look up the correlation ID in the sign-in log of tenant " + i.TenantID
	case federation.KindConfig:
		switch e.Code {
		case "":
			return fmt.Sprintf("that is no answer of Entra: check authority %s (chart value azure.authorityHost), and a proxy between", f.Authority)
		case "AADSTS70025":
			return fmt.Sprintf("application %s has no federated credential: add one for issuer %q, subject %q, audience %q", i.ClientID, c.Issuer, c.Subject, strings.Join(c.Audiences, ","))
		case "AADSTS70011", "AADSTS500011":
			return fmt.Sprintf("the application asks for resource %q, which is not one of tenant %s", f.Resource, i.TenantID)
		}
		return fmt.Sprintf("check client ID %q, tenant %q and authority %s of ServiceAccount %s/%s", i.ClientID, i.TenantID, f.Authority, c.Namespace, c.ServiceAccount)
	default:
		return ""
	}
}
