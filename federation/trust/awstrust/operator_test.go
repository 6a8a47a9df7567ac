package awstrust

import "testing"

// TestOperators: one value of a policy against one of the request.
func TestOperators(t *testing.T) {
	for _, test := range []struct {
		operator, policy, request string
		want                      bool
	}{
		{"StringEquals", "a", "a", true},
		{"StringEquals", "a", "A", false},
		{"StringEquals", "*", "a", false},
		{"StringNotEquals", "a", "b", true},
		{"StringNotEquals", "a", "a", false},
		{"StringEqualsIgnoreCase", "aB", "Ab", true},
		{"StringNotEqualsIgnoreCase", "aB", "Ab", false},
		{"StringLike", "a*c", "abbc", true},
		{"StringLike", "a*c", "ac", true},
		{"StringLike", "a*c", "acd", false},
		{"StringLike", "a*b*c", "axbxbxc", true},
		{"StringLike", "a?c", "abc", true},
		{"StringLike", "a?c", "ac", false},
		{"StringLike", "*", "", true},
		{"StringLike", "?", "é", true},
		{"StringLike", "a**", "a", true},
		{"StringLike", "", "a", false},
		{"StringLike", "[a]", "a", false},
		{"StringNotLike", "a*", "b", true},
		{"StringNotLike", "a*", "ab", false},
		{"ArnLike", "arn:aws:iam::*:role/*", "arn:aws:iam::111122223333:role/x", true},
		{"ArnEquals", "arn:aws:iam::*:role/x", "arn:aws:iam::111122223333:role/x", true},
		{"ArnLike", "arn:aws:*:role/x", "arn:aws:iam::111122223333:role/x", false}, // a star stays in its part
		{"ArnLike", "*", "arn:aws:iam::111122223333:role/x", false},
		{"ArnLike", "system:serviceaccount:a:b:c:d", "system:serviceaccount:a:b:c:d", false},
		{"ArnNotLike", "arn:aws:iam::*:role/*", "arn:aws:iam::111122223333:user/x", true},
		{"ArnNotEquals", "arn:aws:iam::*:role/*", "arn:aws:iam::111122223333:role/x", false},
		{"ArnLike", "arn:*:*:*:*:*", "arn:aws:iam", false},
		{"ArnLike", "arn:*", "arn:aws:iam::111122223333:role/x", false},
		{"Bool", "true", "True", true},
		{"Bool", "false", "true", false},
		{"BinaryEquals", "YQ==", "a", true},
		{"BinaryEquals", "YQ==", "b", false},
		{"BinaryEquals", "?", "", false},
		{"NumericEquals", "3600", "3600.0", true},
		{"NumericLessThan", "x", "-1", false},
		{"NumericLessThan", "3600", "x", false},
		{"NumericEquals", "3600", "x", false},
		{"NumericNotEquals", "3600", "900", true},
		{"NumericLessThan", "3600", "3599", true},
		{"NumericLessThan", "3600", "3600", false},
		{"NumericLessThanEquals", "3600", "3600", true},
		{"NumericGreaterThan", "900", "901", true},
		{"NumericGreaterThan", "900", "900", false},
		{"NumericGreaterThanEquals", "900", "900", true},
		{"NumericGreaterThanEquals", "900", "899", false},
		{"DateEquals", "2026-01-01T00:00:00Z", "1767225600", true},
		{"DateNotEquals", "2026-01-01", "2026-01-01T00:00:00Z", false},
		{"DateLessThan", "2026-01-01T00:00Z", "2025-12-31T23:59:59Z", true},
		{"DateLessThan", "2026-01-01", "2026-01-01T00:00:00Z", false},
		{"DateLessThanEquals", "2026-01-01", "2026-01-01T00:00:00Z", true},
		{"DateGreaterThan", "2026-01-01", "2026-01-01T00:00:01Z", true},
		{"DateGreaterThan", "tomorrow", "2026-01-01T00:00:01Z", false},
		{"DateGreaterThanEquals", "2026-01-01", "2025-12-31T00:00:00Z", false},
		{"DateGreaterThanEquals", "2026-01-01", "2026-01-01T00:00:00Z", true},
		{"DateEquals", "1767225600", "2026-01-01T01:00:00+01:00", true},
		{"DateLessThan", "2026-01-01", "now", false},
		{"IpAddress", "203.0.113.0/24", "203.0.113.7", true},
		{"IpAddress", "203.0.113.0/24", "::ffff:203.0.113.7", true},
		{"IpAddress", "203.0.113.7", "203.0.113.7", true},
		{"IpAddress", "203.0.113.7", "::ffff:203.0.113.7", true},
		{"IpAddress", "203.0.113.7", "203.0.113.8", false},
		{"IpAddress", "here", "203.0.113.7", false},
		{"IpAddress", "203.0.113.0/24", "198.51.100.1", false},
		{"IpAddress", "2001:db8::/32", "2001:db8::1", true},
		{"IpAddress", "203.0.113.0/24", "here", false},
		{"NotIpAddress", "203.0.113.0/24", "198.51.100.1", true},
		{"stringequals", "a", "a", true},
	} {
		o, ok := parseOperator(test.operator)
		if !ok {
			t.Errorf("%s is not known", test.operator)
			continue
		}
		if got := o.decide([]string{test.policy}, []string{test.request}) == yes; got != test.want {
			t.Errorf("%s %q, request %q: %v, want %v", test.operator, test.policy, test.request, got, test.want)
		}
	}
}

// TestSetOperators: several values of the request, alternatives in the policy.
func TestSetOperators(t *testing.T) {
	for _, test := range []struct {
		operator        string
		policy, request []string
		want            bool
	}{
		{"StringEquals", []string{"a", "b"}, []string{"b"}, true},
		{"StringNotEquals", []string{"a", "b"}, []string{"b"}, false}, // neither of them
		{"StringNotEquals", []string{"a", "b"}, []string{"c"}, true},
		{"ForAnyValue:StringEquals", []string{"a"}, []string{"a", "b"}, true},
		{"ForAnyValue:StringEquals", []string{"c"}, []string{"a", "b"}, false},
		{"ForAllValues:StringEquals", []string{"a"}, []string{"a", "b"}, false},
		{"ForAllValues:StringEquals", []string{"a", "b", "c"}, []string{"a", "b"}, true},
		{"ForAllValues:StringNotEquals", []string{"c"}, []string{"a", "b"}, true},
		{"ForAllValues:StringNotEquals", []string{"a"}, []string{"a", "b"}, false},
		{"ForAnyValue:StringNotLike", []string{"a*"}, []string{"a", "b"}, true},
		{"ForAnyValue:StringNotLike", []string{"*"}, []string{"a", "b"}, false},
	} {
		o, ok := parseOperator(test.operator)
		if !ok {
			t.Fatalf("%s is not known", test.operator)
		}
		if got := o.decide(test.policy, test.request) == yes; got != test.want {
			t.Errorf("%s %q, request %q: %v, want %v", test.operator, test.policy, test.request, got, test.want)
		}
	}
}

// TestMissingKeys: what holds where the request has no such key.
func TestMissingKeys(t *testing.T) {
	e := evaluation{Document{Role: &Role{}}, Request{Claims: claims("https://oidc.example.com", "shop", "orders")}}
	for operator, want := range map[string]truth{
		"StringEquals": no, "StringNotEquals": yes, "StringLike": no, "StringNotLike": yes, "ArnNotEquals": yes, "NotIpAddress": yes,
		"NumericNotEquals": yes, "DateNotEquals": yes, "Bool": no,
		"StringEqualsIfExists": yes, "StringNotEqualsIfExists": yes, "BoolIfExists": yes,
		"ForAllValues:StringEquals": yes, "ForAllValues:StringNotEquals": yes,
		"ForAnyValue:StringEquals": no, "ForAnyValue:StringNotEquals": no, "ForAnyValue:StringEqualsIfExists": yes,
	} {
		if got, f := e.condition("Statement[0]", condition{operator, "aws:PrincipalOrgID", Strings{"o-1"}}); got != want {
			t.Errorf("%s: %v, want %v: %v", operator, got, want, f)
		}
	}
	for value, want := range map[string]truth{"true": yes, "false": no} {
		if got, _ := e.condition("Statement[0]", condition{"Null", "aws:PrincipalOrgID", Strings{value}}); got != want {
			t.Errorf("Null %s: %v, want %v", value, got, want)
		}
	}
}

func TestUnknownOperators(t *testing.T) {
	for _, name := range []string{"", "StringMatches", "ForSomeValues:StringEquals", "IfExists", "NullIfExists", "ForAllValues:Null", "NotBool"} {
		if _, ok := parseOperator(name); ok {
			t.Errorf("%q is taken for an operator", name)
		}
	}
}
