package azure

import (
	"encoding/json"
	"fmt"
	"regexp"
	"slices"
	"strings"

	"github.com/podpass-io/podpass/federation"
	"github.com/podpass-io/podpass/federation/endpoint"
)

// malformedToken begins the codes of what is wrong with the token itself: 50027, and
// those of its algorithm, 5002723, 5002730, 5002738.
const malformedToken = "AADSTS50027"

// table is what Entra's error codes mean. Conditional access and what belongs to the
// resource are judged when the assertion has been taken: the trust works. A tenant
// that does not let federated credentials in at all (700223, 700238) proves nothing.
// https://learn.microsoft.com/entra/identity-platform/reference-error-codes
var table = endpoint.Table{
	{Code: "AADSTS700211", Kind: federation.KindIssuerUntrusted},
	{Code: "AADSTS50166", Kind: federation.KindIssuerUntrusted},
	{Code: "AADSTS501661", Kind: federation.KindIssuerUntrusted},
	{Code: "AADSTS90061", Kind: federation.KindIssuerUntrusted},
	{Code: "AADSTS7000272", Kind: federation.KindIssuerUntrusted},
	{Code: malformedToken, Kind: federation.KindIssuerUntrusted},
	{Code: "AADSTS700212", Kind: federation.KindAudienceMismatch},
	{Code: "AADSTS700213", Kind: federation.KindSubjectMismatch},
	{Code: "AADSTS7002137", Kind: federation.KindSubjectMismatch},
	{Code: "AADSTS7002138", Kind: federation.KindSubjectMismatch},
	{Code: "AADSTS70021", Kind: federation.KindSubjectMismatch},
	{Code: "AADSTS700024", Kind: federation.KindTokenExpired},
	{Code: "AADSTS70025", Kind: federation.KindConfig},
	{Code: "AADSTS700016", Kind: federation.KindConfig},
	{Code: "AADSTS7000229", Kind: federation.KindConfig},
	{Code: "AADSTS900023", Kind: federation.KindConfig},
	{Code: "AADSTS90002", Kind: federation.KindConfig},
	{Code: "AADSTS50049", Kind: federation.KindConfig},
	{Code: "AADSTS70011", Kind: federation.KindConfig},
	{Code: "AADSTS500011", Kind: federation.KindConfig, Trusted: true},
	{Code: "AADSTS500014", Kind: federation.KindConfig, Trusted: true},
	{Code: "AADSTS501051", Kind: federation.KindDenied, Trusted: true},
	{Code: "AADSTS53003", Kind: federation.KindDenied, Trusted: true},
	{Code: "AADSTS700223", Kind: federation.KindDenied},
	{Code: "AADSTS700238", Kind: federation.KindDenied},
	{Code: "AADSTS7002381", Kind: federation.KindDenied},
	{Code: "temporarily_unavailable", Kind: federation.KindUnavailable},
	{Code: foreignMetadata, Kind: federation.KindConfig},
}

// foreignMetadata is podpass's own code, of a tenant's metadata that MSAL refused
// before anything was sent.
const foreignMetadata = "foreign_metadata"

// policies are the codes of a tenant's policies.
var policies = []string{"AADSTS53003", "AADSTS700223", "AADSTS700238", "AADSTS7002381"}

var aadsts = regexp.MustCompile(`AADSTS\d+`)

// failure is what an error of Entra is explained from.
type failure struct {
	Identity  Identity
	Authority string
	Resource  string
	Claims    federation.Claims
}

// Table implements endpoint.Cloud.
func (failure) Table() endpoint.Table { return table }

// Read implements endpoint.Cloud: an error of OAuth, whose text has the code proper.
func (f failure) Read(r endpoint.Response) (endpoint.Words, bool) {
	var in struct {
		Error         string `json:"error"`
		Description   string `json:"error_description"`
		CorrelationID string `json:"correlation_id"`
		Issuer        string `json:"issuer"`
	}
	switch {
	case json.Unmarshal(r.Body, &in) != nil:
		return endpoint.Words{}, false
	case in.Issuer != "":
		return endpoint.Words{Class: foreignMetadata, Message: fmt.Sprintf("the metadata of %s is that of issuer %q", f.Authority, in.Issuer)}, true
	case in.Error == "":
		return endpoint.Words{}, false
	}
	w := endpoint.Words{Code: in.Error, Class: in.Error, Message: in.Description, RequestID: in.CorrelationID}
	if code := aadsts.FindString(in.Description); code != "" {
		w.Code = code
	}
	if strings.HasPrefix(w.Code, malformedToken) {
		w.Class = malformedToken
	}
	return w, true
}

// Hint implements endpoint.Cloud.
func (f failure) Hint(e *federation.Error) string {
	c, i := f.Claims, f.Identity
	switch e.Kind {
	case federation.KindIssuerUntrusted:
		return f.untrusted(e.Code)
	case federation.KindAudienceMismatch:
		return fmt.Sprintf("%s; the federated credential's audience must be the same: %s unless the installation says otherwise", c, DefaultAudience)
	case federation.KindSubjectMismatch:
		return fmt.Sprintf("%s; a federated credential of %s must have exactly that issuer and subject, letter case included (one just made takes some minutes to work)", c, i.ClientID)
	case federation.KindTokenExpired:
		return fmt.Sprintf("%s; it expires at %s: check the node's clock", c, federation.Timestamp(c.Expiry))
	case federation.KindDenied:
		if !slices.Contains(policies, e.Code) {
			return fmt.Sprintf("%s; Entra's error reference explains %s, and the sign-in log of tenant %s has the correlation ID", c, e.Code, i.TenantID)
		}
		return fmt.Sprintf("%s; a policy of the tenant refuses it: look up the correlation ID in the sign-in log of tenant %s", c, i.TenantID)
	case federation.KindConfig:
		return f.unknown(e.Code)
	default:
		return ""
	}
}

// untrusted is the hint where Entra does not take the token as its issuer's.
func (f failure) untrusted(code string) string {
	c := f.Claims
	switch {
	case c.Algorithm != "" && !strings.HasPrefix(c.Algorithm, "RS"):
		return "Entra accepts RSA signatures only, and the cluster signs with " + c.Algorithm
	case code == "AADSTS7000272":
		return fmt.Sprintf("%s; its key %q is not in the issuer's JWKS as Entra has it: after a rotation of the cluster's keys, publish the new one", c, c.KeyID)
	case strings.HasPrefix(code, malformedToken):
		return fmt.Sprintf("%s; Entra cannot read it: the cluster must sign with RSA, and the token file hold one token", c)
	}
	return fmt.Sprintf("%s; a federated credential of %s must have exactly that issuer (a trailing slash counts), and Entra must be able to fetch its keys", c, f.Identity.ClientID)
}

// unknown is the hint where Entra does not know what the request names.
func (f failure) unknown(code string) string {
	c, i := f.Claims, f.Identity
	switch code {
	case "AADSTS70025":
		return fmt.Sprintf("application %s has no federated credential: add one for issuer %q, subject %q, audience %q", i.ClientID, c.Issuer, c.Subject, strings.Join(c.Audiences, ","))
	case "AADSTS70011", "AADSTS500011", "AADSTS500014":
		return fmt.Sprintf("the application asks for resource %q, which is not one of tenant %s", f.Resource, i.TenantID)
	}
	return fmt.Sprintf("check client ID %q, tenant %q and authority %s of ServiceAccount %s/%s", i.ClientID, i.TenantID, f.Authority, c.Namespace, c.ServiceAccount)
}
