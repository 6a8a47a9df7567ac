package gcptrust

import (
	"errors"
	"testing"

	"github.com/podpass-io/podpass/federation"
)

func TestExtract(t *testing.T) {
	for _, test := range []struct{ value, template, want string }{
		{"system:serviceaccount:shop:orders", "system:serviceaccount:{namespace}:", "shop"},
		{"system:serviceaccount:shop:orders", "serviceaccount:shop:{name}", "orders"},
		{"orders@example.com", "{user}@", "orders"},
		{"a/b/c", "/{x}/", "b"},
		{"a/b", "/{x}/", ""},
		{"a/b", "none{x}", ""},
		{"a/b", "a/b", ""},
		{"a/b", "}{", ""},
		{"a/b", "{all}", "a/b"},
	} {
		if got := extract(test.value, test.template); got != test.want {
			t.Errorf("%q by %q: got %q, want %q", test.value, test.template, got, test.want)
		}
	}
}

// TestEval: what Google's documentation uses has a value; what it does not mention is
// refused by its name.
func TestEval(t *testing.T) {
	e, err := claimsEngine()
	if err != nil {
		t.Fatal(err)
	}
	payload := newToken(federation.Claims{Issuer: "https://oidc.example.com", Subject: "system:serviceaccount:shop:orders", Audiences: []string{"a", "b"}}, nil).payload
	for expression, want := range map[string]any{
		"assertion.sub": "system:serviceaccount:shop:orders",
		"assertion['kubernetes.io'].namespace + '/' + assertion['kubernetes.io']['serviceaccount']['name']": "shop/orders",
		"assertion.sub.split(':')[2]":                                     "shop",
		"assertion.aud.join(',')":                                         "a,b",
		"'Shop'.lowerAscii() + 'x'.upperAscii()":                          "shopX",
		"assertion.sub.extract(':shop:{name}')":                           "orders",
		"assertion.sub.startsWith('system:') && !has(assertion.email)":    true,
		"assertion.sub.matches('^system:serviceaccount:(shop|cart):.*$')": true,
		"'b' in assertion.aud && assertion.aud.exists(a, a == 'a')":       true,
		"size(assertion.aud) == 2":                                        true,
	} {
		got, err := e.eval(expression, map[string]any{"assertion": payload})
		if err != nil || got.Value() != want {
			t.Errorf("%s: got %v, %v, want %v", expression, got, err, want)
		}
	}
	for expression, want := range map[string]string{
		"assertion.sub.replace(':', '/')":                  "uses replace()",
		"assertion.sub.reverse() + math.least('1', '2')":   "uses reverse(), least()",
		"'%s'.format([assertion.sub.substring(1).trim()])": "uses substring(), trim(), format()",
	} {
		_, err := e.eval(expression, map[string]any{"assertion": payload})
		if unknown, ok := errors.AsType[unknownError](err); !ok || unknown.Error() != want {
			t.Errorf("%s: got %v, want %s", expression, err, want)
		}
	}
	for _, expression := range []string{"", "assertion.", "asertion.sub", "'a' + 1", "1 == 'a'"} {
		_, err := e.eval(expression, map[string]any{"assertion": payload})
		if _, ok := errors.AsType[invalidError](err); !ok {
			t.Errorf("%q: got %v, want an invalid expression", expression, err)
		}
	}
	for _, expression := range []string{"assertion.email", "assertion.sub.split(':')[9]", "assertion.aud + 'x'"} {
		_, err := e.eval(expression, map[string]any{"assertion": payload})
		if _, ok := errors.AsType[invalidError](err); ok || err == nil {
			t.Errorf("%s: got %v, want an error of this token alone", expression, err)
		}
	}
}

// TestEvalIsBounded: an expression of the length that is allowed cannot take for ever.
func TestEvalIsBounded(t *testing.T) {
	e, err := claimsEngine()
	if err != nil {
		t.Fatal(err)
	}
	list := make([]any, 1000)
	for n := range list {
		list[n] = "x"
	}
	_, err = e.eval("assertion.l.all(a, assertion.l.all(b, assertion.l.all(c, a == b && b == c)))", map[string]any{"assertion": map[string]any{"l": list}})
	if err == nil {
		t.Error("a billion comparisons were made")
	}
}
