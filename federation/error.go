package federation

import (
	"context"
	"errors"
	"strings"
	"time"
)

// Kind says what went wrong in terms that decide what happens next. Its text is
// the value of metric labels and of the "kind" field in logs and JSON.
type Kind string

const (
	// KindConfig: what was asked for cannot work (no such tenant, a malformed
	// role, an unreadable token file). Trying again does not help.
	KindConfig Kind = "Config"
	// KindIssuerUntrusted: the cloud does not trust, or cannot verify, the
	// cluster's issuer.
	KindIssuerUntrusted Kind = "IssuerUntrusted"
	// KindAudienceMismatch: the token's audience is not the one that the cloud expects.
	KindAudienceMismatch Kind = "AudienceMismatch"
	// KindSubjectMismatch: the cloud trusts the issuer, but not this ServiceAccount.
	KindSubjectMismatch Kind = "SubjectMismatch"
	// KindTokenExpired: the subject token is too old, or a clock is wrong.
	KindTokenExpired Kind = "TokenExpired"
	// KindDenied: a policy of the cloud says no.
	KindDenied Kind = "Denied"
	// KindThrottled: too many requests; [Error.RetryAfter] may say when to come back.
	KindThrottled Kind = "Throttled"
	// KindUnavailable: the cloud did not answer, or answered that it cannot now.
	KindUnavailable Kind = "Unavailable"
	// KindCanceled: whoever asked has gone away.
	KindCanceled Kind = "Canceled"
)

// Kinds lists every Kind, for metrics that want each label from the start.
func Kinds() []Kind {
	return []Kind{
		KindConfig, KindIssuerUntrusted, KindAudienceMismatch, KindSubjectMismatch, KindTokenExpired,
		KindDenied, KindThrottled, KindUnavailable, KindCanceled,
	}
}

// Transient reports whether the same request may succeed later with nobody
// changing anything. Protocol handlers answer 5xx or 429 for these and 4xx for
// all others.
func (k Kind) Transient() bool {
	return k == KindThrottled || k == KindUnavailable || k == KindCanceled
}

// Error is why an exchange failed: the cloud's own words kept whole, and podpass's
// reading of them. It never holds a token or a key.
type Error struct {
	Kind Kind
	// Cloud is "aws", "gcp", "azure" or "oidc"; empty when no cloud was asked.
	Cloud string
	// Op is the call that failed, in the cloud's spelling: "sts:AssumeRoleWithWebIdentity".
	Op string
	// Status is the HTTP status of the cloud's answer; 0 when there was none.
	Status int
	// Code is the cloud's own error code: "AccessDenied", "invalid_grant", "AADSTS700213".
	Code string
	// Message is the cloud's own text, in full.
	Message string
	// Hint is the likely cause and the next step. It names the ServiceAccount,
	// issuer, subject and audience concerned.
	Hint string
	// RetryAfter is how long the cloud asked to be left alone; 0 when it did not say.
	RetryAfter time.Duration
	// RequestID is what the cloud's support will ask for.
	RequestID string
	// Err is the underlying error, if any. It must not be one that prints a token.
	Err error
}

// Error gives "<op>: <code>: <message>; hint: <hint>", leaving out what is empty.
func (e *Error) Error() string {
	var parts []string
	for _, p := range []string{e.Op, e.Code, e.Message} {
		if p != "" {
			parts = append(parts, p)
		}
	}
	if e.Message == "" && e.Err != nil {
		parts = append(parts, e.Err.Error())
	}
	if len(parts) == 0 {
		parts = append(parts, string(e.Kind))
	}
	s := strings.Join(parts, ": ")
	if e.Hint != "" {
		s += "; hint: " + e.Hint
	}
	return s
}

// Unwrap returns the underlying error.
func (e *Error) Unwrap() error { return e.Err }

// KindOf reports the Kind of err: that of the first [*Error] in its chain,
// KindCanceled for a canceled context, KindUnavailable for anything else, since
// an error that nobody classified must not stop retries. A nil err has no Kind: "".
func KindOf(err error) Kind {
	if err == nil {
		return ""
	}
	if e, ok := errors.AsType[*Error](err); ok {
		return e.Kind
	}
	if errors.Is(err, context.Canceled) {
		return KindCanceled
	}
	return KindUnavailable
}
