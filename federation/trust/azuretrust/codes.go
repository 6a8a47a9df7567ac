package azuretrust

import (
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

func bad(code, where, message, expected, seen string) finding.Finding {
	return finding.Sides(finding.Bad(code, where, message), expected, seen)
}
