package federation

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

// Transient reports whether the same request to a cloud may succeed later with
// nobody changing anything. Of an error, ask [Transient]: it knows local ones.
func (k Kind) Transient() bool {
	return k == KindThrottled || k == KindUnavailable || k == KindCanceled
}
