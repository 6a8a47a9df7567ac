package awstrust

import (
	"fmt"
	"slices"
	"strings"

	"github.com/podpass-io/podpass/federation"
	"github.com/podpass-io/podpass/federation/finding"
	"github.com/podpass-io/podpass/federation/trust"
)

// action is what a pod asks of STS.
const action = "sts:AssumeRoleWithWebIdentity"

// Evaluate says whether AWS lets a token with these claims assume the document's role,
// as far as the token decides it.
func Evaluate(d Document, c federation.Claims) trust.Verdict {
	return EvaluateRequest(d, Request{Claims: c})
}

// EvaluateRequest is Evaluate where more of the request is known. A verdict that allows
// is certain; one that does not may say, under [CodeRequest], what it would have to know.
func EvaluateRequest(d Document, r Request) trust.Verdict {
	e := evaluation{d, r}
	if why := trust.Unreachable(r.Claims.Issuer); why != "" {
		return trust.Verdict{Findings: []finding.Finding{e.error(CodeUnreachable, "the token's issuer", finding.Finding{
			Message: why + ", so that AWS cannot fetch its keys, whatever IAM is told", Seen: r.Claims.Issuer,
			Fix: "give the cluster an issuer that the internet can reach over https (the API server's --service-account-issuer), and publish its discovery document and keys there",
		})}}
	}
	providers := e.providers()
	if d.Role == nil {
		if len(d.Providers) == 0 {
			providers = []finding.Finding{e.error(CodeMalformed, "", finding.Finding{Message: "there is neither a role nor a provider to look at"})}
		}
		v := trust.Verdict{Allowed: len(providers) == 0, Findings: providers}
		if v.Allowed {
			v.By = "the provider"
		}
		return v
	}
	v := e.role()
	if len(providers) > 0 {
		v.Allowed, v.By = false, ""
		v.Findings = append(providers, slices.DeleteFunc(v.Findings, func(f finding.Finding) bool { return f.Severity != finding.Error })...)
	}
	return v
}

// evaluation is of one document and one request.
type evaluation struct {
	document Document
	request  Request
}

// truth of a statement or one of its parts.
type truth int

const (
	no truth = iota
	yes
	unknown
)

// outcome is what became of a statement: how far it held, and what stood in the way.
type outcome struct {
	truth    truth
	reached  int // how many of its parts held, of principal and action
	findings []finding.Finding
}

// role evaluates the role's trust policy.
func (e evaluation) role() trust.Verdict {
	policy := e.document.Role.Policy
	if bad := e.malformed(policy); len(bad) > 0 {
		return trust.Verdict{Findings: bad}
	}
	var v trust.Verdict
	var denied, broad []finding.Finding
	var missed []outcome
	for n, s := range policy.Statements {
		place := fmt.Sprintf("Statement[%d]", n)
		o := e.statement(place, s)
		switch {
		case s.Effect == "Deny" && o.truth == yes:
			denied = append(denied, e.denied(place, s))
		case s.Effect == "Deny" && o.truth == unknown:
			denied = append(denied, o.findings...)
		case s.Effect == "Deny":
		case o.truth == yes:
			if v.By == "" {
				v.By = place
			}
			broad = append(broad, e.broad(place, s)...)
		default:
			missed = append(missed, o)
		}
	}
	switch {
	case len(denied) > 0:
		return trust.Verdict{Findings: denied}
	case v.By != "":
		v.Allowed, v.Findings = true, broad
	default:
		v.Findings = e.nearest(missed)
	}
	return v
}

// statement evaluates one: each of its parts must hold.
func (e evaluation) statement(place string, s Statement) outcome {
	if f, ok := e.principal(place, s); !ok {
		return outcome{findings: []finding.Finding{f}}
	}
	if f, ok := e.action(place, s); !ok {
		return outcome{reached: 1, findings: []finding.Finding{f}}
	}
	o := outcome{truth: yes, reached: 2}
	for _, c := range s.conditions() {
		t, f := e.condition(place, c)
		if t == yes {
			continue
		}
		o.findings = append(o.findings, f)
		if right, ok := e.corrected(c); ok {
			// With its key mended it may be wrong still: that is said at once.
			if t, f := e.condition(place, right); t != yes {
				o.findings = append(o.findings, f)
			}
		}
		if o.truth == yes || t == no { // one that does not hold decides
			o.truth = t
		}
	}
	return o
}

// maxFindings bounds those of one verdict: a policy of 4,096 characters has room for a
// few dozen statements, and nobody reads on.
const maxFindings = 20

// nearest gives what stood in the way of the statements that came nearest to letting
// the token in: the others are about somebody else. Of several that are, say, other
// issuers' one is shown.
func (e evaluation) nearest(missed []outcome) []finding.Finding {
	if len(missed) == 0 {
		return []finding.Finding{e.error(CodeMalformed, "", finding.Finding{
			Message: "no statement allows anything", Fix: "add a statement that allows " + action + ": podpass trust aws renders it",
		})}
	}
	best := slices.MaxFunc(missed, func(a, b outcome) int { return a.reached - b.reached }).reached
	var list []finding.Finding
	for _, o := range missed {
		for _, f := range o.findings {
			told := best < 2 && slices.ContainsFunc(list, func(g finding.Finding) bool { return g.Code == f.Code })
			if o.reached == best && !told && len(list) < maxFindings {
				list = append(list, f)
			}
		}
	}
	return list
}

// action evaluates Action or NotAction.
func (e evaluation) action(place string, s Statement) (finding.Finding, bool) {
	patterns, want := s.Action, true
	if s.NotAction != nil {
		patterns, want = s.NotAction, false
	}
	named := slices.ContainsFunc(patterns, func(p string) bool { return like(strings.ToLower(p), strings.ToLower(action)) })
	if named == want {
		return finding.Finding{}, true
	}
	return e.error(CodeAction, place+" Action", finding.Finding{
		Message:  "is another action than the one with which a ServiceAccount's token is traded",
		Expected: action, Seen: strings.Join(patterns, ", "),
		Fix: "set Action to " + action,
	}), false
}

// malformed is what IAM refuses in a trust policy. Where there is any, the document is
// not what the role has.
func (e evaluation) malformed(p Policy) []finding.Finding {
	var list []finding.Finding
	bad := func(where, message string) {
		if len(list) < maxFindings {
			list = append(list, e.error(CodeMalformed, where, finding.Finding{Message: message, Fix: "correct it: IAM refuses such a trust policy"}))
		}
	}
	if p.Version != "" && p.Version != "2012-10-17" && p.Version != "2008-10-17" {
		bad("Version", fmt.Sprintf("is %.40q, and can only be 2012-10-17 or 2008-10-17", p.Version))
	}
	for n, s := range p.Statements {
		place := fmt.Sprintf("Statement[%d]", n)
		if s.Effect != "Allow" && s.Effect != "Deny" {
			bad(place+" Effect", fmt.Sprintf("is %.40q, and can only be Allow or Deny", s.Effect))
		}
		if (s.Principal == nil) == (s.NotPrincipal == nil) {
			bad(place, "needs one of Principal and NotPrincipal")
		}
		if (s.Action == nil) == (s.NotAction == nil) {
			bad(place, "needs one of Action and NotAction")
		}
		if s.Resource != nil || s.NotResource != nil {
			bad(place, "has a Resource, and the resource of a trust policy is the role itself")
		}
		for _, c := range s.conditions() {
			if _, ok := parseOperator(c.operator); !ok {
				bad(place+" Condition", fmt.Sprintf("%.80q is not a condition operator", c.operator))
			}
		}
	}
	return list
}

// error completes a finding that keeps pods from the role.
func (e evaluation) error(code, where string, f finding.Finding) finding.Finding {
	return e.complete(finding.Error, code, where, f)
}

// maxText bounds what a finding quotes of a document.
const maxText = 400

func (e evaluation) complete(severity finding.Severity, code, where string, f finding.Finding) finding.Finding {
	f.Code, f.Severity = code, severity
	if name := e.document.Name(); !strings.HasPrefix(where, name) {
		where = strings.TrimSpace(name + " " + where)
	}
	f.Where = federation.Clip(where, maxText)
	f.Expected, f.Seen = federation.Clip(f.Expected, maxText), federation.Clip(f.Seen, maxText)
	f.Message, f.Fix = federation.Clip(f.Message, 2*maxText), federation.Clip(f.Fix, 2*maxText)
	if role := e.document.Role; role != nil && role.Name != "" && f.Command == "" {
		f.Command = "aws iam get-role --role-name " + role.Name
	}
	return f
}
