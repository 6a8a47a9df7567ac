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
		"a policy of half an escape": {`{"Role":{"RoleName":"a","AssumeRolePolicyDocument":"%zz"}}`, `role "a": trust policy: invalid character`},
		"a policy of nothing":        {`{"Role":{"RoleName":"a","AssumeRolePolicyDocument":""}}`, `role "a": AssumeRolePolicyDocument is missing`},
		"a name that is a number":    {`{"RoleName":7,"AssumeRolePolicyDocument":{}}`, "document 1: json: cannot unmarshal number"},
		"an audience alone":          {`{"Url":"oidc.example.com","ClientIDList":"sts.amazonaws.com"}`, "document 1: json: cannot unmarshal string"},
		"a list with something else": {`[` + policyText + `,7]`, "document 1: not what aws iam get-role prints"},
		"a list that ends early":     {`[` + policyText, "document 1: unexpected EOF"},
		"the second":                 {policyText + "{}", "document 2: neither"},
		"an escape that is none":     {"%7B%zz", "an encoded policy: "},
	} {
		if _, err := ParseAll([]byte(test.text)); err == nil || !strings.Contains(err.Error(), test.want) {
			t.Errorf("%s: %v, want %q", name, err, test.want)
		}
	}
	if got, err := ParseAll([]byte(`{"Roles":[` + strings.Repeat(`{"AssumeRolePolicyDocument":{}},`, 4999) + `{"AssumeRolePolicyDocument":{}}]}`)); err != nil || len(got) != 5000 {
		t.Errorf("5000 roles, as many as an account has: %d, %v", len(got), err)
	}
	if _, err := Parse([]byte("7")); err == nil {
		t.Error("a number is taken for a role")
	}
	if _, err := Parse([]byte(policyText + policyText)); err == nil || err.Error() != "2 roles, want one" {
		t.Errorf("two roles where one is wanted: %v", err)
	}
	if _, err := ParseAll([]byte(`{"Roles":[` + strings.Repeat(`{"AssumeRolePolicyDocument":{}},`, 5000) + `{"AssumeRolePolicyDocument":{}}]}`)); err == nil || err.Error() != "document 1: more than 5000 roles" {
		t.Errorf("5001 roles: %v", err)
	}
}

// TestPlusSigns: an encoded policy has + for a space, and one that is not encoded keeps it.
func TestPlusSigns(t *testing.T) {
	for text, want := range map[string]string{
		`"{\"Statement\":{\"Sid\":\"a+b\"}}"`:                   "a+b",
		`"%7B%22Statement%22%3A%7B%22Sid%22%3A%22a+b%22%7D%7D"`: "a b",
	} {
		d, err := Parse([]byte(`{"AssumeRolePolicyDocument":` + text + `}`))
		if err != nil || d.Role.Policy.Statements[0].Sid != want {
			t.Errorf("%s: %+v, %v", text, d.Role, err)
		}
	}
}

// TestPoliciesAreKept: what IAM takes in several forms is written in one that it takes, too.
func TestPoliciesAreKept(t *testing.T) {
	for text, want := range map[string]string{
		`{"Version":"2012-10-17","Id":"x","Statement":{"Sid":"s","Effect":"Allow","Principal":"*","Action":["a"]}}`:              `{"Version":"2012-10-17","Id":"x","Statement":[{"Sid":"s","Effect":"Allow","Principal":"*","Action":"a"}]}`,
		`{"Statement":[{"Effect":"Allow","Principal":{"AWS":"*"},"NotAction":["a","b"]}]}`:                                       `{"Statement":[{"Effect":"Allow","Principal":{"AWS":"*"},"NotAction":["a","b"]}]}`,
		`{"Statement":[{"Effect":"Deny","NotPrincipal":{"Federated":["f","g"],"Service":"s","CanonicalUser":"c"}}]}`:             `{"Statement":[{"Effect":"Deny","NotPrincipal":{"Federated":["f","g"],"Service":"s","CanonicalUser":"c"}}]}`,
		` {"Statement": [ {"Effect": "Allow", "Condition": {"Bool": {"k": true}, "NumericEquals": {"n": [1, 12345678901]}}} ] }`: `{"Statement":[{"Effect":"Allow","Condition":{"Bool":{"k":"true"},"NumericEquals":{"n":["1","12345678901"]}}}]}`,
	} {
		var p Policy
		if err := json.Unmarshal([]byte(text), &p); err != nil {
			t.Errorf("%s: %v", text, err)
			continue
		}
		if got, err := p.compact(); err != nil || string(got) != want {
			t.Errorf("%s: got %s, %v, want %s", text, got, err, want)
		}
	}
	var p Policy
	if err := json.Unmarshal([]byte(`{"Statement":{"Principal":{"AWS":["arn:aws:iam::111122223333:root","*"]}}}`), &p); err != nil || !p.Statements[0].Principal.Everyone {
		t.Errorf("everyone among others: %+v, %v", p, err)
	}
	if got := (Principal{Everyone: true, AWS: Strings{"x", "*"}}).all(); !cmp.Equal(got, []string{"*"}) {
		t.Errorf("everyone is %q", got)
	}
	if got := (Principal{Federated: Strings{"f"}, AWS: Strings{"a"}, Service: Strings{"s"}, CanonicalUser: Strings{"c"}}).all(); !cmp.Equal(got, []string{"f", "a", "s", "c"}) {
		t.Errorf("of each kind: %q", got)
	}
}

// TestNames: as people call what a document is of.
func TestNames(t *testing.T) {
	for want, d := range map[string]Document{
		"no document":               {},
		"provider oidc.example.com": {Providers: []Provider{{URL: "https://oidc.example.com"}, {URL: "other.example.com"}}},
		"role orders":               {Role: &Role{Name: "orders", ARN: "arn:aws:iam::111122223333:role/x"}},
		"role x":                    {Role: &Role{ARN: "arn:aws:iam::111122223333:role/team/x"}, Providers: []Provider{{URL: "oidc.example.com"}}},
		"trust policy":              {Role: &Role{}},
	} {
		if got := d.Name(); got != want {
			t.Errorf("%q, want %q", got, want)
		}
	}
}
