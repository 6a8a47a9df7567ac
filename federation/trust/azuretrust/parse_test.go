package azuretrust

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/podpass-io/podpass/federation"
)

var ordersCredential = Credential{
	Name: "orders", Issuer: "https://oidc.example.com", Subject: "system:serviceaccount:shop:orders", Audiences: []string{"api://AzureADTokenExchange"},
}

const ordersFields = `"issuer":"https://oidc.example.com","subject":"system:serviceaccount:shop:orders","audiences":["api://AzureADTokenExchange"]`

func TestParse(t *testing.T) {
	one := Document{Credentials: []Credential{ordersCredential}}
	for name, test := range map[string]struct {
		raw  string
		want Document
	}{
		"az ... list":                       {`[{"name":"orders",` + ordersFields + `,"systemData":null}]`, one},
		"az ... show":                       {`{"name":"orders",` + ordersFields + `}`, one},
		"Graph's own answer":                {`{"@odata.context":"x","value":[{"name":"orders",` + ordersFields + `}]}`, one},
		"Resource Manager's":                {`{"value":[{"id":"/x","name":"orders","properties":{` + ordersFields + `}}]}`, one},
		"what podpass trust azure writes":   {`{"identities":[{"clientId":"x","federatedIdentityCredentials":[{"name":"orders","properties":{` + ordersFields + `}}]},{"federatedIdentityCredentials":[]}]}`, one},
		"a plan of nobody":                  {`{"identities":[]}`, Document{}},
		"a value that is no list":           {`{"value":"","name":"orders",` + ordersFields + `}`, one},
		"a value of nothing":                {`{"value":[]}`, Document{}},
		"an identity that trusts nobody":    {`[]`, Document{}},
		"two lists, one after another":      {"[]\n" + `[{"name":"orders",` + ordersFields + `}]`, one},
		"a flexible one, with no subject":   {`[{"name":"f","issuer":"i","subject":null,"claimsMatchingExpression":{"value":"e","languageVersion":1}}]`, Document{Credentials: []Credential{{Name: "f", Issuer: "i", Expression: &Expression{"e", 1}}}}},
		"white space before and behind":     {"\n[]\n", Document{}},
		"one that also has the null object": {`[{"name":"orders",` + ordersFields + `,"claimsMatchingExpression":null}]`, one},
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
		"nothing":              {"", "empty"},
		"a table":              {"Name    Issuer\n", "not JSON"},
		"half":                 {`[{"name":`, "not JSON"},
		"something else":       {`{"name":"orders","principalId":"x"}`, "object 1: not a federated credential: it has no issuer"},
		"a number":             {`7`, "object 1: not a federated credential"},
		"a wrong type":         {`[{"issuer":"i","audiences":"x"}]`, "federated credential: "},
		"a plan that is none":  {`{"identities":[{"federatedIdentityCredentials":{}}]}`, "object 1: json: cannot unmarshal object"},
		"a plan with a number": {`{"identities":[{"federatedIdentityCredentials":[7]}]}`, "object 1: federated credential: "},
		"a number in a list":   {`[7]`, "object 1: federated credential: "},
		"the second of two":    {`[] {}`, "object 2: not a federated credential: it has no issuer"},
		"far too much":         {strings.Repeat(" ", 2<<20), "larger than 1024 KiB"},
		"far too many":         {"[" + strings.Repeat(`{"issuer":"i"},`, 2000) + `{"issuer":"i"}]`, "more than 2000"},
	} {
		t.Run(name, func(t *testing.T) {
			if _, err := Parse([]byte(test.raw)); err == nil || !strings.Contains(err.Error(), test.says) {
				t.Errorf("got %v, want %q", err, test.says)
			}
		})
	}
}

// TestParseAsManyAsFit: 2000 credentials, in 1024 KiB.
func TestParseAsManyAsFit(t *testing.T) {
	raw := "[" + strings.Repeat(`{"issuer":"i"},`, 1999) + `{"issuer":"i"}]`
	raw += strings.Repeat(" ", 1<<20-len(raw))
	if d, err := Parse([]byte(raw)); err != nil || len(d.Credentials) != 2000 {
		t.Errorf("%d credentials, %v", len(d.Credentials), err)
	}
	if _, err := Parse([]byte(raw + " ")); err == nil || err.Error() != "larger than 1024 KiB" {
		t.Errorf("a byte more: %v", err)
	}
}

// TestAlgorithm: a token of a cluster that signs with an elliptic curve, which the suite of
// documents cannot show.
func TestAlgorithm(t *testing.T) {
	claims := federation.Claims{Issuer: ordersCredential.Issuer, Subject: ordersCredential.Subject, Audiences: ordersCredential.Audiences}
	for algorithm, want := range map[string]string{"RS256": "", "": "", "ES256": CodeAlgorithm} {
		claims.Algorithm = algorithm
		verdict := Evaluate(Document{Credentials: []Credential{ordersCredential}}, claims)
		if verdict.Allowed != (want == "") || want != "" && verdict.Findings[0].Code != want {
			t.Errorf("%q: %+v, want %q", algorithm, verdict, want)
		}
	}
}

// TestParseAll: what names identities is parted by them, and what names none is together.
func TestParseAll(t *testing.T) {
	other := ordersCredential
	other.Name = "other"
	got, err := ParseAll([]byte(`[{"name":"orders",` + ordersFields + `}]
		{"identities":[{"clientId":"A","federatedIdentityCredentials":[{"name":"orders",` + ordersFields + `}]},{"clientId":"b","federatedIdentityCredentials":[]}]}
		{"name":"other",` + ordersFields + `} {"identities":[{"clientId":"a","federatedIdentityCredentials":[{"name":"other",` + ordersFields + `}]}]}`))
	want := []Document{{Credentials: []Credential{ordersCredential, other}}, {Client: "A", Credentials: []Credential{ordersCredential, other}}, {Client: "b"}}
	if diff := cmp.Diff(want, got); diff != "" || err != nil {
		t.Errorf("%v (-want +got):\n%s", err, diff)
	}
	if got, err := ParseAll([]byte(`{"identities":[]}`)); err != nil || len(got) != 0 {
		t.Errorf("a plan of nobody: %v, %v", got, err)
	}
}
