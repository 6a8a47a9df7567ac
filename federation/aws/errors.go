package aws

import (
	"context"
	"errors"
	"fmt"
	"strings"

	awshttp "github.com/aws/aws-sdk-go-v2/aws/transport/http"
	"github.com/aws/smithy-go"

	"github.com/podpass-io/podpass/federation"
)

// kinds is what STS's error codes mean.
// https://docs.aws.amazon.com/STS/latest/APIReference/API_AssumeRoleWithWebIdentity.html#API_AssumeRoleWithWebIdentity_Errors
var kinds = map[string]federation.Kind{
	"ExpiredTokenException":      federation.KindTokenExpired,
	"ExpiredToken":               federation.KindTokenExpired,
	"InvalidIdentityToken":       federation.KindIssuerUntrusted,
	"IDPCommunicationError":      federation.KindUnavailable,
	"IDPRejectedClaim":           federation.KindSubjectMismatch,
	"AccessDenied":               federation.KindDenied,
	"AccessDeniedException":      federation.KindDenied,
	"MalformedPolicyDocument":    federation.KindConfig,
	"PackedPolicyTooLarge":       federation.KindConfig,
	"ValidationError":            federation.KindConfig,
	"InvalidParameterValue":      federation.KindConfig,
	"RegionDisabledException":    federation.KindConfig,
	"Throttling":                 federation.KindThrottled,
	"ThrottlingException":        federation.KindThrottled,
	"RequestLimitExceeded":       federation.KindThrottled,
	"TooManyRequestsException":   federation.KindThrottled,
	"InternalFailure":            federation.KindUnavailable,
	"ServiceUnavailable":         federation.KindUnavailable,
	"InvalidClientTokenId":       federation.KindDenied,
	"SignatureDoesNotMatch":      federation.KindDenied,
	"IncompleteSignature":        federation.KindConfig,
	"OptInRequired":              federation.KindDenied,
	"RequestExpired":             federation.KindTokenExpired,
	"InvalidAuthorizationHeader": federation.KindDenied,
}

// failure is what an error is explained from.
type failure struct {
	Op       string
	Role     string
	From     string // the principal that assumes Role; empty by web identity
	Endpoint string
	Claims   federation.Claims
}

func explain(ctx context.Context, err error, resp *federation.Response, f failure) error {
	if resp == nil {
		return federation.Unreachable(ctx, cloud, f.Op, f.Endpoint, err)
	}
	e := &federation.Error{
		Kind: federation.KindUnavailable, Cloud: cloud, Op: f.Op,
		Status: resp.Status, RetryAfter: federation.RetryAfter(resp.Header),
	}
	if api, ok := errors.AsType[smithy.APIError](err); ok && api.ErrorCode() != "" && api.ErrorCode() != "UnknownError" {
		e.Code, e.Message = api.ErrorCode(), api.ErrorMessage()
	} else {
		e.Message = fmt.Sprintf("STS at %s answered with status %d and no error that can be read", f.Endpoint, resp.Status)
	}
	if r, ok := errors.AsType[*awshttp.ResponseError](err); ok {
		e.RequestID = r.RequestID
	}
	kind, known := kinds[e.Code]
	switch {
	case known:
		e.Kind = kind
	case resp.Status == 429:
		e.Kind = federation.KindThrottled
	case resp.Status >= 400 && resp.Status < 500:
		e.Kind = federation.KindDenied
	}
	if e.Code == "InvalidIdentityToken" && strings.Contains(strings.ToLower(e.Message), "token audience") {
		e.Kind = federation.KindAudienceMismatch
	}
	e.Hint = hint(e, f)
	return e
}

// hint prints both sides of what has to match, because STS says of a trust policy
// only that it does not.
func hint(e *federation.Error, f failure) string {
	c := f.Claims
	who := fmt.Sprintf("the token of ServiceAccount %s/%s has issuer %q, subject %q, audience %q",
		c.Namespace, c.ServiceAccount, c.Issuer, c.Subject, strings.Join(c.Audiences, ","))
	switch e.Kind {
	case federation.KindDenied, federation.KindSubjectMismatch:
		if f.From != "" {
			return fmt.Sprintf("%s may not assume %s: the role's trust policy must allow that principal sts:AssumeRole (sts:TagSession too, for session tags), and the principal's own policy must allow it", f.From, f.Role)
		}
		issuer := strings.TrimPrefix(c.Issuer, "https://")
		return fmt.Sprintf("%s; either %s does not exist, or its trust policy does not allow sts:AssumeRoleWithWebIdentity with conditions %s:sub = %q and %s:aud = %q",
			who, f.Role, issuer, c.Subject, issuer, strings.Join(c.Audiences, ","))
	case federation.KindIssuerUntrusted:
		return fmt.Sprintf("%s; the account of %s needs an IAM OIDC provider for exactly that issuer (one just made takes some seconds to work, and is asked again), and AWS must be able to fetch its keys", who, f.Role)
	case federation.KindAudienceMismatch:
		return fmt.Sprintf("%s; add that audience to the IAM OIDC provider's client IDs, or annotate the ServiceAccount with the one it has", who)
	case federation.KindTokenExpired:
		if f.From != "" {
			return fmt.Sprintf("the credentials of %s, from which %s is assumed, have ended: check the node's clock", f.From, f.Role)
		}
		return who + fmt.Sprintf("; it expired at %s: check the node's clock", c.Expiry.UTC().Format("2006-01-02T15:04:05Z"))
	case federation.KindConfig:
		return fmt.Sprintf("check the annotations of ServiceAccount %s/%s that make the request for %s", c.Namespace, c.ServiceAccount, f.Role)
	default:
		return ""
	}
}
