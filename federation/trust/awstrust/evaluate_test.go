package awstrust

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/podpass-io/podpass/federation"
	"github.com/podpass-io/podpass/federation/finding"
	"github.com/podpass-io/podpass/federation/trust"
)

const issuer = "https://oidc.example.com"

// document has a role orders with the statements, and providers.
func document(t *testing.T, statements string, providers ...Provider) Document {
	t.Helper()
	d, err := Parse([]byte(`{"Role":{"RoleName":"orders","Arn":"` + orders + `","AssumeRolePolicyDocument":{"Version":"2012-10-17","Statement":[` + statements + `]}}}`))
	if err != nil {
		t.Fatal(err)
	}
	d.Providers = providers
	return d
}

// statementFor lets a subject in.
func statementFor(subject string) string {
	return `{"Effect":"Allow","Principal":{"Federated":"arn:aws:iam::111122223333:oidc-provider/oidc.example.com"},"Action":"sts:AssumeRoleWithWebIdentity",` +
		`"Condition":{"StringEquals":{"oidc.example.com:sub":"` + subject + `","oidc.example.com:aud":"sts.amazonaws.com"}}}`
}

// TestFindings: a finding says where, shows both sides, and what to do.
func TestFindings(t *testing.T) {
	const get = "aws iam get-role --role-name orders"
	token := claims(issuer, "shop", "orders")
	for name, test := range map[string]struct {
		document Document
		claims   federation.Claims
		want     trust.Verdict
	}{
		"the subject": {document(t, statementFor("system:serviceaccount:shop:web")), token, trust.Verdict{Findings: []finding.Finding{{
			Code: "WI211", Severity: "error", Where: "role orders Statement[0] Condition StringEquals oidc.example.com:sub", Message: "is for another ServiceAccount",
			Expected: "system:serviceaccount:shop:web", Seen: "system:serviceaccount:shop:orders", Command: get,
			Fix: "add system:serviceaccount:shop:orders to the condition, or annotate the ServiceAccount with its own role",
		}}}},
		"another cluster's statement is not in the way": {
			document(t, strings.ReplaceAll(statementFor("system:serviceaccount:shop:orders"), "oidc.example.com", "oidc.example.org")+","+statementFor("system:serviceaccount:shop:orders")),
			token, trust.Verdict{Allowed: true, By: "Statement[1]"},
		},
		"a provider alone": {Document{Providers: []Provider{{URL: "oidc.example.com", ClientIDs: []string{"sts.amazonaws.com"}}}}, token, trust.Verdict{Allowed: true, By: "the provider"}},
		"a provider alone, without the audience": {Document{Providers: []Provider{{URL: "oidc.example.com", ClientIDs: []string{"vault", "x"}}}}, token, trust.Verdict{Findings: []finding.Finding{{
			Code: "WI213", Severity: "error", Where: "provider oidc.example.com ClientIDList", Message: "does not list the token's audience", Expected: "vault, x", Seen: "sts.amazonaws.com",
			Fix: "add the audience to the provider, or annotate the ServiceAccount with one that it lists",
		}}}},
		"a provider with a slash, and a role that lets in": {
			document(t, statementFor("system:serviceaccount:shop:orders"), Provider{URL: "other.example.com"}, Provider{URL: "oidc.example.com/"}), token,
			trust.Verdict{Findings: []finding.Finding{{
				Code: "WI204", Severity: "error", Where: "role orders provider oidc.example.com/", Message: "differs from the token's issuer by the / at its end",
				Expected: "oidc.example.com/", Seen: "oidc.example.com", Fix: "make an IAM OIDC provider for exactly the iss claim, https://oidc.example.com", Command: get,
			}}},
		},
		"a provider in another case": {Document{Providers: []Provider{{URL: "OIDC.example.com"}}}, token, trust.Verdict{Findings: []finding.Finding{{
			Code: "WI205", Severity: "error", Where: "provider OIDC.example.com", Message: "differs from the token's issuer in upper and lower case, which count",
			Expected: "OIDC.example.com", Seen: "oidc.example.com", Fix: "make an IAM OIDC provider for exactly the iss claim, https://oidc.example.com",
		}}}},
		"nothing at all": {Document{}, token, trust.Verdict{Findings: []finding.Finding{{
			Code: "WI200", Severity: "error", Where: "no document", Message: "there is neither a role nor a provider to look at",
		}}}},
		"no audience": {document(t, statementFor("system:serviceaccount:shop:orders")), federation.Claims{Issuer: issuer, Subject: token.Subject}, trust.Verdict{Findings: []finding.Finding{{
			Code: "WI212", Severity: "error", Where: "role orders Statement[0] Condition StringEquals oidc.example.com:aud", Message: "asks for an audience, and the token has none",
			Expected: "sts.amazonaws.com", Fix: "have tokens made for an audience", Command: get,
		}}}},
	} {
		t.Run(name, func(t *testing.T) {
			if diff := cmp.Diff(test.want, Evaluate(test.document, test.claims)); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
		})
	}
}

// TestFindingsAreBounded: however much a document has, in number and in length.
func TestFindingsAreBounded(t *testing.T) {
	many := make([]string, 100)
	for n := range many {
		many[n] = statementFor("system:serviceaccount:shop:" + strings.Repeat("x", 5000))
	}
	v := Evaluate(document(t, strings.Join(many, ",")), claims(issuer, "shop", "orders"))
	if len(v.Findings) != maxFindings {
		t.Errorf("%d findings, want %d", len(v.Findings), maxFindings)
	}
	for _, f := range v.Findings {
		if len(f.Expected) > maxText+3 {
			t.Errorf("a text of %d bytes", len(f.Expected))
		}
	}
	for n := range many {
		many[n] = `{"Effect":"Maybe"}`
	}
	if v := Evaluate(document(t, strings.Join(many, ",")), claims(issuer, "shop", "orders")); len(v.Findings) != maxFindings {
		t.Errorf("of a malformed policy: %d findings, want %d", len(v.Findings), maxFindings)
	}
}

func FuzzEvaluate(f *testing.F) {
	f.Add([]byte(policyText))
	f.Add([]byte(`{"Role":{"AssumeRolePolicyDocument":{"Statement":[` + statementFor("system:*") + `]}}}`))
	f.Add([]byte(`{"Statement":[{"Effect":"Deny","NotPrincipal":{"Service":["x"]},"NotAction":["s*?"],"Condition":{"ForAnyValue:ArnLikeIfExists":{"arn:a:b":[1,true,"${x}"]},"Null":{":":"true"}}}]}`))
	f.Fuzz(func(t *testing.T, raw []byte) {
		list, err := ParseAll(raw)
		if err != nil {
			return
		}
		for _, d := range list {
			v := Evaluate(d, claims(issuer, "shop", "orders"))
			if !v.Allowed && len(v.Findings) == 0 {
				t.Errorf("refused without a finding: %s", raw)
			}
			if v.Allowed && finding.Worst(v.Findings) == finding.Error {
				t.Errorf("let in, with an error: %v", v.Findings)
			}
		}
	})
}

// TestUnclosedVariable: what begins as a policy variable and does not end as one is a text,
// and compared.
func TestUnclosedVariable(t *testing.T) {
	for subject, variable := range map[string]bool{"system:serviceaccount:shop:${aws:username}": true, "system:serviceaccount:shop:${aws:username": false} {
		got := Evaluate(document(t, statementFor(subject)), claims(issuer, "shop", "orders"))
		if len(got.Findings) != 1 || strings.Contains(got.Findings[0].Message, "has the policy variable ${aws:username}, which is not evaluated here") != variable {
			t.Errorf("%s: %v", subject, got.Findings)
		}
	}
}
