package kubetrust

import (
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/podpass-io/podpass/federation/finding"
)

// TestRefused: what is not rendered, and why.
func TestRefused(t *testing.T) {
	const entra = "https://login.microsoftonline.com/"
	many := "issuers:\n"
	for n := range 65 {
		many += fmt.Sprintf("- {preset: cluster, name: c%d, url: 'https://c%d.example.com', audiences: [a]}\n", n, n)
	}
	for name, test := range map[string]struct {
		spec string
		want []string
	}{
		"nobody":                   {"issuers: []", []string{"WI340"}},
		"an unknown preset":        {"issuers: [{preset: ping, url: 'https://a.example.com', audiences: [a]}]", []string{"WI340"}},
		"http":                     {"issuers: [{preset: okta, url: 'http://a.example.com', audiences: [a]}]", []string{"WI340"}},
		"no url":                   {"issuers: [{preset: okta, audiences: [a]}]", []string{"WI340"}},
		"no audience":              {"issuers: [{preset: okta, url: 'https://a.example.com'}]", []string{"WI340"}},
		"an endpoint of Keycloak":  {"issuers: [{preset: keycloak, url: 'https://a.example.com/realms/a/protocol/openid-connect', audiences: [a]}]", []string{"WI340"}},
		"Auth0 without its slash":  {"issuers: [{preset: auth0, url: 'https://a.auth0.com', audiences: [a]}]", []string{"WI340"}},
		"Entra without a tenant":   {"issuers: [{preset: entra, url: '" + entra + "x/v2.0', audiences: [a]}]", []string{"WI340"}},
		"Entra's common tenant":    {"issuers: [{preset: entra, tenant: " + tenant + ", url: '" + entra + "common/v2.0', audiences: [a]}]", []string{"WI340"}},
		"any Google account":       {"issuers: [{preset: google, audiences: [a]}]", []string{"WI332"}},
		"any repository":           {"issuers: [{preset: github, audiences: [a]}]", []string{"WI332"}},
		"any project":              {"issuers: [{preset: gitlab, audiences: [a]}]", []string{"WI332"}},
		"a cluster without a name": {"issuers: [{preset: cluster, url: 'https://a.example.com', audiences: [a]}]", []string{"WI341"}},
		"a cluster named system":   {"issuers: [{preset: cluster, name: system, url: 'https://a.example.com', audiences: [a]}]", []string{"WI341"}},
		"a name with a colon":      {"issuers: [{preset: cluster, name: 'a:b', url: 'https://a.example.com', audiences: [a]}]", []string{"WI341"}},
		"the default issuer":       {"issuers: [{preset: cluster, name: a, url: 'https://kubernetes.default.svc.cluster.local', audiences: [a]}]", []string{"WI340"}},
		"one name twice":           {"issuers: [{preset: okta, url: 'https://a.example.com', audiences: [a]}, {preset: okta, url: 'https://b.example.com', audiences: [a]}]", []string{"WI342"}},
		"one URL twice":            {"issuers: [{preset: okta, url: 'https://a.example.com', audiences: [a]}, {preset: oidc, url: 'https://a.example.com', audiences: [a]}]", []string{"WI311"}},
		"more than 64":             {many, []string{"WI311"}},
		"a line break in an owner": {"issuers: [{preset: github, owners: [\"a\\nb\"], audiences: [a]}]", []string{"WI340"}},
		"system:masters":           {"issuers: [{preset: okta, url: 'https://a.example.com', audiences: [a]}]\nrights: [{pattern: admins, group: 'system:masters'}]", []string{"WI344"}},
		"no namespaces":            {"issuers: [{preset: okta, url: 'https://a.example.com', audiences: [a]}]\nrights: [{pattern: developers, group: 'okta:a'}]", []string{"WI344"}},
		"an unknown pattern":       {"issuers: [{preset: okta, url: 'https://a.example.com', audiences: [a]}]\nrights: [{pattern: gods, group: 'okta:a'}]", []string{"WI344"}},
		"a path for a namespace":   {"issuers: [{preset: okta, url: 'https://a.example.com', audiences: [a]}]\nrights: [{pattern: developers, group: 'okta:a', namespaces: [a/b]}]", []string{"WI344"}},
	} {
		t.Run(name, func(t *testing.T) {
			s, err := ParseSpec([]byte(test.spec))
			if err != nil {
				t.Fatal(err)
			}
			_, found := Render(s, Options{})
			if finding.Worst(found) != finding.Error {
				t.Errorf("is rendered: %v", found)
			}
			if diff := cmp.Diff(test.want, codesOf(found)); diff != "" {
				t.Errorf("-want +got\n%s%v", diff, found)
			}
		})
	}
}

// TestWarned: what is rendered, and should not stay so.
func TestWarned(t *testing.T) {
	for name, test := range map[string]struct {
		spec string
		want []string
	}{
		"the email":            {"issuers: [{preset: okta, usernameClaim: email, url: 'https://a.example.com', audiences: [a]}]", []string{"WI345"}},
		"the login name":       {"issuers: [{preset: keycloak, usernameClaim: preferred_username, url: 'https://a.example.com', audiences: [a]}]", []string{"WI345"}},
		"a slash more":         {"issuers: [{preset: okta, url: 'https://a.example.com', audiences: [a]}, {preset: oidc, url: 'https://a.example.com/', audiences: [a]}]", []string{"WI342"}},
		"a group of no issuer": {"issuers: [{preset: okta, url: 'https://a.example.com', audiences: [a]}]\nrights: [{pattern: admins, group: platform}]", []string{"WI344"}},
	} {
		t.Run(name, func(t *testing.T) {
			s, err := ParseSpec([]byte(test.spec))
			if err != nil {
				t.Fatal(err)
			}
			_, found := Render(s, Options{})
			if finding.Worst(found) != finding.Warning {
				t.Errorf("found %v", found)
			}
			if diff := cmp.Diff(test.want, codesOf(found)); diff != "" {
				t.Errorf("-want +got\n%s", diff)
			}
		})
	}
}

// TestVersion: each version is one that the API server reads.
func TestVersion(t *testing.T) {
	s, err := ParseSpec([]byte(each))
	if err != nil {
		t.Fatal(err)
	}
	for version, want := range map[string]string{"": "apiserver.config.k8s.io/v1\n", "v1": "apiserver.config.k8s.io/v1\n", "v1beta1": "apiserver.config.k8s.io/v1beta1\n"} {
		p, found := Render(s, Options{Version: version})
		if len(found) > 0 {
			t.Fatalf("%q: %v", version, found)
		}
		raw, err := p.YAML()
		if err != nil {
			t.Fatal(err)
		}
		if !strings.HasPrefix(string(raw), "apiVersion: "+want) {
			t.Errorf("%q gives %.60s", version, raw)
		}
		document(t, string(raw))
	}
	if _, found := Render(s, Options{Version: "v2"}); finding.Worst(found) != finding.Error {
		t.Errorf("a version that is none: %v", found)
	}
}

// TestQuotesInNames: what people write is data, and never an expression.
func TestQuotesInNames(t *testing.T) {
	p := plan(t, `issuers: [{preset: gitlab, url: "https://git.example.com", owners: ["a') || true || ('"], audiences: [a]}]`)
	raw, err := p.YAML()
	if err != nil {
		t.Fatal(err)
	}
	v := Evaluate(t.Context(), document(t, string(raw)), Token{Claims: map[string]any{"iss": "https://git.example.com", "aud": "a", "sub": "s", "namespace_path": "evil", "project_path": "evil/shop"}})
	if v.Allowed {
		t.Error("a quote in an owner opens the rule to everybody")
	}
}

// TestFlags: what older API servers take, or why they cannot.
func TestFlags(t *testing.T) {
	for name, test := range map[string]struct {
		spec  string
		want  []string
		codes []string
	}{
		"keycloak": {
			`{issuers: [{preset: keycloak, url: "https://a.example.com/realms/a", audiences: [kubernetes]}]}`,
			[]string{"--oidc-issuer-url=https://a.example.com/realms/a", "--oidc-client-id=kubernetes", "--oidc-username-claim=sub", "--oidc-username-prefix=keycloak:", "--oidc-groups-claim=groups", "--oidc-groups-prefix=keycloak:"},
			[]string{"WI343"},
		},
		"entra": {
			`{issuers: [{preset: entra, tenant: ` + tenant + `, audiences: [app]}]}`,
			[]string{"--oidc-issuer-url=https://login.microsoftonline.com/" + tenant + "/v2.0", "--oidc-client-id=app", "--oidc-username-claim=oid", "--oidc-username-prefix=entra:", "--oidc-groups-claim=groups", "--oidc-groups-prefix=entra:", "--oidc-required-claim=tid=" + tenant},
			[]string{"WI343"},
		},
		"google": {
			`{issuers: [{preset: google, domains: [example.com], audiences: [c]}]}`,
			[]string{"--oidc-issuer-url=https://accounts.google.com", "--oidc-client-id=c", "--oidc-username-claim=sub", "--oidc-username-prefix=google:", "--oidc-required-claim=hd=example.com"},
			[]string{"WI343"},
		},
		"two domains":   {`{issuers: [{preset: google, domains: [example.com, example.org], audiences: [c]}]}`, nil, []string{"WI343"}},
		"two issuers":   {`{issuers: [{preset: okta, url: "https://a.example.com", audiences: [a]}, {preset: oidc, url: "https://b.example.com", audiences: [a]}]}`, nil, []string{"WI343"}},
		"two audiences": {`{issuers: [{preset: okta, url: "https://a.example.com", audiences: [a, b]}]}`, nil, []string{"WI343"}},
		"pods":          {`{issuers: [{preset: cluster, name: a, url: "https://a.example.com", audiences: [a]}]}`, nil, []string{"WI343"}},
		"names of IDs":  {`{issuers: [{preset: okta, url: "https://a.example.com", audiences: [a], groupNames: {a: b}}]}`, nil, []string{"WI343"}},
		"a path as Entra's": {
			`{issuers: [{preset: oidc, url: "https://a.example.com/common", audiences: [c]}]}`,
			[]string{"--oidc-issuer-url=https://a.example.com/common", "--oidc-client-id=c", "--oidc-username-claim=sub", "--oidc-username-prefix=oidc:", "--oidc-groups-claim=groups", "--oidc-groups-prefix=oidc:"},
			[]string{"WI343"},
		},
		"another's host": {`{issuers: [{preset: okta, url: "https://a.example.com", discoveryURL: "https://b.example.com/x", audiences: [a]}]}`, nil, []string{"WI343"}},
	} {
		t.Run(name, func(t *testing.T) {
			flags, found := plan(t, test.spec).Flags()
			if diff := cmp.Diff(test.want, flags); diff != "" {
				t.Errorf("-want +got\n%s", diff)
			}
			if diff := cmp.Diff(test.codes, codesOf(found)); diff != "" {
				t.Errorf("-want +got\n%s", diff)
			}
			if (flags == nil) != (finding.Worst(found) == finding.Error) {
				t.Errorf("flags %q with %v", flags, found)
			}
		})
	}
}

// TestRBAC: the usual rights, by name.
func TestRBAC(t *testing.T) {
	raw, err := plan(t, `
issuers: [{preset: keycloak, url: "https://a.example.com/realms/a", audiences: [kubernetes]}]
rights:
- {pattern: developers, group: "keycloak:/developers", namespaces: [shop, web]}
- {pattern: readers, group: "keycloak:sre"}
- {pattern: readers, group: "keycloak:audit"}
- {pattern: admins, group: "keycloak:platform"}
`).RBAC()
	if err != nil {
		t.Fatal(err)
	}
	for _, object := range strings.Split(string(raw), "---\n") {
		if !strings.HasPrefix(object, "apiVersion: rbac.authorization.k8s.io/v1\n") || strings.Count(object, "\nkind: ") != 1 {
			t.Errorf("not one object: %q", object)
		}
	}
	var names []string
	for line := range strings.Lines(string(raw)) {
		if name, ok := strings.CutPrefix(strings.TrimRight(line, "\n"), "  name: podpass:"); ok {
			names = append(names, name)
		}
	}
	want := []string{
		"developers:keycloak:-developers", "developers:keycloak:-developers",
		"read-cluster", "readers:keycloak:sre", "readers:keycloak:sre:cluster", "read-cluster",
		"readers:keycloak:audit", "readers:keycloak:audit:cluster", "read-cluster", "admins:keycloak:platform",
	}
	if diff := cmp.Diff(want, names); diff != "" {
		t.Errorf("-want +got\n%s", diff)
	}
	if n := strings.Count(string(raw), "kind: ClusterRole\nmetadata"); n != 1 {
		t.Errorf("%d ClusterRoles, want the one for readers", n)
	}
}
