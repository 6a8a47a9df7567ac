package awstrust

import (
	"slices"
	"strings"

	"github.com/podpass-io/podpass/federation/finding"
)

// broad says where a statement that lets the token in lets in more than one would mean.
func (e evaluation) broad(place string, s Statement) []finding.Finding {
	var list []finding.Finding
	warn := func(code, where string, f finding.Finding) {
		list = append(list, e.complete(finding.Warning, code, where, f))
	}
	issuer := e.request.issuer()
	if s.NotPrincipal != nil || s.Principal.Everyone || slices.Contains(s.Principal.Federated, "*") {
		warn(CodeAnyPrincipal, place, finding.Finding{
			Message: "trusts everyone, not only the cluster's provider", Expected: e.providerARN(), Seen: "*", Fix: "name the provider as the Federated principal",
		})
	}
	subject, audience := e.bound(s, "sub"), e.bound(s, "aud")
	switch {
	case subject.values == nil && subject.loose == "":
		warn(CodeAnySubject, place, finding.Finding{
			Message: "has no condition on the subject: each ServiceAccount of the cluster, in any namespace, may assume the role",
			Fix:     "add StringEquals " + issuer + ":sub " + e.request.Claims.Subject,
		})
	case subject.values == nil:
		warn(CodeHoldsWhereMissing, place+" Condition "+subject.loose+" "+issuer+":sub", finding.Finding{
			Message: "holds, too, for a token without a subject", Fix: "use StringEquals",
		})
	}
	for _, v := range subject.values {
		if subject.wild && acrossNamespaces(v) {
			warn(CodeAcrossNamespaces, place+" Condition "+issuer+":sub", finding.Finding{
				Message: "has a wildcard that crosses namespaces: whoever can make a ServiceAccount in another namespace may assume the role",
				Seen:    v, Fix: "write the namespace out: system:serviceaccount:NAMESPACE:*",
			})
		}
	}
	switch {
	case audience.values == nil && audience.loose == "":
		warn(CodeAnyAudience, place, finding.Finding{
			Message: "has no condition on the audience: tokens made for anybody else whom the provider lists are taken, too",
			Fix:     "add StringEquals " + issuer + ":aud " + strings.Join(e.request.Claims.Audiences, ", "),
		})
	case audience.values == nil:
		warn(CodeHoldsWhereMissing, place+" Condition "+audience.loose+" "+issuer+":aud", finding.Finding{
			Message: "holds, too, for a token without an audience", Fix: "use StringEquals",
		})
	}
	return list
}

// bound is how a statement bounds one claim.
type bound struct {
	values []string // nil: it does not
	wild   bool     // with wildcards
	loose  string   // an operator that bounds the claim only where it is there
}

func (e evaluation) bound(s Statement, claim string) bound {
	var b bound
	for _, c := range s.conditions() {
		o, _ := parseOperator(c.operator)
		if got, ok := e.request.claim(strings.ToLower(c.key)); !ok || got != claim || o.negated || o.base == null {
			continue
		}
		if o.ifExists || o.set == allOf {
			b.loose = c.operator
			continue
		}
		if b.values == nil || b.wild { // conditions add up: one without wildcards decides
			b.values, b.wild = c.values, o.base == "stringlike"
		}
	}
	return b
}

// acrossNamespaces reports whether a pattern of subjects has a wildcard before the name
// of the ServiceAccount: in system:serviceaccount:shop:* it has none.
func acrossNamespaces(pattern string) bool {
	wildcard := strings.IndexAny(pattern, "*?")
	return wildcard >= 0 && strings.Count(pattern[:wildcard], ":") < 3
}
