package statickeys

import (
	"encoding/base64"
	"encoding/json"
	"net/url"
	"strings"
	"testing"
)

// NotShown fails the test for each secret of the cases that is in output: as it is, or as a
// part of something in base64, percent-encoded or quoted. The failure names the secret by
// its number, since the test's own output must not show it either.
func NotShown(t testing.TB, what string, output []byte, cases []Case) {
	t.Helper()
	for _, c := range cases {
		for i, secret := range c.Secrets {
			if how := shows(string(output), secret); how != "" {
				t.Errorf("%s shows secret %d of %s, %s", what, i, c.Name, how)
			}
		}
	}
}

// shows says how text has the secret in it; "" if it has not.
func shows(text, secret string) string {
	if strings.Contains(text, secret) {
		return "in plain text"
	}
	for from := range 3 {
		encoded := withinBase64(secret, from)
		if strings.Contains(text, encoded) || strings.Contains(text, strings.NewReplacer("+", "-", "/", "_").Replace(encoded)) {
			return "in base64"
		}
	}
	if strings.Contains(text, url.QueryEscape(secret)) || strings.Contains(text, url.PathEscape(secret)) {
		return "percent-encoded"
	}
	if quoted := must(json.Marshal(secret)); strings.Contains(text, string(quoted[1:len(quoted)-1])) {
		return "quoted"
	}
	return ""
}

// withinBase64 is what is in the base64 of any text that has the secret, from one of its
// first three bytes on: where three bytes begin that are encoded together depends on what
// is before it. The last bytes may be encoded together with what follows, and are left out.
func withinBase64(secret string, from int) string {
	rest := secret[from:]
	return base64.StdEncoding.EncodeToString([]byte(rest[:len(rest)/3*3]))
}
