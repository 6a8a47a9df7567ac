package awstrust

import (
	"encoding/json"
	"net/url"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/podpass-io/podpass/federation"
)

func claims(issuer, namespace, name string) federation.Claims {
	return federation.Claims{Issuer: issuer, Subject: "system:serviceaccount:" + namespace + ":" + name, Audiences: []string{"sts.amazonaws.com"}}
}

const policyText = `{"Version":"2012-10-17","Statement":{"Effect":"Allow","Principal":"*","Action":"sts:AssumeRoleWithWebIdentity"}}`

func TestParseAll(t *testing.T) {
	quoted, err := json.Marshal(policyText)
	if err != nil {
		t.Fatal(err)
	}
	encoded, err := json.Marshal(url.QueryEscape(policyText))
	if err != nil {
		t.Fatal(err)
	}
	role := func(name, policy string) string {
		return `{"RoleName":"` + name + `","Arn":"arn:aws:iam::111122223333:role/` + name + `","AssumeRolePolicyDocument":` + policy + `,"Tags":[]}`
	}
	const provider = `{"Url":"oidc.example.com","ClientIDList":["sts.amazonaws.com"],"ThumbprintList":[],"CreateDate":"2026-01-01T00:00:00Z"}`
	for name, test := range map[string]struct {
		text      string
		want      []string // names
		providers int      // of each
	}{
		"get-role":                      {`{"Role":` + role("a", policyText) + `}`, []string{"role a"}, 0},
		"get-role --query Role":         {role("a", policyText), []string{"role a"}, 0},
		"list-roles":                    {`{"Roles":[` + role("a", policyText) + "," + role("b", policyText) + `]}`, []string{"role a", "role b"}, 0},
		"the policy alone":              {policyText, []string{"trust policy"}, 0},
		"the policy as the API has it":  {url.QueryEscape(policyText), []string{"trust policy"}, 0},
		"a role, the policy in text":    {role("a", string(quoted)), []string{"role a"}, 0},
		"a role, the policy encoded":    {role("a", string(encoded)), []string{"role a"}, 0},
		"an ARN without a name":         {`{"Arn":"arn:aws:iam::111122223333:role/x/a","AssumeRolePolicyDocument":` + policyText + `}`, []string{"role a"}, 0},
		"a provider":                    {provider, []string{"provider oidc.example.com"}, 1},
		"two roles and a provider":      {`{"Role":` + role("a", policyText) + "}\n" + provider + "\n" + `{"Role":` + role("b", policyText) + `}`, []string{"role a", "role b"}, 1},
		"a list":                        {`[` + role("a", policyText) + `,` + provider + `]`, []string{"role a"}, 1},
		"what Render writes, of nobody": {`{"OpenIDConnectProviders":[` + provider + `],"Roles":[]}`, []string{"provider oidc.example.com"}, 1},
	} {
		t.Run(name, func(t *testing.T) {
			got, err := ParseAll([]byte(test.text))
			if err != nil {
				t.Fatal(err)
			}
			var names []string
			for _, d := range got {
				names = append(names, d.Name())
				if len(d.Providers) != test.providers {
					t.Errorf("%s: %d providers, want %d", d.Name(), len(d.Providers), test.providers)
				}
				if d.Role != nil && (len(d.Role.Policy.Statements) != 1 || !d.Role.Policy.Statements[0].Principal.Everyone) {
					t.Errorf("%s: %+v", d.Name(), d.Role.Policy)
				}
			}
			if diff := cmp.Diff(test.want, names); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
		})
	}
}

func TestParseErrors(t *testing.T) {
	for name, test := range map[string]struct{ text, want string }{
		"nothing":                    {" ", "no document"},
		"no JSON":                    {"orders", "document 1: invalid character"},
		"an error of the CLI":        {"\nAn error occurred (NoSuchEntity) when calling the GetRole operation", "document 1: invalid character"},
		"a number":                   {"7", "document 1: not what aws iam get-role prints"},
		"something else":             {`{"Users":[]}`, "neither a role nor a trust policy"},
		"a role without a policy":    {`{"Role":{"RoleName":"a"}}`, `role "a": AssumeRolePolicyDocument is missing`},
		"a policy that is no policy": {`{"Role":{"RoleName":"a","AssumeRolePolicyDocument":[]}}`, `role "a": trust policy: `},
		"a principal of words":       {strings.ReplaceAll(policyText, `"*"`, `"anybody"`), `which only "*" may be`},
		"a principal of no kind":     {strings.ReplaceAll(policyText, `"*"`, `{"Aws":"x","Nobody":"y"}`), `unknown field "Nobody"`},
		"a value that is an object":  {`{"Statement":[{"Action":{"a":1}}]}`, "neither text nor a number"},
		"the second":                 {policyText + "{}", "document 2: neither"},
		"an escape that is none":     {"%7B%zz", "an encoded policy: "},
	} {
		if _, err := ParseAll([]byte(test.text)); err == nil || !strings.Contains(err.Error(), test.want) {
			t.Errorf("%s: %v, want %q", name, err, test.want)
		}
	}
	if _, err := Parse([]byte(policyText + policyText)); err == nil || err.Error() != "2 roles, want one" {
		t.Errorf("two roles where one is wanted: %v", err)
	}
	if _, err := ParseAll([]byte(`{"Roles":[` + strings.Repeat(`{"AssumeRolePolicyDocument":{}},`, 5000) + `{"AssumeRolePolicyDocument":{}}]}`)); err == nil || err.Error() != "document 1: more than 5000 roles" {
		t.Errorf("5001 roles: %v", err)
	}
}
