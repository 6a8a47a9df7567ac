package awstrust

import (
	"fmt"
	"slices"
	"strings"

	"github.com/podpass-io/podpass/federation/finding"
)

// why says why a condition does not hold: the trap by its name, if it is one that many
// have been caught in. values are the request's; none: the key is not there.
func (e evaluation) why(where string, c condition, o operator, values []string) finding.Finding {
	if values == nil {
		return e.whyAbsent(where, c)
	}
	claim, _ := e.request.claim(strings.ToLower(c.key))
	f := finding.Finding{Expected: strings.Join(c.values, ", "), Seen: strings.Join(values, ", ")}
	code := CodeCondition
	switch anyOf := func(holds func(policy, request string) bool) bool {
		return slices.ContainsFunc(c.values, func(p string) bool {
			return slices.ContainsFunc(values, func(v string) bool { return holds(p, v) })
		})
	}; {
	case o.negated:
		f.Message, f.Fix = "excludes this token", "narrow the condition"
	case strings.HasPrefix(o.base, "arn") && claim != "":
		f.Message, f.Fix = "compares ARNs, and the claim is none, so that it never holds", "use StringEquals or StringLike"
	case slices.ContainsFunc(c.values, func(v string) bool { return strings.Contains(v, "${") }):
		code = CodeVariable
		f.Message, f.Fix = "has a policy variable, which is plain text unless the policy's Version is 2012-10-17", "write the value out"
	case claim == "aud" && anyOf(func(p, _ string) bool { return strings.HasPrefix(p, "system:serviceaccount:") }):
		code = CodeSwapped
		f.Message, f.Fix = "compares the audience with a subject", "compare "+e.request.issuer()+":sub with it, and :aud with the audience"
	case claim == "sub" && anyOf(func(p, _ string) bool {
		return slices.Contains(e.request.Claims.Audiences, p) || p == "sts.amazonaws.com"
	}):
		code = CodeSwapped
		f.Message, f.Fix = "compares the subject with an audience", "compare "+e.request.issuer()+":aud with it, and :sub with the subject"
	case strings.HasPrefix(o.base, "stringequals") && anyOf(func(p, v string) bool { return strings.ContainsAny(p, "*?") && like(p, v) }):
		code = CodeLiteralWildcard
		f.Message, f.Fix = "takes * and ? as they stand: only StringLike has wildcards", "use StringLike"
	case anyOf(func(p, v string) bool {
		return !o.holds(p, v) && o.holds(strings.ToLower(p), strings.ToLower(v))
	}):
		code = CodeCase
		f.Message, f.Fix = "differs in upper and lower case, which count", "write it as the token has it"
	case claim == "sub":
		code = CodeSubject
		f.Message, f.Fix = "is for another ServiceAccount", "add "+e.request.Claims.Subject+" to the condition, or annotate the ServiceAccount with its own role"
		if !anyOf(func(p, _ string) bool { return strings.Count(p, ":") == 3 || strings.ContainsAny(p, "*?") }) {
			f.Message += "; a subject has the form system:serviceaccount:NAMESPACE:NAME"
		}
	case claim == "aud":
		code = CodeAudience
		f.Message, f.Fix = "is for another audience", "set it to the token's; or annotate the ServiceAccount with eks.amazonaws.com/audience"
	default:
		f.Message, f.Fix = "does not hold", "correct the condition"
	}
	return e.error(code, where, f)
}

// corrected gives a condition on sub or aud with the key that it should have; false: its
// key is that, or is of something else.
func (e evaluation) corrected(c condition) (condition, bool) {
	lower := strings.ToLower(c.key)
	if _, own := e.request.claim(lower); own || !foreign(lower) {
		return condition{}, false
	}
	claim := lower[strings.LastIndexByte(lower, ':')+1:]
	if claim != "sub" && claim != "aud" {
		return condition{}, false
	}
	c.key = e.request.issuer() + ":" + claim
	return c, true
}

// whyAbsent is a condition on a key that the request does not have.
func (e evaluation) whyAbsent(where string, c condition) finding.Finding {
	issuer, lower := e.request.issuer(), strings.ToLower(c.key)
	of, claim := lower, ""
	if colon := strings.LastIndexByte(lower, ':'); colon >= 0 {
		of, claim = lower[:colon], lower[colon+1:]
	}
	want := issuer + ":" + claim
	if _, own := e.request.claim(lower); own && claim == "aud" {
		return e.error(CodeAudience, where, finding.Finding{Message: "asks for an audience, and the token has none", Expected: strings.Join(c.values, ", "), Fix: "have tokens made for an audience"})
	} else if own {
		return e.error(CodeKeyUnknown, where, finding.Finding{
			Message: fmt.Sprintf("asks for the claim %.80q, and of a token AWS reads sub, aud and amr, of which Kubernetes writes sub and aud", claim),
			Fix:     "put the namespace and the name into the condition on " + issuer + ":sub",
		})
	}
	switch {
	case strings.Contains(lower, "://") || strings.HasPrefix(lower, "arn:"):
		return e.error(CodeKeyForm, where, finding.Finding{
			Message: "has https:// or an ARN in the condition key, which begins with the issuer alone", Expected: want, Seen: c.key, Fix: "write the key as " + want,
		})
	case sameButSlash(of, strings.ToLower(issuer)):
		return e.error(CodeTrailingSlash, where, finding.Finding{
			Message: "differs from the token's issuer by the / at its end", Expected: want, Seen: c.key, Fix: "write the key as " + want,
		})
	case foreign(lower):
		return e.error(CodeKeyUnknown, where, finding.Finding{
			Message: "is a key of another issuer than the token's", Expected: want, Seen: c.key, Fix: "write the key as " + want,
		})
	}
	f := finding.Finding{Message: "is a key that a web identity never has, so that the condition never holds", Seen: c.key, Fix: "remove the condition"}
	if lower == "sts:externalid" {
		f.Message = "asks for an external ID, which belongs to sts:AssumeRole: a web identity has none"
	}
	return e.error(CodeKeyAbsent, where, f)
}
