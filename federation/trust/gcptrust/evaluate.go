package gcptrust

import (
	"fmt"
	"slices"
	"strings"

	"github.com/podpass-io/podpass/federation"
	"github.com/podpass-io/podpass/federation/finding"
	"github.com/podpass-io/podpass/federation/trust"
)

// evaluation is one token before one document.
type evaluation struct {
	document Document
	token    token
	engine   engine
}

// Evaluate says whether what d holds lets a token in. payload are all of the token's
// claims as JSON decodes them, for the provider's expressions; nil: those that claims
// tell, in the shape of a ServiceAccount's token. The signature is not looked at.
//
// A token is let in if any provider of d takes it and, where d has policies, any of them
// grants its principal. Without a policy the verdict is the provider's, without a provider
// the principal is taken to be the token's subject; a finding says so.
func Evaluate(d Document, claims federation.Claims, payload map[string]any) trust.Verdict {
	engine, err := claimsEngine()
	if err != nil {
		return trust.Verdict{Findings: []finding.Finding{finding.Bad(CodeExpression, "podpass", err.Error())}}
	}
	e := evaluation{d, newToken(claims, payload), engine}
	principals, by, found := e.principals()
	if len(principals) == 0 {
		return trust.Verdict{Findings: found}
	}
	if len(d.Policies) == 0 {
		half := finding.Finding{
			Code: CodeHalf, Severity: finding.Info, Where: by,
			Message: "no IAM policy was given, so that nothing is said about whether the service account or a resource lets the principal in",
			Seen:    finding.Clip(principals[0].name()), Command: "gcloud iam service-accounts get-iam-policy EMAIL --project=PROJECT",
		}
		return trust.Verdict{Allowed: true, By: by, Findings: append(found, half)}
	}
	return e.policies(principals, found)
}

// policies is the second gate: any policy, and any of the principals.
func (e evaluation) policies(principals []principal, found []finding.Finding) trust.Verdict {
	var refused []finding.Finding
	for n, policy := range e.document.Policies {
		where := "policy"
		if len(e.document.Policies) > 1 {
			where = fmt.Sprintf("policy[%d]", n)
		}
		for _, p := range principals {
			by, more := e.policy(where, policy, p)
			if by != "" {
				return trust.Verdict{Allowed: true, By: by, Findings: append(found, more...)}
			}
			refused = append(refused, more...)
		}
	}
	return trust.Verdict{Findings: append(onlyErrors(found), refused...)}
}

// principals are whom the token makes its bearer, by the providers that take it, with what
// is too broad of them; none, and why not.
func (e evaluation) principals() ([]principal, string, []finding.Finding) {
	if p, ok := e.google(); ok {
		return []principal{p}, "pool " + p.pool, nil
	}
	if len(e.document.Providers) == 0 {
		assumed := finding.Finding{
			Code: CodeHalf, Severity: finding.Info, Where: "policy",
			Message: "no provider was given, so that nothing is said about whether one takes the token, and its principal is taken to be its subject",
			Command: "gcloud iam workload-identity-pools providers describe PROVIDER --workload-identity-pool=POOL --location=global",
		}
		if len(e.document.Policies) == 0 {
			return nil, "", []finding.Finding{finding.Fix(finding.Bad(CodeHalf, "document", "holds neither a provider nor a policy"), "give what gcloud iam workload-identity-pools providers describe prints")}
		}
		m := mapped{subject: e.token.Subject}
		return []principal{{mapped: m}}, "", []finding.Finding{assumed}
	}
	var taken []principal
	var by string
	var broadly []finding.Finding
	var refusals [][]finding.Finding
	for _, p := range e.document.Providers {
		m, found := e.provider(p)
		if finding.Worst(found) == finding.Error {
			refusals = append(refusals, found)
			continue
		}
		if by == "" {
			by = "provider " + p.Name
		}
		taken = append(taken, principal{pool: p.Pool(), mapped: m})
		broadly = append(append(broadly, found...), e.broadProvider(p)...)
	}
	if len(taken) == 0 {
		return nil, "", e.closest(refusals)
	}
	return taken, by, broadly
}

// google is the principal of a token for a pool that Google makes for the clusters of a
// project: its audience says so, and there is no provider to describe.
func (e evaluation) google() (principal, bool) {
	i := slices.IndexFunc(e.token.Audiences, func(a string) bool { return strings.HasSuffix(a, googlePool) })
	if i < 0 {
		return principal{}, false
	}
	return principal{
		pool: e.token.Audiences[i], namespace: e.token.Namespace, account: e.token.ServiceAccount, issuer: e.token.Issuer,
		mapped: mapped{subject: e.token.Subject},
	}, true
}

// closest are the findings of the provider that the token was made for: the one that its
// audience names, else the one of its issuer, else the one with the fewest.
func (e evaluation) closest(refusals [][]finding.Finding) []finding.Finding {
	score := func(n int) int {
		s := -len(refusals[n])
		p := e.document.Providers[n]
		if slices.ContainsFunc(e.token.Audiences, func(a string) bool { return strings.HasSuffix(a, p.Name) }) {
			s += 200
		}
		if p.OIDC != nil && p.OIDC.IssuerURI == e.token.Issuer {
			s += 100
		}
		return s
	}
	best := 0
	for n := range refusals {
		if score(n) > score(best) {
			best = n
		}
	}
	return onlyErrors(refusals[best])
}

func onlyErrors(list []finding.Finding) []finding.Finding {
	return slices.DeleteFunc(slices.Clone(list), func(f finding.Finding) bool { return f.Severity != finding.Error })
}

// broadProvider is what a provider takes beyond what it need.
func (e evaluation) broadProvider(p Provider) []finding.Finding {
	var found []finding.Finding
	for _, a := range p.OIDC.AllowedAudiences {
		if trust.ForOthers(a, p.OIDC.IssuerURI) {
			f := finding.Sides(finding.Broad(CodeBroadAudience, "provider "+p.Name+" oidc.allowedAudiences", "take tokens that are made for another service, whose operator can use them here"), resource+p.Name, a)
			found = append(found, finding.Fix(f, "remove the audience"))
		}
	}
	for _, other := range e.document.Providers {
		if other.Name == p.Name || other.Pool() != p.Pool() || other.OIDC == nil || other.Disabled || other.State == "DELETED" || other.OIDC.IssuerURI == p.OIDC.IssuerURI {
			continue
		}
		subject := p.AttributeMapping[keySubject]
		if subject == other.AttributeMapping[keySubject] && !strings.Contains(subject, "assertion.iss") {
			f := finding.Sides(finding.Broad(CodeSharedSubject, "pool "+p.Pool(), "has providers for several clusters that map "+keySubject+" alike, so that a ServiceAccount of the same name in another cluster is the same principal"), p.OIDC.IssuerURI, other.OIDC.IssuerURI)
			found = append(found, finding.Fix(f, "give each cluster a pool of its own, or map a subject that names the cluster"))
			break
		}
	}
	return found
}
