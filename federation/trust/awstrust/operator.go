package awstrust

import (
	"encoding/base64"
	"net/netip"
	"strconv"
	"strings"
	"time"
)

// operator is a condition operator, taken apart: "ForAnyValue:StringNotLikeIfExists".
type operator struct {
	base     string
	set      set
	negated  bool
	ifExists bool
	// holds compares one value of the policy with one of the request, before negation.
	holds func(policy, request string) bool
}

// set is how an operator takes several values of the request.
type set int

const (
	single   set = iota // the key has one value
	allOf               // ForAllValues: each of them must match, if there are any
	anyOneOf            // ForAnyValue: one of them must match
)

// null is the operator that asks whether the key is there; it compares nothing.
const null = "null"

// comparisons by the operator's name in lower case; IAM takes any.
var comparisons = map[string]struct {
	negated bool
	holds   func(policy, request string) bool
}{
	"stringequals":              {false, equal},
	"stringnotequals":           {true, equal},
	"stringequalsignorecase":    {false, strings.EqualFold},
	"stringnotequalsignorecase": {true, strings.EqualFold},
	"stringlike":                {false, like},
	"stringnotlike":             {true, like},
	"arnequals":                 {false, arnLike},
	"arnlike":                   {false, arnLike},
	"arnnotequals":              {true, arnLike},
	"arnnotlike":                {true, arnLike},
	"bool":                      {false, strings.EqualFold},
	"binaryequals":              {false, sameBytes},
	"numericequals":             {false, numbers(func(request, policy float64) bool { return request == policy })},
	"numericnotequals":          {true, numbers(func(request, policy float64) bool { return request == policy })},
	"numericlessthan":           {false, numbers(func(request, policy float64) bool { return request < policy })},
	"numericlessthanequals":     {false, numbers(func(request, policy float64) bool { return request <= policy })},
	"numericgreaterthan":        {false, numbers(func(request, policy float64) bool { return request > policy })},
	"numericgreaterthanequals":  {false, numbers(func(request, policy float64) bool { return request >= policy })},
	"dateequals":                {false, dates(func(order int) bool { return order == 0 })},
	"datenotequals":             {true, dates(func(order int) bool { return order == 0 })},
	"datelessthan":              {false, dates(func(order int) bool { return order < 0 })},
	"datelessthanequals":        {false, dates(func(order int) bool { return order <= 0 })},
	"dategreaterthan":           {false, dates(func(order int) bool { return order > 0 })},
	"dategreaterthanequals":     {false, dates(func(order int) bool { return order >= 0 })},
	"ipaddress":                 {false, within},
	"notipaddress":              {true, within},
	null:                        {false, nil},
}

// parseOperator gives false for an operator that IAM does not have.
func parseOperator(name string) (operator, bool) {
	o := operator{base: strings.ToLower(name)}
	if prefix, rest, ok := strings.Cut(o.base, ":"); ok {
		switch prefix {
		case "forallvalues":
			o.set = allOf
		case "foranyvalue":
			o.set = anyOneOf
		default:
			return o, false
		}
		o.base = rest
	}
	o.base, o.ifExists = strings.CutSuffix(o.base, "ifexists")
	c, ok := comparisons[o.base]
	o.negated, o.holds = c.negated, c.holds
	return o, ok && (o.base != null || !o.ifExists && o.set == single)
}

// matchesAny reports whether one of the policy's values fits the request's, negation
// aside.
func (o operator) matchesAny(policy []string, request string) bool {
	for _, p := range policy {
		if o.holds(p, request) {
			return true
		}
	}
	return false
}

func equal(policy, request string) bool { return policy == request }

// like is StringLike: * stands for any text, also none, ? for one character.
func like(pattern, text string) bool {
	p, t := []rune(pattern), []rune(text)
	star, mark := -1, 0 // where to go on after a mismatch
	i, j := 0, 0
	for j < len(t) {
		switch {
		case i < len(p) && p[i] == '*':
			star, mark = i, j
			i++
		case i < len(p) && (p[i] == '?' || p[i] == t[j]):
			i++
			j++
		case star >= 0:
			mark++
			i, j = star+1, mark
		default:
			return false
		}
	}
	for i < len(p) && p[i] == '*' {
		i++
	}
	return i == len(p)
}

// arnLike compares the six parts of two ARNs, each by like. ArnEquals is the same.
func arnLike(pattern, text string) bool {
	p, t := strings.SplitN(pattern, ":", 6), strings.SplitN(text, ":", 6)
	if len(p) != 6 || len(t) != 6 || t[0] != "arn" {
		return false
	}
	for n := range p {
		if !like(p[n], t[n]) {
			return false
		}
	}
	return true
}

func sameBytes(policy, request string) bool {
	p, err := base64.StdEncoding.DecodeString(policy)
	return err == nil && string(p) == request
}

func numbers(holds func(request, policy float64) bool) func(string, string) bool {
	return func(policy, request string) bool {
		p, err := strconv.ParseFloat(policy, 64)
		r, err2 := strconv.ParseFloat(request, 64)
		return err == nil && err2 == nil && holds(r, p)
	}
}

func dates(holds func(order int) bool) func(string, string) bool {
	return func(policy, request string) bool {
		p, ok := parseDate(policy)
		r, ok2 := parseDate(request)
		return ok && ok2 && holds(r.Compare(p))
	}
}

// parseDate reads the forms that IAM takes: W3C's profile of ISO 8601, and seconds
// since 1970.
func parseDate(text string) (time.Time, bool) {
	for _, layout := range []string{time.RFC3339, "2006-01-02T15:04Z07:00", time.DateOnly} {
		if t, err := time.Parse(layout, text); err == nil {
			return t, true
		}
	}
	seconds, err := strconv.ParseInt(text, 10, 64)
	return time.Unix(seconds, 0), err == nil
}

// within reports whether an address is in a range, or is the address.
func within(policy, request string) bool {
	ip, err := netip.ParseAddr(request)
	if err != nil {
		return false
	}
	if prefix, err := netip.ParsePrefix(policy); err == nil {
		return prefix.Contains(ip.Unmap())
	}
	one, _ := netip.ParseAddr(policy) // without an address it is that of nothing
	return one == ip.Unmap()
}
