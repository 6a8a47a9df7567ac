package awssts

import (
	"encoding/json"
	"fmt"
	"net"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"
)

// question is a request for a role, as IAM sees it.
type question struct {
	principals []string // who asks, by each name that a policy may use
	kind       string   // the element of Principal that they can be in: Federated, AWS
	action     string
	context    map[string][]string // by condition key, in lower case
}

// answer of a trust policy: allowed if a statement allows it and none denies it. What
// IAM would refuse to keep allows nothing. It is written without a look at package
// awstrust, which it is held against: on decoded JSON, with patterns made to regular
// expressions.
func (q question) answer(policy json.RawMessage) (bool, error) {
	var document struct {
		Version   string
		Statement any
	}
	if err := json.Unmarshal(policy, &document); err != nil {
		return false, err
	}
	variables := document.Version == "2012-10-17"
	allowed, denied := false, false
	for _, one := range list(document.Statement) {
		s, ok := one.(map[string]any)
		if !ok {
			return false, fmt.Errorf("a statement is a %T", one)
		}
		applies, err := q.applies(s, variables)
		if err != nil {
			return false, err
		}
		switch s["Effect"] {
		case "Allow":
			allowed = allowed || applies
		case "Deny":
			denied = denied || applies
		default:
			return false, fmt.Errorf("effect %v", s["Effect"])
		}
	}
	return allowed && !denied, nil
}

func (q question) applies(s map[string]any, variables bool) (bool, error) {
	if s["Resource"] != nil || s["NotResource"] != nil {
		return false, fmt.Errorf("has prohibited field Resource")
	}
	who, err := either(s, "Principal", q.among)
	if err != nil {
		return false, err
	}
	what, err := either(s, "Action", func(v any) bool {
		return slices.ContainsFunc(texts(v), func(p string) bool { return wildcard(p, true).MatchString(q.action) })
	})
	if err != nil {
		return false, err
	}
	when := true
	conditions, _ := s["Condition"].(map[string]any)
	for operator, keys := range conditions {
		test, err := parseTest(operator)
		if err != nil {
			return false, err
		}
		pairs, _ := keys.(map[string]any)
		for key, v := range pairs {
			when = test.holds(q.context[strings.ToLower(key)], texts(v), variables) && when
		}
	}
	return who && what && when, nil
}

// either is an element, or the one that begins with Not.
func either(s map[string]any, name string, holds func(any) bool) (bool, error) {
	v, ok := s[name]
	not, negated := s["Not"+name]
	if ok == negated {
		return false, fmt.Errorf("one of %s and Not%s is needed", name, name)
	}
	if negated {
		return !holds(not), nil
	}
	return holds(v), nil
}

func (q question) among(principals any) bool {
	if principals == "*" {
		return true
	}
	by, _ := principals.(map[string]any)
	return slices.Contains(texts(by["AWS"]), "*") || slices.ContainsFunc(texts(by[q.kind]), func(p string) bool { return p == "*" || slices.Contains(q.principals, p) })
}

// test is a condition operator.
type test struct {
	name           string
	not, missingOK bool
	every, some    bool
	compare        func(have, want string) bool
}

var operatorName = regexp.MustCompile(`(?i)^(ForAllValues:|ForAnyValue:)?([a-z]+?)(IfExists)?$`)

func parseTest(operator string) (test, error) {
	m := operatorName.FindStringSubmatch(operator)
	if m == nil {
		return test{}, fmt.Errorf("operator %s", operator)
	}
	t := test{name: strings.ToLower(m[2]), missingOK: m[3] != ""}
	t.every, t.some = strings.EqualFold(m[1], "ForAllValues:"), strings.EqualFold(m[1], "ForAnyValue:")
	plain := strings.Replace(t.name, "not", "", 1)
	t.not = plain != t.name
	var ok bool
	if t.compare, ok = compares[plain]; !ok || t.not && strings.HasPrefix(plain, "bool") {
		return test{}, fmt.Errorf("operator %s", operator)
	}
	return t, nil
}

var compares = map[string]func(have, want string) bool{
	"null":                   nil,
	"stringequals":           func(have, want string) bool { return have == want },
	"stringequalsignorecase": strings.EqualFold,
	"stringlike":             func(have, want string) bool { return wildcard(want, false).MatchString(have) },
	"arnequals":              arn,
	"arnlike":                arn,
	"bool":                   strings.EqualFold,
	"ipaddress": func(have, want string) bool {
		if !strings.Contains(want, "/") {
			return net.ParseIP(want).Equal(net.ParseIP(have))
		}
		_, network, err := net.ParseCIDR(want)
		return err == nil && network.Contains(net.ParseIP(have))
	},
	"numericequals":            ordered(number, func(c int) bool { return c == 0 }),
	"numericlessthan":          ordered(number, func(c int) bool { return c < 0 }),
	"numericlessthanequals":    ordered(number, func(c int) bool { return c <= 0 }),
	"numericgreaterthan":       ordered(number, func(c int) bool { return c > 0 }),
	"numericgreaterthanequals": ordered(number, func(c int) bool { return c >= 0 }),
	"dateequals":               ordered(moment, func(c int) bool { return c == 0 }),
	"datelessthan":             ordered(moment, func(c int) bool { return c < 0 }),
	"datelessthanequals":       ordered(moment, func(c int) bool { return c <= 0 }),
	"dategreaterthan":          ordered(moment, func(c int) bool { return c > 0 }),
	"dategreaterthanequals":    ordered(moment, func(c int) bool { return c >= 0 }),
}

// holds compares what the request has of a key with what the policy wants of it.
func (t test) holds(have, want []string, variables bool) bool {
	if t.name == "null" {
		return slices.ContainsFunc(want, func(w string) bool { return (w == "true") == (have == nil) })
	}
	if len(have) == 0 {
		return t.missingOK || t.every || t.not && !t.some
	}
	if len(have) > 1 && !t.every && !t.some {
		return false // IAM does not say; nobody should build on it
	}
	count := 0
	for _, h := range have {
		found := slices.ContainsFunc(want, func(w string) bool {
			unknown := variables && strings.Contains(w, "${") // nobody's have a value here
			return !unknown && t.compare(h, w)
		})
		if found != t.not {
			count++
		}
	}
	if t.some {
		return count > 0
	}
	return count == len(have)
}

// wildcard is a pattern with * and ?.
func wildcard(pattern string, fold bool) *regexp.Regexp {
	expression := strings.NewReplacer(`\*`, ".*", `\?`, ".").Replace(regexp.QuoteMeta(pattern))
	flags := "(?s)"
	if fold {
		flags = "(?si)"
	}
	return regexp.MustCompile(flags + "^" + expression + "$")
}

func arn(have, want string) bool {
	h, w := strings.SplitN(have, ":", 6), strings.SplitN(want, ":", 6)
	return len(h) == 6 && h[0] == "arn" && slices.EqualFunc(h, w, func(h, w string) bool { return wildcard(w, false).MatchString(h) })
}

func ordered(parse func(string) (float64, error), holds func(int) bool) func(have, want string) bool {
	return func(have, want string) bool {
		h, err := parse(have)
		w, err2 := parse(want)
		order := 0
		if h < w {
			order = -1
		} else if h > w {
			order = 1
		}
		return err == nil && err2 == nil && holds(order)
	}
}

func number(s string) (float64, error) { return strconv.ParseFloat(s, 64) }

func moment(s string) (float64, error) {
	if n, err := number(s); err == nil {
		return n, nil
	}
	layout := time.RFC3339
	if len(s) == len(time.DateOnly) {
		layout = time.DateOnly
	}
	at, err := time.Parse(layout, s)
	return float64(at.Unix()), err
}

// list is one value, or several.
func list(v any) []any {
	switch v := v.(type) {
	case nil:
		return nil
	case []any:
		return v
	}
	return []any{v}
}

func texts(v any) []string {
	var all []string
	for _, one := range list(v) {
		switch one := one.(type) {
		case float64:
			all = append(all, strconv.FormatFloat(one, 'f', -1, 64))
		default:
			all = append(all, fmt.Sprint(one))
		}
	}
	return all
}
