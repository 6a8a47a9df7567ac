package azuretrust

import (
	"path"
	"slices"
	"strings"

	"github.com/podpass-io/podpass/federation"
	"github.com/podpass-io/podpass/federation/azure"
	"github.com/podpass-io/podpass/federation/finding"
	"github.com/podpass-io/podpass/federation/trust"
)

// Evaluate says whether any federated credential of d lets a token in; if none does, the
// findings are about the one that comes closest. The signature is not looked at.
func Evaluate(d Document, claims federation.Claims) trust.Verdict {
	if len(d.Credentials) == 0 {
		f := bad(CodeNone, "identity", "has no federated credential, and trusts no cluster", "", "")
		return trust.Verdict{Findings: []finding.Finding{finding.Fix(f, "create one; podpass trust azure prints it")}}
	}
	if claims.Algorithm != "" && claims.Algorithm != algorithm {
		f := bad(CodeAlgorithm, "token", "is signed with an algorithm that Entra does not take", algorithm, claims.Algorithm)
		return trust.Verdict{Findings: []finding.Finding{finding.Fix(f, "let the API server sign with an RSA key: --service-account-signing-key-file")}}
	}
	var closest []finding.Finding
	best := -1
	for _, c := range d.Credentials {
		found, closeness := c.compare(claims)
		if len(found) == 0 {
			return trust.Verdict{Allowed: true, By: c.where(), Findings: c.tooBroad(claims)}
		}
		if closeness > best {
			closest, best = found, closeness
		}
	}
	return trust.Verdict{Findings: closest}
}

// algorithm is the only one with which Entra takes tokens.
const algorithm = "RS256"

func (c Credential) where() string { return "federated credential " + federation.Clip(c.Name, 120) }

// compare gives what keeps the credential from letting the token in, and how close it
// comes: two points for what is equal, one for what is meant to be.
func (c Credential) compare(claims federation.Claims) ([]finding.Finding, int) {
	issuer, i := c.issuer(claims)
	subject, s := c.subject(claims)
	audience, a := c.audience(claims)
	// The issuer tells the clusters apart, so that it weighs as much as the others together.
	found := append(append(issuer, subject...), audience...)
	if swapped := c.swapped(claims); swapped != nil {
		return append(issuer, swapped...), 2*i + 2
	}
	return found, 2*i + s + a
}

func (c Credential) issuer(claims federation.Claims) ([]finding.Finding, int) {
	where := c.where() + " issuer"
	if c.Issuer == claims.Issuer {
		if why := trust.Unreachable(c.Issuer); why != "" {
			f := bad(CodeIssuerUnreachable, where, "is an issuer that exists only in the cluster, so that Entra cannot fetch its keys: it "+why, "an https URL that the internet reaches", c.Issuer)
			f.Command = "kubectl get --raw /.well-known/openid-configuration"
			return []finding.Finding{finding.Fix(f, "publish the cluster's discovery document and keys, and let the API server issue for that URL: --service-account-issuer")}, 2
		}
		return nil, 2
	}
	if way := trust.Spelling(c.Issuer, claims.Issuer); way != "" {
		f := bad(CodeIssuerSpelling, where, "differs from the token's issuer in "+way+", and Entra compares to the letter", claims.Issuer, c.Issuer)
		return []finding.Finding{finding.Fix(f, "write the issuer as the token has it")}, 1
	}
	f := bad(CodeIssuer, where, "is not the issuer of the token", claims.Issuer, c.Issuer)
	return []finding.Finding{finding.Fix(f, "create a credential for this cluster, or correct the issuer")}, 0
}

func (c Credential) subject(claims federation.Claims) ([]finding.Finding, int) {
	where := c.where() + " subject"
	switch {
	case c.Expression != nil:
		f := bad(CodeFlexible, c.where()+" claimsMatchingExpression", "is an expression, and Entra evaluates those for tokens of GitHub, GitLab and Terraform Cloud alone", claims.Subject, c.Expression.Value)
		return []finding.Finding{finding.Fix(f, "create a credential with the subject instead, one a ServiceAccount")}, 1
	case c.Subject == claims.Subject:
		return nil, 2
	}
	if way := trust.Spelling(c.Subject, claims.Subject); way != "" {
		f := bad(CodeSubjectSpelling, where, "differs from the token's subject in "+way+", and Entra compares to the letter", claims.Subject, c.Subject)
		return []finding.Finding{finding.Fix(f, "write the subject as the token has it")}, 1
	}
	if ok, err := path.Match(c.Subject, claims.Subject); ok && err == nil {
		f := bad(CodeSubjectPattern, where, "is a pattern, and Entra takes it to the letter", claims.Subject, c.Subject)
		return []finding.Finding{finding.Fix(f, "create a credential for each ServiceAccount")}, 1
	}
	f := bad(CodeSubject, where, "is not the subject of the token", claims.Subject, c.Subject)
	return []finding.Finding{finding.Fix(f, "create a credential for this ServiceAccount")}, 0
}

func (c Credential) audience(claims federation.Claims) ([]finding.Finding, int) {
	where, expected, seen := c.where()+" audiences", strings.Join(claims.Audiences, ", "), strings.Join(c.Audiences, ", ")
	for _, a := range c.Audiences {
		if slices.Contains(claims.Audiences, a) {
			return nil, 2
		}
	}
	for _, a := range c.Audiences {
		for _, b := range claims.Audiences {
			if way := trust.Spelling(a, b); way != "" {
				f := bad(CodeAudienceSpelling, where, "differ from the token's audience in "+way+", and Entra compares to the letter", expected, seen)
				return []finding.Finding{finding.Fix(f, "write the audience as the token has it")}, 1
			}
		}
	}
	f := bad(CodeAudience, where, "do not have the token's audience", expected, seen)
	if slices.Contains(c.Audiences, azure.DefaultAudience) {
		return []finding.Finding{finding.Fix(f, "ask for a token with the audience %s: by the chart value azure.audience, or, in a pod of your own making, in its projected volume", azure.DefaultAudience)}, 0
	}
	return []finding.Finding{finding.Fix(f, "write the token's audience, which is %s in most clouds", azure.DefaultAudience)}, 0
}

// swapped says that subject and audience have changed places.
func (c Credential) swapped(claims federation.Claims) []finding.Finding {
	if !slices.Contains(claims.Audiences, c.Subject) && !slices.Contains(c.Audiences, claims.Subject) {
		return nil
	}
	f := bad(CodeSwapped, c.where(), "has the audience where the subject belongs, or the other way round",
		"subject "+claims.Subject+", audience "+strings.Join(claims.Audiences, ", "), "subject "+c.Subject+", audience "+strings.Join(c.Audiences, ", "))
	return []finding.Finding{finding.Fix(f, "write each in its place")}
}

// tooBroad is what the credential takes beyond what it need.
func (c Credential) tooBroad(claims federation.Claims) []finding.Finding {
	for _, a := range c.Audiences {
		if trust.ForOthers(a, claims.Issuer, azure.DefaultAudience) {
			f := bad(CodeBroadAudience, c.where()+" audiences", "take tokens that are made for another service, whose operator can use them here", azure.DefaultAudience, a)
			f.Severity = finding.Warning
			return []finding.Finding{finding.Fix(f, "use %s, and ask for tokens with it", azure.DefaultAudience)}
		}
	}
	return nil
}
