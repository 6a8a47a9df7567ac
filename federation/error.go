package federation

import (
	"context"
	"errors"
	"strings"
	"time"
)

// Error is why an exchange failed: the cloud's own words, and podpass's reading of
// them. It never holds a token or a key.
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
	// Message is the cloud's own text, cut to a bounded length.
	Message string
	// Hint is the likely cause and the next step. It names the ServiceAccount,
	// issuer, subject and audience concerned.
	Hint string
	// RetryAfter is how long the cloud asked to be left alone; 0 when it did not say.
	RetryAfter time.Duration
	// RequestID is what the cloud's support will ask for.
	RequestID string
	// Trusted is what [Error.ProvesTrust] reports.
	Trusted bool
	// Err is the underlying error, if any. It must not be one that prints a token.
	Err error
}

// Error gives "<op>: <code>: <message>; hint: <hint>", leaving out what is empty and
// a code with which the message begins.
func (e *Error) Error() string {
	code := e.Code
	if strings.HasPrefix(e.Message, code) { // Entra's texts begin with the code
		code = ""
	}
	var parts []string
	for _, p := range []string{e.Op, code, e.Message} {
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

// Local reports that no cloud was asked: the subject token cannot be read, or has
// ended. kubelet may replace its file at any time, so it is worth another look soon.
func (e *Error) Local() bool { return e.Cloud == "" }

// ProvesTrust reports that the cloud verified the subject token, took it for the
// identity, and refused only what was asked for with it: this resource, or under
// this policy. Another request of the same identity may succeed.
func (e *Error) ProvesTrust() bool { return e.Trusted }

// Transient reports whether what failed with err may succeed later with nobody
// changing anything: its Kind says so, or it is a local [*Error]. Protocol handlers
// answer 5xx or 429 for these and 4xx for all others.
func Transient(err error) bool {
	if e, ok := errors.AsType[*Error](err); ok && e.Local() {
		return true
	}
	return KindOf(err).Transient()
}

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
