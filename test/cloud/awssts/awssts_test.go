package awssts

import (
	"errors"
	"net/url"
	"strings"
	"testing"
)

// TestBounds: what STS refuses before it looks at any trust, and how.
func TestBounds(t *testing.T) {
	good := map[string]string{"RoleArn": "arn:aws:iam::111122223333:role/orders", "RoleSessionName": "orders"}
	for name, test := range map[string]struct {
		field, value, code string
	}{
		"all is well":             {"DurationSeconds", "43200", ""},
		"a policy":                {"Policy", `{"Version":"2012-10-17"}`, ""},
		"no role":                 {"RoleArn", "", "ValidationError"},
		"no role's ARN":           {"RoleArn", "arn:aws:iam::111122223333:user/orders", "ValidationError"},
		"no session name":         {"RoleSessionName", "", "ValidationError"},
		"a session name of one":   {"RoleSessionName", "x", "ValidationError"},
		"a session name of words": {"RoleSessionName", "a b", "ValidationError"},
		"too short":               {"DurationSeconds", "899", "ValidationError"},
		"too long":                {"DurationSeconds", "43201", "ValidationError"},
		"no number":               {"DurationSeconds", "1h", "ValidationError"},
		"a policy that is none":   {"Policy", "allow all", "MalformedPolicyDocument"},
		"a policy that is a list": {"Policy", "[]", "MalformedPolicyDocument"},
		"a policy that is null":   {"Policy", "null", "MalformedPolicyDocument"},
		"a policy that is long":   {"Policy", `{"Id":"` + strings.Repeat("x", 2048) + `"}`, "ValidationError"},
	} {
		form := url.Values{}
		for k, v := range good {
			form.Set(k, v)
		}
		form.Set(test.field, test.value)
		parsed, err := parseForm([]byte(form.Encode()))
		if err != nil {
			t.Fatal(err)
		}
		_, _, err = bounds(parsed, 43200)
		code := ""
		if f, ok := errors.AsType[*failure](err); ok {
			code = f.code
		}
		if code != test.code {
			t.Errorf("%s: %q, want %q: %v", name, code, test.code, err)
		}
	}
}
