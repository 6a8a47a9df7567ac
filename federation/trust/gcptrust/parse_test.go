package gcptrust

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

const providerYAML = `attributeMapping:
  google.subject: assertion.sub
displayName: Demo
name: projects/123456789012/locations/global/workloadIdentityPools/clusters/providers/demo
oidc:
  allowedAudiences:
  - sts.googleapis.com
  issuerUri: https://oidc.example.com
state: ACTIVE
`

const policyYAML = `bindings:
- condition:
    expression: request.time < timestamp('2099-01-01T00:00:00Z')
    title: for a while
  members:
  - principal://iam.googleapis.com/x
  role: roles/iam.workloadIdentityUser
etag: BwYX
version: 3
`

func TestParse(t *testing.T) {
	provider := Provider{
		Name:  "projects/123456789012/locations/global/workloadIdentityPools/clusters/providers/demo",
		State: "ACTIVE", AttributeMapping: map[string]string{"google.subject": "assertion.sub"},
		OIDC: &OIDC{IssuerURI: "https://oidc.example.com", AllowedAudiences: []string{"sts.googleapis.com"}},
	}
	policy := Policy{Bindings: []Binding{{
		Role: "roles/iam.workloadIdentityUser", Members: []string{"principal://iam.googleapis.com/x"},
		Condition: &Condition{Title: "for a while", Expression: "request.time < timestamp('2099-01-01T00:00:00Z')"},
	}}}
	for name, test := range map[string]struct {
		raw  string
		want Document
	}{
		"a provider, as gcloud prints it": {providerYAML, Document{Providers: []Provider{provider}}},
		"a policy after it":               {"---\n" + providerYAML + "---\n" + policyYAML, Document{Providers: []Provider{provider}, Policies: []Policy{policy}}},
		"a policy that grants nothing":    {"etag: ACAB\n", Document{Policies: []Policy{{}}}},
		"JSON, one after the other": {
			`{"name":"projects/1/locations/global/workloadIdentityPools/clusters","disabled":true} {"bindings":[],"etag":"ACAB"}`,
			Document{Pools: []Pool{{Name: "projects/1/locations/global/workloadIdentityPools/clusters", Disabled: true}}, Policies: []Policy{{Bindings: []Binding{}}}},
		},
		"a list, as gcloud prints it in JSON": {
			`[{"name":"projects/1/locations/global/workloadIdentityPools/clusters/providers/a"},{"name":"projects/1/locations/global/workloadIdentityPools/clusters/providers/b"}]`,
			Document{Providers: []Provider{
				{Name: "projects/1/locations/global/workloadIdentityPools/clusters/providers/a"}, {Name: "projects/1/locations/global/workloadIdentityPools/clusters/providers/b"},
			}},
		},
	} {
		t.Run(name, func(t *testing.T) {
			got, err := Parse([]byte(test.raw))
			if diff := cmp.Diff(test.want, got); diff != "" || err != nil {
				t.Errorf("%v, %s", err, diff)
			}
		})
	}
}

func TestParseRefuses(t *testing.T) {
	for name, test := range map[string]struct{ raw, says string }{
		"nothing":                {" \n# only a remark\n", "empty"},
		"a role of AWS":          {`{"Role":{"RoleName":"orders"}}`, "object 1: neither a workload identity pool"},
		"text":                   {"ERROR: (gcloud.iam) NOT_FOUND", "neither a workload identity pool"},
		"a number":               {"7", "not an object"},
		"half of a document":     {`{"bindings":[`, "not JSON"},
		"tabs":                   {"a:\n\t- b", "neither JSON nor YAML"},
		"members that are none":  {`{"bindings":[{"members":"x"}]}`, "policy: "},
		"far too much":           {strings.Repeat(" ", 2<<20), "larger than 1024 KiB"},
		"far too many":           {strings.Repeat("{\"etag\":\"x\"}\n", 501), "more than 500 objects"},
		"the second of two":      {providerYAML + "---\nkind: Pod\n", "object 2: neither"},
		"a bomb of YAML aliases": {"a: &a [x,x,x,x,x,x,x,x,x]\nb: &b [*a,*a,*a,*a,*a,*a,*a,*a,*a]\nc: &c [*b,*b,*b,*b,*b,*b,*b,*b,*b]\nd: &d [*c,*c,*c,*c,*c,*c,*c,*c,*c]\ne: &e [*d,*d,*d,*d,*d,*d,*d,*d,*d]\nf: &f [*e,*e,*e,*e,*e,*e,*e,*e,*e]\ng: [*f,*f,*f,*f,*f,*f,*f,*f,*f]\n", ""},
	} {
		t.Run(name, func(t *testing.T) {
			if _, err := Parse([]byte(test.raw)); err == nil || !strings.Contains(err.Error(), test.says) {
				t.Errorf("got %v, want %q", err, test.says)
			}
		})
	}
}
