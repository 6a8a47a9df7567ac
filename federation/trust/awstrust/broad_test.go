package awstrust

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/podpass-io/podpass/federation/finding"
)

// TestBroad: what a statement that lets the token in lets in besides.
func TestBroad(t *testing.T) {
	const (
		aud        = `"oidc.example.com:aud":"sts.amazonaws.com"`
		sub        = `"oidc.example.com:sub":"system:serviceaccount:shop:orders"`
		anySubject = "WI222 | Statement[0] | has no condition on the subject: each ServiceAccount of the cluster, in any namespace, may assume the role |  |  | add StringEquals oidc.example.com:sub system:serviceaccount:shop:orders"
		across     = "WI223 | Condition oidc.example.com:sub | has a wildcard that crosses namespaces: whoever can make a ServiceAccount in another namespace may assume the role |  | "
		acrossFix  = " | write the namespace out: system:serviceaccount:NAMESPACE:*"
		everyone   = "WI225 | Statement[0] | trusts everyone, not only the cluster's provider | " + ownProvider + " | * | name the provider as the Federated principal"
	)
	for name, test := range map[string]struct {
		statement string
		want      []string
	}{
		"neither claim": {allowing(``), []string{
			anySubject, "WI224 | Statement[0] | has no condition on the audience: tokens made for anybody else whom the provider lists are taken, too |  |  | add StringEquals oidc.example.com:aud sts.amazonaws.com",
		}},
		"where the claims are missing, too": {allowing(`"StringEqualsIfExists":{` + sub + `},"ForAllValues:StringEquals":{` + aud + `}`), []string{
			"WI226 | Condition StringEqualsIfExists oidc.example.com:sub | holds, too, for a token without a subject |  |  | use StringEquals",
			"WI226 | Condition ForAllValues:StringEquals oidc.example.com:aud | holds, too, for a token without an audience |  |  | use StringEquals",
		}},
		"all ServiceAccounts": {allowing(`"StringEquals":{` + aud + `},"StringLike":{"oidc.example.com:sub":["system:serviceaccount:shop:*","system:serviceaccount:*"]}`), []string{
			across + "system:serviceaccount:*" + acrossFix,
		}},
		"anything": {allowing(`"StringEquals":{` + aud + `},"StringLike":{"oidc.example.com:sub":"*"}`), []string{across + "*" + acrossFix}},
		"namespaces alike": {allowing(`"StringEquals":{` + aud + `},"StringLike":{"oidc.example.com:sub":"system:serviceaccount:sho?:orders"}`), []string{
			across + "system:serviceaccount:sho?:orders" + acrossFix,
		}},
		"a namespace":                          {allowing(`"StringEquals":{` + aud + `},"StringLike":{"oidc.example.com:sub":"system:serviceaccount:shop:*"}`), nil},
		"a star to the letter":                 {allowing(`"StringEquals":{` + aud + `,"oidc.example.com:sub":["*","system:serviceaccount:shop:orders"]}`), nil},
		"exact besides a wildcard":             {allowing(`"StringEquals":{` + aud + `,` + sub + `},"StringLike":{"oidc.example.com:sub":"*"}`), nil},
		"exact after a wildcard":               {allowing(`"StringLike":{"oidc.example.com:sub":"*"},"stringequals":{` + aud + `,` + sub + `}`), nil},
		"exact, and where it is missing":       {allowing(`"StringEquals":{` + aud + `,` + sub + `},"StringEqualsIfExists":{` + aud + `,` + sub + `}`), nil},
		"keys in any case":                     {allowing(`"StringEquals":{"OIDC.example.com:AUD":"sts.amazonaws.com","OIDC.example.com:SUB":"system:serviceaccount:shop:orders"}`), nil},
		"what it is not does not bound":        {allowing(`"StringNotEquals":{"oidc.example.com:sub":"system:serviceaccount:shop:web"},"StringEquals":{` + aud + `}`), []string{anySubject}},
		"that it is there does not bound":      {allowing(`"Null":{"oidc.example.com:sub":"false"},"StringEquals":{` + aud + `}`), []string{anySubject}},
		"other keys do not bound":              {allowing(`"Bool":{"aws:SecureTransport":"true"},"StringEquals":{` + aud + `}`), []string{anySubject}},
		"everybody":                            {`{"Effect":"Allow","Principal":"*","Action":"*","Condition":{"StringEquals":{` + aud + `,` + sub + `}}}`, []string{everyone}},
		"any provider":                         {`{"Effect":"Allow","Principal":{"Federated":"*"},"Action":"*","Condition":{"StringEquals":{` + aud + `,` + sub + `}}}`, []string{everyone}},
		"everybody but one":                    {`{"Effect":"Allow","NotPrincipal":{"AWS":"arn:aws:iam::111122223333:root"},"Action":"*","Condition":{"StringEquals":{` + aud + `,` + sub + `}}}`, []string{everyone}},
		"one that is narrow, and one that not": {statementFor("system:serviceaccount:shop:orders") + "," + allowing(`"StringEquals":{`+aud+`}`), []string{"WI222 | Statement[1] | has no condition on the subject: each ServiceAccount of the cluster, in any namespace, may assume the role |  |  | add StringEquals oidc.example.com:sub system:serviceaccount:shop:orders"}},
	} {
		t.Run(name, func(t *testing.T) {
			v := Evaluate(document(t, test.statement), claims(issuer, "shop", "orders"))
			if !v.Allowed || v.By != "Statement[0]" {
				t.Errorf("not let in: %+v", v)
			}
			var got []string
			for _, f := range v.Findings {
				if f.Severity != finding.Warning || f.Command != "aws iam get-role --role-name orders" {
					t.Errorf("not a warning with a command: %+v", f)
				}
				got = append(got, told(f))
			}
			if diff := cmp.Diff(test.want, got); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
		})
	}
}
