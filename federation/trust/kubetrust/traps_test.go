package kubetrust

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	rbacv1 "k8s.io/api/rbac/v1"
)

// TestTraps: what an API server takes, and people should know of.
func TestTraps(t *testing.T) {
	const sound = `issuer: {url: "https://login.example.com", audiences: [kubernetes]}, claimMappings: {username: {claim: sub, prefix: "a:"}, groups: {claim: groups, prefix: "a:"}}`
	replaced := func(pairs ...string) string { return strings.NewReplacer(pairs...).Replace(sound) }
	for name, test := range map[string]struct {
		jwt    string
		claims map[string]any // besides iss, aud and sub
		want   []string
	}{
		"sound":                       {sound, map[string]any{"groups": []any{"sre"}}, nil},
		"a group of Kubernetes":       {replaced(`groups, prefix: "a:"`, `groups, prefix: "system:"`), map[string]any{"groups": []any{"masters"}}, []string{"WI330"}},
		"users without a prefix":      {replaced(`sub, prefix: "a:"`, `sub, prefix: ""`), map[string]any{"groups": []any{"sre"}}, []string{"WI331"}},
		"groups without a prefix":     {replaced(`groups, prefix: "a:"`, `groups, prefix: ""`), map[string]any{"groups": []any{"sre"}}, []string{"WI331"}},
		"everybody at Google":         {replaced("https://login.example.com", "https://accounts.google.com"), map[string]any{"iss": "https://accounts.google.com", "groups": []any{"sre"}}, []string{"WI332"}},
		"some at Google":              {replaced("https://login.example.com", "https://accounts.google.com", "claimMappings", "claimValidationRules: [{claim: hd, requiredValue: example.com}], claimMappings"), map[string]any{"iss": "https://accounts.google.com", "hd": "example.com", "groups": []any{"sre"}}, nil},
		"a pod's audience for others": {replaced("[kubernetes]", "[sts.amazonaws.com]"), map[string]any{"aud": "sts.amazonaws.com", "sub": "system:serviceaccount:shop:orders", "groups": []any{"sre"}}, []string{"WI333"}},
		"a person's audience":         {replaced("[kubernetes]", "[sts.amazonaws.com]"), map[string]any{"aud": "sts.amazonaws.com", "groups": []any{"sre"}}, nil},
		"an email, and no word of it": {replaced("claim: sub", "claim: email"), map[string]any{"email": "ada@example.com", "groups": []any{"sre"}}, []string{"WI322"}},
		"an email that was verified":  {replaced("claim: sub", "claim: email"), map[string]any{"email": "ada@example.com", "email_verified": true, "groups": []any{"sre"}}, []string{"WI345"}},
		"a name that may move":        {replaced("claim: sub", "claim: preferred_username"), map[string]any{"preferred_username": "ada", "groups": []any{"sre"}}, []string{"WI345"}},
		"no groups in the token":      {sound, nil, []string{"WI323"}},
		"no groups wanted":            {replaced(`, groups: {claim: groups, prefix: "a:"}`, ""), nil, nil},
		"whole paths":                 {sound, map[string]any{"groups": []any{"/sre"}}, []string{"WI323"}},
		"groups are somewhere else": {
			replaced(`groups: {claim: groups, prefix: "a:"}`, `groups: {expression: "claims.?groups.orValue([])"}`),
			map[string]any{"_claim_names": map[string]any{"groups": "s"}, "_claim_sources": map[string]any{"s": map[string]any{"endpoint": "https://graph.example.com"}}}, []string{"WI324"},
		},
	} {
		t.Run(name, func(t *testing.T) {
			d := document(t, "apiVersion: apiserver.config.k8s.io/v1\nkind: AuthenticationConfiguration\njwt: [{"+test.jwt+"}]\n")
			claims := map[string]any{"iss": "https://login.example.com", "aud": "kubernetes", "sub": "ada", "exp": 4102444800}
			for k, v := range test.claims {
				claims[k] = v
			}
			v := Evaluate(t.Context(), d, Token{Claims: claims})
			if !v.Allowed {
				t.Fatalf("refused: %v", v.Findings)
			}
			var got []string
			for _, code := range codesOf(v.Findings) {
				if code != CodeUnverified { // no token was given
					got = append(got, code)
				}
			}
			if diff := cmp.Diff(test.want, got); diff != "" {
				t.Errorf("-want +got\n%s%v", diff, v.Findings)
			}
		})
	}
}

func TestCovers(t *testing.T) {
	of := func(groups, resources string, names ...string) rbacv1.PolicyRule {
		return rbacv1.PolicyRule{Verbs: []string{"get"}, APIGroups: strings.Split(groups, " "), Resources: strings.Split(resources, " "), ResourceNames: names}
	}
	pods, logs := Access{Verb: "get", Resource: "pods", Name: "a"}, Access{Verb: "get", Resource: "pods", Subresource: "log"}
	for name, test := range map[string]struct {
		rule rbacv1.PolicyRule
		want Access
		is   bool
	}{
		"the resource":               {of("", "pods"), pods, true},
		"another group":              {of("apps", "pods"), pods, false},
		"another resource":           {of("", "services"), pods, false},
		"another verb":               {of("", "pods"), Access{Verb: "list", Resource: "pods"}, false},
		"everything":                 {of("*", "*"), logs, true},
		"a subresource":              {of("", "pods/log"), logs, true},
		"a subresource is not all":   {of("", "pods/log"), pods, false},
		"all is not a subresource":   {of("", "pods"), logs, false},
		"a subresource of anything":  {of("", "*/log"), logs, true},
		"another one of anything":    {of("", "*/exec"), logs, false},
		"of anything, another group": {of("apps", "*/log"), logs, false},
		"the name":                   {of("", "pods", "a"), pods, true},
		"another name":               {of("", "pods", "b"), pods, false},
		"no name where one is asked": {of("", "pods", "a"), Access{Verb: "get", Resource: "pods"}, false},
	} {
		if got := covers(test.rule, test.want); got != test.is {
			t.Errorf("%s: %t", name, got)
		}
	}
}

func TestPlace(t *testing.T) {
	d := document(t, `
apiVersion: apiserver.config.k8s.io/v1
kind: AuthenticationConfiguration
jwt:
- issuer: {url: "https://login.example.com", audiences: [a]}
  claimMappings: {username: {claim: sub, prefix: "a:"}}
- issuer: {url: "https://accounts.google.com", discoveryURL: "https://inside.example.com/.well-known/openid-configuration", audiences: [a]}
  claimMappings: {username: {claim: sub, prefix: "g:"}}
`)
	google := Place{Issuer: "https://accounts.google.com", DiscoveryURL: "https://inside.example.com/.well-known/openid-configuration"}
	for iss, want := range map[string]Place{
		"https://login.example.com":   {Issuer: "https://login.example.com"},
		"https://accounts.google.com": google,
		"accounts.google.com":         google, // as some of Google's tokens have it
		"https://login.example.com/":  {},
	} {
		got, ok := d.Place(iss)
		if ok != (want != Place{}) || got != want {
			t.Errorf("%s: %+v, %t", iss, got, ok)
		}
	}
}
