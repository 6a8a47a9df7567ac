package kubetrust

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// TestRefusedWithoutExplanation: claims that the API server cannot read refuse the token
// before any part of the configuration is asked. Its own words are given then, and no rule
// is blamed.
func TestRefusedWithoutExplanation(t *testing.T) {
	d := document(t, `
apiVersion: apiserver.config.k8s.io/v1
kind: AuthenticationConfiguration
jwt:
- issuer: {url: "https://login.example.com", audiences: [kubernetes]}
  claimValidationRules: [{claim: hd, requiredValue: example.com}]
  claimMappings: {username: {claim: name, prefix: "acme:"}}
`)
	for name, c := range map[string]struct {
		claim string
		value any
		words string // of the API server
	}{
		"a subject that is a number":         {"sub", 7, "idToken.sub of type string"},
		"a time of issue that is text":       {"iat", "yesterday", "failed to unmarshal claims"},
		"a begin of validity that is a text": {"nbf", "soon", "failed to unmarshal claims"},
	} {
		t.Run(name, func(t *testing.T) {
			claims := map[string]any{"iss": "https://login.example.com", "aud": "kubernetes", "sub": "ada", "name": "ada", "hd": "example.com"}
			if v := Evaluate(t.Context(), d, Token{Claims: claims}); !v.Allowed {
				t.Fatalf("refused as it is: %v", v.Findings)
			}
			claims[c.claim] = c.value
			v := Evaluate(t.Context(), d, Token{Claims: claims})
			if diff := cmp.Diff([]string{"WI329"}, codesOf(v.Findings)); diff != "" || v.Allowed {
				t.Fatalf("allowed %v, -want +got\n%s", v.Allowed, diff)
			}
			if f := v.Findings[0]; f.Where != "jwt[0] https://login.example.com" || !strings.Contains(f.Message, c.words) {
				t.Errorf("got %v, want the API server's words %q", f, c.words)
			}
		})
	}
}
