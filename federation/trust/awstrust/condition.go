package awstrust

import (
	"slices"
	"strings"

	"github.com/podpass-io/podpass/federation/finding"
)

// condition evaluates one; what it finds is for a truth other than yes.
func (e evaluation) condition(place string, c condition) (truth, finding.Finding) {
	o, _ := parseOperator(c.operator) // malformed has looked
	where := place + " Condition " + c.operator + " " + c.key
	values, there := e.request.lookup(c.key)
	if o.base == null {
		return e.null(where, c, there)
	}
	variables, plain := e.variables(c.values)
	switch {
	case there == undecided:
		return unknown, e.depends(where, c)
	case there == absent || len(values) == 0:
		if o.ifExists || o.set == allOf || o.set == single && o.negated {
			return yes, finding.Finding{}
		}
		return no, e.why(where, c, o, nil)
	case o.set == single && len(values) > 1:
		return unknown, e.error(CodeCondition, where, finding.Finding{
			Message: "compares one value, and the token has several: IAM does not say what becomes of it",
			Seen:    strings.Join(values, ", "), Fix: "have tokens made for one audience",
		})
	}
	t := o.decide(plain, values)
	if len(variables) > 0 && (t != yes || o.negated) {
		return unknown, e.error(CodeVariable, where, finding.Finding{
			Message: "has the policy variable " + strings.Join(variables, ", ") + ", which is not evaluated here",
			Seen:    strings.Join(values, ", "), Fix: "write the value out",
		})
	}
	if t == yes {
		return yes, finding.Finding{}
	}
	return no, e.why(where, c, o, values)
}

// decide compares the request's values, at least one, with the policy's.
func (o operator) decide(policy, values []string) truth {
	fits := func(v string) bool { return o.matchesAny(policy, v) != o.negated }
	ok := false
	if o.set == anyOneOf {
		ok = slices.ContainsFunc(values, fits)
	} else {
		ok = !slices.ContainsFunc(values, func(v string) bool { return !fits(v) })
	}
	if ok {
		return yes
	}
	return no
}

// null evaluates the operator of that name: "true" holds if the key is not there.
func (e evaluation) null(where string, c condition, there presence) (truth, finding.Finding) {
	if there == undecided {
		return unknown, e.depends(where, c)
	}
	for _, v := range c.values {
		if strings.EqualFold(v, "true") == (there == absent) {
			return yes, finding.Finding{}
		}
	}
	seen := "the key is there"
	if there == absent {
		seen = "the key is missing"
	}
	return no, e.error(CodeCondition, where, finding.Finding{
		Message: "asks whether the key is missing", Expected: strings.Join(c.values, ", "), Seen: seen, Fix: "remove the condition, or turn it round",
	})
}

// variables parts the values that have policy variables, whose names it gives, from
// those that are plain. Before version 2012-10-17 of the language there are none.
func (e evaluation) variables(values []string) (names, plain []string) {
	if e.document.Role.Policy.Version != "2012-10-17" {
		return nil, values
	}
	for _, v := range values {
		found := false
		for rest := v; ; {
			_, after, ok := strings.Cut(rest, "${")
			if !ok {
				break
			}
			name, tail, ok := strings.Cut(after, "}")
			if !ok {
				break
			}
			names, rest, found = append(names, "${"+name+"}"), tail, true
		}
		if !found {
			plain = append(plain, v)
		}
	}
	return names, plain
}

// depends is a condition on what is not known of the request.
func (e evaluation) depends(where string, c condition) finding.Finding {
	return e.error(CodeRequest, where, finding.Finding{
		Message:  "depends on " + c.key + " of the request, which no token tells",
		Expected: strings.Join(c.values, ", "), Fix: "give its value with --request " + c.key + "=VALUE",
	})
}

// denied is a Deny statement that holds.
func (e evaluation) denied(place string, s Statement) finding.Finding {
	var seen []string
	for _, c := range s.conditions() {
		seen = append(seen, c.operator+" "+c.key+" "+strings.Join(c.values, ", "))
	}
	f := finding.Finding{Message: "denies the token, and a Deny wins over each Allow", Fix: "narrow the statement, or remove it"}
	if len(seen) > 0 {
		f.Seen = strings.Join(seen, "; ")
		f.Message += "; a condition with Not in its operator holds for keys that are missing"
	}
	return e.error(CodeDeny, place, f)
}
