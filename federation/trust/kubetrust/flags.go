package kubetrust

import (
	"strings"

	"github.com/podpass-io/podpass/federation/finding"
)

// Flags say the same to API servers from before structured configuration (1.30), or whose
// operator gives no access to files: one issuer, one audience, claims without expressions.
// With an error among the findings they cannot; a warning tells what is lost.
func (p *Plan) Flags() ([]string, []finding.Finding) {
	const where = "--oidc-* flags"
	cannot := func(message, next string) ([]string, []finding.Finding) {
		return nil, []finding.Finding{finding.Fix(finding.Bad(CodeFlags, where, message), "%s", next)}
	}
	const file = "use --authentication-config, which Kubernetes 1.30 and later read"
	if len(p.Issuers) != 1 {
		return cannot("are for one issuer", file+", or render one issuer alone")
	}
	i := p.Issuers[0]
	switch {
	case i.username == "":
		return cannot("know no expressions, and users of "+i.Preset+" are made by some", file)
	case i.named:
		return cannot("know no expressions, and groups are given names", file+", or bind the groups by their IDs")
	case len(i.Issuer.Audiences) > 1:
		return cannot("are for one audience", file)
	case i.Issuer.DiscoveryURL != nil:
		return cannot("know no discovery document at another place", file)
	}
	flags := []string{
		"--oidc-issuer-url=" + i.Issuer.URL, "--oidc-client-id=" + i.Issuer.Audiences[0],
		"--oidc-username-claim=" + i.username, "--oidc-username-prefix=" + i.Name + ":",
	}
	if i.groups != "" {
		flags = append(flags, "--oidc-groups-claim="+i.groups, "--oidc-groups-prefix="+i.Name+":")
	}
	var lost []finding.Finding
	for _, r := range i.ClaimValidationRules {
		switch {
		case strings.Contains(r.Claim, "="):
			return cannot("cannot require a claim whose name has an =", file)
		case r.Claim != "":
			flags = append(flags, "--oidc-required-claim="+r.Claim+"="+r.RequiredValue)
		case r.Expression == overageRule:
			// The server refuses such a token by itself, as it cannot fetch the groups.
		case r.Expression == verifiedRule:
			lost = append(lost, finding.Fix(finding.Broad(CodeFlags, where, "take an email whose token does not say whether it was verified"), "leave usernameClaim out"))
		default:
			return cannot("know no expressions, and this rule is one: "+r.Message, file)
		}
	}
	if i.Issuer.CertificateAuthority != "" {
		flags = append(flags, "--oidc-ca-file=/etc/kubernetes/"+i.Name+"-ca.pem")
		lost = append(lost, finding.Fix(finding.Note(CodeFlags, where, "want the certificate authority in a file"), "write certificateAuthority to /etc/kubernetes/%s-ca.pem on each server", i.Name))
	}
	if len(i.ClaimMappings.Extra) > 0 {
		lost = append(lost, finding.Fix(finding.Broad(CodeFlags, where, "leave out what audit logs would show besides the username, and take RS256 only"), "use --authentication-config where you can; add --oidc-signing-algs where the provider signs otherwise"))
	}
	return flags, lost
}
