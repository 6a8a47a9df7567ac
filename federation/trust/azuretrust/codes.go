package azuretrust

import (
	"fmt"

	"github.com/podpass-io/podpass/federation"
	"github.com/podpass-io/podpass/federation/finding"
)

// Codes of findings; each has a heading in docs/errors.md.
const (
	CodeNone              = "WI260" // the identity has no federated credential
	CodeIssuer            = "WI261" // another issuer
	CodeIssuerSpelling    = "WI262" // the same issuer, spelled otherwise
	CodeIssuerUnreachable = "WI263" // an issuer that exists only in the cluster
	CodeSubject           = "WI264" // another subject
	CodeSubjectSpelling   = "WI265" // the same subject, spelled otherwise
	CodeSubjectPattern    = "WI266" // a pattern, which Entra takes to the letter
	CodeAudience          = "WI267" // another audience
	CodeAudienceSpelling  = "WI268" // the same audience, spelled otherwise
	CodeSwapped           = "WI269" // subject and audience in each other's place
	CodeFlexible          = "WI270" // an expression, which Entra does not evaluate for clusters
	CodeAlgorithm         = "WI271" // a token that is not signed with RS256
	CodeBroadAudience     = "WI272" // an audience that tokens for others have, too
	CodeLimit             = "WI273" // more federated credentials than an identity takes
	CodeLength            = "WI274" // an issuer that is too long
	CodeIdentity          = "WI275" // a ServiceAccount that names no client ID, or is denied
)

// clipped bounds what findings quote of a document.
const clipped = 300

func bad(code, where, message, expected, seen string) finding.Finding {
	return finding.Finding{
		Code: code, Severity: finding.Error, Where: where, Message: message,
		Expected: federation.Clip(expected, clipped), Seen: federation.Clip(seen, clipped),
	}
}

func fix(f finding.Finding, format string, args ...any) finding.Finding {
	f.Fix = fmt.Sprintf(format, args...)
	return f
}
