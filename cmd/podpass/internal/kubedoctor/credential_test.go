package kubedoctor

import (
	"strings"
	"testing"

	"github.com/podpass-io/podpass/federation/finding"
	"github.com/podpass-io/podpass/federation/trust/kubetrust"
)

// TestRead: what is no token, and what is one with a claim that nobody can read, are told
// apart, and neither is shown.
func TestRead(t *testing.T) {
	encoded := func(claims string) string {
		return encode([]byte(`{"alg":"RS256"}`)) + "." + encode([]byte(claims)) + ".c2lnbmF0dXJl"
	}
	for name, c := range map[string]struct{ token, words string }{
		"opaque":                  {"ya29.opaque", "want three parts"},
		"no end":                  {encoded(`{"iss":"https://login.example.com"}`), "no valid exp"},
		"a subject of a number":   {encoded(`{"sub":7,"exp":4102444800}`), "payload"},
		"a time of issue of text": {encoded(`{"iat":"yesterday","exp":4102444800}`), "payload"},
	} {
		t.Run(name, func(t *testing.T) {
			r := &run{token: c.token}
			found := r.read()
			if len(found) != 1 || found[0].Code != kubetrust.CodeToken || found[0].Severity != finding.Error {
				t.Fatalf("got %v, want one error WI312", found)
			}
			if text := found[0].String(); !strings.Contains(text, c.words) || strings.Contains(text, c.token) {
				t.Errorf("got %s, want %q of it, and no token", text, c.words)
			}
		})
	}
}
