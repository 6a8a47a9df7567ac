package aws

import (
	"cmp"
	"encoding/xml"
	"fmt"
	"strings"

	"github.com/podpass-io/podpass/federation"
	"github.com/podpass-io/podpass/federation/endpoint"
)

// table is what STS's error codes mean.
// https://docs.aws.amazon.com/STS/latest/APIReference/API_AssumeRoleWithWebIdentity.html#API_AssumeRoleWithWebIdentity_Errors
var table = endpoint.Table{
	{Code: "ExpiredTokenException", Kind: federation.KindTokenExpired},
	{Code: "ExpiredToken", Kind: federation.KindTokenExpired},
	{Code: "RequestExpired", Kind: federation.KindTokenExpired},
	{Code: "InvalidIdentityToken", Text: "token audience", Kind: federation.KindAudienceMismatch},
	{Code: "InvalidIdentityToken", Kind: federation.KindIssuerUntrusted},
	{Code: "IDPCommunicationError", Kind: federation.KindUnavailable},
	{Code: "IDPRejectedClaim", Kind: federation.KindSubjectMismatch},
	{Code: "AccessDenied", Kind: federation.KindDenied},
	{Code: "AccessDeniedException", Kind: federation.KindDenied},
	{Code: "InvalidClientTokenId", Kind: federation.KindDenied},
	{Code: "SignatureDoesNotMatch", Kind: federation.KindDenied},
	{Code: "InvalidAuthorizationHeader", Kind: federation.KindDenied},
	{Code: "OptInRequired", Kind: federation.KindDenied},
	{Code: "MalformedPolicyDocument", Kind: federation.KindConfig},
	{Code: "PackedPolicyTooLarge", Kind: federation.KindConfig},
	{Code: "ValidationError", Kind: federation.KindConfig},
	{Code: "InvalidParameterValue", Kind: federation.KindConfig},
	{Code: "RegionDisabledException", Kind: federation.KindConfig},
	{Code: "IncompleteSignature", Kind: federation.KindConfig},
	{Code: "Throttling", Kind: federation.KindThrottled},
	{Code: "ThrottlingException", Kind: federation.KindThrottled},
	{Code: "RequestLimitExceeded", Kind: federation.KindThrottled},
	{Code: "TooManyRequestsException", Kind: federation.KindThrottled},
	{Code: "InternalFailure", Kind: federation.KindUnavailable},
	{Code: "ServiceUnavailable", Kind: federation.KindUnavailable},
}

// failure is what an error of STS is explained from.
type failure struct {
	Role   string
	From   string // the principal that assumes Role; empty by web identity
	Claims federation.Claims
}

// Table implements endpoint.Cloud.
func (failure) Table() endpoint.Table { return table }

// Read implements endpoint.Cloud: STS answers in XML.
func (failure) Read(r endpoint.Response) (endpoint.Words, bool) {
	var in struct {
		XMLName xml.Name `xml:"ErrorResponse"`
		Code    string   `xml:"Error>Code"`
		Message string   `xml:"Error>Message"`
		ID      string   `xml:"RequestId"`
	}
	if xml.Unmarshal(r.Body, &in) != nil || in.Code == "" {
		return endpoint.Words{}, false
	}
	return endpoint.Words{Code: in.Code, Message: in.Message, RequestID: cmp.Or(in.ID, r.Header.Get("X-Amzn-Requestid"))}, true
}

// Hint implements endpoint.Cloud. It prints both sides of what has to match, because
// STS says of a trust policy only that it does not.
func (f failure) Hint(e *federation.Error) string {
	c := f.Claims
	switch e.Kind {
	case federation.KindDenied, federation.KindSubjectMismatch:
		if !strings.HasPrefix(e.Code, "AccessDenied") && e.Kind == federation.KindDenied {
			return fmt.Sprintf("%s; that is not a trust policy's refusal: AWS's list of STS errors explains %s", c, e.Code)
		}
		if f.From != "" {
			return fmt.Sprintf("%s may not assume %s: the role's trust policy must allow that principal sts:AssumeRole (sts:TagSession too, for session tags), and the principal's own policy must allow it", f.From, f.Role)
		}
		issuer := strings.TrimPrefix(c.Issuer, "https://")
		return fmt.Sprintf("%s; either %s does not exist, or its trust policy does not allow sts:AssumeRoleWithWebIdentity with conditions %s:sub = %q and %s:aud = %q",
			c, f.Role, issuer, c.Subject, issuer, strings.Join(c.Audiences, ","))
	case federation.KindIssuerUntrusted:
		return fmt.Sprintf("%s; the account of %s needs an IAM OIDC provider for exactly that issuer (one just made takes some seconds to work, and is asked again), and AWS must be able to fetch its keys", c, f.Role)
	case federation.KindAudienceMismatch:
		return fmt.Sprintf("%s; add that audience to the IAM OIDC provider's client IDs, or annotate the ServiceAccount with the one it has", c)
	case federation.KindTokenExpired:
		if f.From != "" {
			return fmt.Sprintf("the credentials of %s, from which %s is assumed, have ended: check the node's clock", f.From, f.Role)
		}
		return fmt.Sprintf("%s; it expires at %s: check the node's clock", c, federation.Timestamp(c.Expiry))
	case federation.KindConfig:
		return fmt.Sprintf("check the annotations of ServiceAccount %s/%s that make the request for %s", c.Namespace, c.ServiceAccount, f.Role)
	default:
		return ""
	}
}
