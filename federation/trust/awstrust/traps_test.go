package awstrust

import (
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/podpass-io/podpass/federation"
	"github.com/podpass-io/podpass/federation/finding"
)

const ownProvider = "arn:aws:iam::111122223333:oidc-provider/oidc.example.com"

// allowing is a statement for the cluster's provider with these conditions.
func allowing(conditions string) string {
	return `{"Effect":"Allow","Principal":{"Federated":"` + ownProvider + `"},"Action":"sts:AssumeRoleWithWebIdentity","Condition":{` + conditions + `}}`
}

// told is a finding on one line: code, place, message, expected, seen and fix.
func told(f finding.Finding) string {
	where := strings.TrimPrefix(strings.TrimPrefix(f.Where, "role orders "), "Statement[0] ")
	return strings.Join([]string{f.Code, where, f.Message, f.Expected, f.Seen, f.Fix}, " | ")
}

func refusals(t *testing.T, d Document, r Request) []string {
	t.Helper()
	v := EvaluateRequest(d, r)
	if v.Allowed || v.By != "" {
		t.Errorf("let in by %q", v.By)
	}
	var list []string
	for _, f := range v.Findings {
		if f.Severity != finding.Error {
			t.Errorf("a refusal that is no error: %s", f)
		}
		list = append(list, told(f))
	}
	return list
}

// TestTraps: a condition that does not hold is told by the mistake that was made, with both
// sides and what to write instead.
func TestTraps(t *testing.T) {
	const own = "system:serviceaccount:shop:orders"
	for name, test := range map[string]struct {
		conditions string
		audiences  []string
		context    map[string]string
		want       []string
	}{
		"excluded": {
			conditions: `"StringNotEquals":{"oidc.example.com:sub":"` + own + `"}`,
			want:       []string{"WI218 | Condition StringNotEquals oidc.example.com:sub | excludes this token | " + own + " | " + own + " | narrow the condition"},
		},
		"an ARN for the subject": {
			conditions: `"ArnLike":{"oidc.example.com:sub":"arn:aws:iam::*:role/x"}`,
			want:       []string{"WI218 | Condition ArnLike oidc.example.com:sub | compares ARNs, and the claim is none, so that it never holds | arn:aws:iam::*:role/x | " + own + " | use StringEquals or StringLike"},
		},
		"an ARN of the request": {
			conditions: `"ArnLike":{"aws:ResourceArn":"arn:aws:iam::*:role/x"}`, context: map[string]string{"aws:ResourceArn": "arn:aws:iam::111122223333:role/y"},
			want: []string{"WI218 | Condition ArnLike aws:ResourceArn | does not hold | arn:aws:iam::*:role/x | arn:aws:iam::111122223333:role/y | correct the condition"},
		},
		"a policy variable": {
			conditions: `"StringEquals":{"oidc.example.com:sub":["system:serviceaccount:${aws:PrincipalTag/ns}:${aws:PrincipalTag/name}","system:serviceaccount:shop:${"]}`,
			want:       []string{"WI214 | Condition StringEquals oidc.example.com:sub | has the policy variable ${aws:PrincipalTag/ns}, ${aws:PrincipalTag/name}, which is not evaluated here |  | " + own + " | write the value out"},
		},
		"a policy variable that may exclude": {
			conditions: `"StringNotEquals":{"oidc.example.com:sub":"${aws:PrincipalTag/sub}"}`,
			want:       []string{"WI214 | Condition StringNotEquals oidc.example.com:sub | has the policy variable ${aws:PrincipalTag/sub}, which is not evaluated here |  | " + own + " | write the value out"},
		},
		"a subject as audience": {
			conditions: `"StringEquals":{"oidc.example.com:aud":"` + own + `"}`,
			want:       []string{"WI210 | Condition StringEquals oidc.example.com:aud | compares the audience with a subject | " + own + " | sts.amazonaws.com | compare oidc.example.com:sub with it, and :aud with the audience"},
		},
		"the token's audience as subject": {
			conditions: `"StringEquals":{"oidc.example.com:sub":"vault"}`, audiences: []string{"vault"},
			want: []string{"WI210 | Condition StringEquals oidc.example.com:sub | compares the subject with an audience | vault | " + own + " | compare oidc.example.com:aud with it, and :sub with the subject"},
		},
		"AWS's audience as subject": {
			conditions: `"StringEquals":{"oidc.example.com:sub":"sts.amazonaws.com"}`, audiences: []string{"vault"},
			want: []string{"WI210 | Condition StringEquals oidc.example.com:sub | compares the subject with an audience | sts.amazonaws.com | " + own + " | compare oidc.example.com:aud with it, and :sub with the subject"},
		},
		"a wildcard to the letter": {
			conditions: `"StringEquals":{"oidc.example.com:sub":"system:serviceaccount:shop:*"}`,
			want:       []string{"WI209 | Condition StringEquals oidc.example.com:sub | takes * and ? as they stand: only StringLike has wildcards | system:serviceaccount:shop:* | " + own + " | use StringLike"},
		},
		"a wildcard for others": {
			conditions: `"StringLike":{"oidc.example.com:sub":"*:web"}`,
			want:       []string{"WI211 | Condition StringLike oidc.example.com:sub | is for another ServiceAccount | *:web | " + own + " | add " + own + " to the condition, or annotate the ServiceAccount with its own role"},
		},
		"letter case": {
			conditions: `"StringEquals":{"oidc.example.com:sub":"system:serviceaccount:Shop:orders"}`,
			want:       []string{"WI205 | Condition StringEquals oidc.example.com:sub | differs in upper and lower case, which count | system:serviceaccount:Shop:orders | " + own + " | write it as the token has it"},
		},
		"letter case of a pattern": {
			conditions: `"StringLike":{"oidc.example.com:sub":"system:serviceaccount:SHOP:*"}`,
			want:       []string{"WI205 | Condition StringLike oidc.example.com:sub | differs in upper and lower case, which count | system:serviceaccount:SHOP:* | " + own + " | write it as the token has it"},
		},
		"no subject's form": {
			conditions: `"StringEquals":{"oidc.example.com:sub":"shop/orders"}`,
			want:       []string{"WI211 | Condition StringEquals oidc.example.com:sub | is for another ServiceAccount; a subject has the form system:serviceaccount:NAMESPACE:NAME | shop/orders | " + own + " | add " + own + " to the condition, or annotate the ServiceAccount with its own role"},
		},
		"another audience": {
			conditions: `"StringEquals":{"oidc.example.com:aud":["vault","other"]}`,
			want:       []string{"WI212 | Condition StringEquals oidc.example.com:aud | is for another audience | vault, other | sts.amazonaws.com | set it to the token's; or annotate the ServiceAccount with eks.amazonaws.com/audience"},
		},
		"an audience besides": {
			conditions: `"ForAllValues:StringEquals":{"oidc.example.com:aud":"sts.amazonaws.com"}`, audiences: []string{"sts.amazonaws.com", "vault"},
			want: []string{"WI212 | Condition ForAllValues:StringEquals oidc.example.com:aud | is for another audience | sts.amazonaws.com | sts.amazonaws.com, vault | set it to the token's; or annotate the ServiceAccount with eks.amazonaws.com/audience"},
		},
		"two audiences where one is compared": {
			conditions: `"StringEquals":{"oidc.example.com:aud":"sts.amazonaws.com"}`, audiences: []string{"sts.amazonaws.com", "vault"},
			want: []string{"WI218 | Condition StringEquals oidc.example.com:aud | compares one value, and the token has several: IAM does not say what becomes of it |  | sts.amazonaws.com, vault | have tokens made for one audience"},
		},
		"a key that must be missing": {
			conditions: `"Null":{"oidc.example.com:sub":"true"}`,
			want:       []string{"WI218 | Condition Null oidc.example.com:sub | asks whether the key is missing | true | the key is there | remove the condition, or turn it round"},
		},
		"a key that must be there": {
			conditions: `"Null":{"aws:PrincipalTag/team":"false"}`,
			want:       []string{"WI218 | Condition Null aws:PrincipalTag/team | asks whether the key is missing | false | the key is missing | remove the condition, or turn it round"},
		},
		"a key of the request that must be there": {
			conditions: `"Null":{"aws:SourceIp":"false"}`,
			want:       []string{"WI217 | Condition Null aws:SourceIp | depends on aws:SourceIp of the request, which no token tells | false |  | give its value with --request aws:SourceIp=VALUE"},
		},
		"an address": {
			conditions: `"IpAddress":{"aws:SourceIp":["10.0.0.0/8","198.51.100.7"]}`,
			want:       []string{"WI217 | Condition IpAddress aws:SourceIp | depends on aws:SourceIp of the request, which no token tells | 10.0.0.0/8, 198.51.100.7 |  | give its value with --request aws:SourceIp=VALUE"},
		},
		"a tag of the role, of any name": {
			conditions: `"StringEquals":{"aws:ResourceTag/example.com/cost:center":"7"}`,
			want:       []string{"WI217 | Condition StringEquals aws:ResourceTag/example.com/cost:center | depends on aws:ResourceTag/example.com/cost:center of the request, which no token tells | 7 |  | give its value with --request aws:ResourceTag/example.com/cost:center=VALUE"},
		},
		"a claim that AWS does not read": {
			conditions: `"StringEquals":{"oidc.example.com:namespace":"shop"}`,
			want:       []string{`WI208 | Condition StringEquals oidc.example.com:namespace | asks for the claim "namespace", and of a token AWS reads sub, aud and amr, of which Kubernetes writes sub and aud |  |  | put the namespace and the name into the condition on oidc.example.com:sub`},
		},
		"https:// in the key": {
			conditions: `"StringEquals":{"https://oidc.example.com:sub":"` + own + `"}`,
			want:       []string{"WI207 | Condition StringEquals https://oidc.example.com:sub | has https:// or an ARN in the condition key, which begins with the issuer alone | oidc.example.com:sub | https://oidc.example.com:sub | write the key as oidc.example.com:sub"},
		},
		"an ARN in the key": {
			conditions: `"StringEquals":{"` + ownProvider + `:sub":"` + own + `"}`,
			want:       []string{"WI207 | Condition StringEquals " + ownProvider + ":sub | has https:// or an ARN in the condition key, which begins with the issuer alone | oidc.example.com:sub | " + ownProvider + ":sub | write the key as oidc.example.com:sub"},
		},
		"a slash in the key": {
			conditions: `"StringEquals":{"oidc.example.com/:sub":"` + own + `"}`,
			want:       []string{"WI204 | Condition StringEquals oidc.example.com/:sub | differs from the token's issuer by the / at its end | oidc.example.com:sub | oidc.example.com/:sub | write the key as oidc.example.com:sub"},
		},
		"another issuer's key, and another subject": {
			conditions: `"StringEquals":{"oidc.example.org:sub":"system:serviceaccount:shop:web"}`,
			want: []string{
				"WI208 | Condition StringEquals oidc.example.org:sub | is a key of another issuer than the token's | oidc.example.com:sub | oidc.example.org:sub | write the key as oidc.example.com:sub",
				"WI211 | Condition StringEquals oidc.example.com:sub | is for another ServiceAccount | system:serviceaccount:shop:web | " + own + " | add " + own + " to the condition, or annotate the ServiceAccount with its own role",
			},
		},
		"another issuer's key, and another audience": {
			conditions: `"StringEquals":{"oidc.example.org:aud":"vault"}`,
			want: []string{
				"WI208 | Condition StringEquals oidc.example.org:aud | is a key of another issuer than the token's | oidc.example.com:aud | oidc.example.org:aud | write the key as oidc.example.com:aud",
				"WI212 | Condition StringEquals oidc.example.com:aud | is for another audience | vault | sts.amazonaws.com | set it to the token's; or annotate the ServiceAccount with eks.amazonaws.com/audience",
			},
		},
		"another issuer's key of no claim that AWS reads": {
			conditions: `"StringEquals":{"oidc.example.org:email":"x"}`,
			want:       []string{"WI208 | Condition StringEquals oidc.example.org:email | is a key of another issuer than the token's | oidc.example.com:email | oidc.example.org:email | write the key as oidc.example.com:email"},
		},
		"an external ID": {
			conditions: `"StringEquals":{"sts:ExternalId":"42"}`,
			want:       []string{"WI216 | Condition StringEquals sts:ExternalId | asks for an external ID, which belongs to sts:AssumeRole: a web identity has none |  | sts:ExternalId | remove the condition"},
		},
		"an organization": {
			conditions: `"StringEquals":{"aws:PrincipalOrgID":"o-1"}`,
			want:       []string{"WI216 | Condition StringEquals aws:PrincipalOrgID | is a key that a web identity never has, so that the condition never holds |  | aws:PrincipalOrgID | remove the condition"},
		},
		"what does not hold, and what is not known": {
			conditions: `"IpAddress":{"aws:SourceIp":"10.0.0.0/8"},"StringEquals":{"sts:ExternalId":"42"}`,
			want: []string{
				"WI217 | Condition IpAddress aws:SourceIp | depends on aws:SourceIp of the request, which no token tells | 10.0.0.0/8 |  | give its value with --request aws:SourceIp=VALUE",
				"WI216 | Condition StringEquals sts:ExternalId | asks for an external ID, which belongs to sts:AssumeRole: a web identity has none |  | sts:ExternalId | remove the condition",
			},
		},
	} {
		t.Run(name, func(t *testing.T) {
			c := claims(issuer, "shop", "orders")
			if test.audiences != nil {
				c.Audiences = test.audiences
			}
			if diff := cmp.Diff(test.want, refusals(t, document(t, allowing(test.conditions)), Request{Claims: c, Context: test.context})); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
		})
	}
}

// TestOldVariables: in the old version of the language a variable is text.
func TestOldVariables(t *testing.T) {
	d := document(t, allowing(`"StringEquals":{"oidc.example.com:sub":"${aws:username}"}`))
	d.Role.Policy.Version = "2008-10-17"
	want := []string{"WI214 | Condition StringEquals oidc.example.com:sub | has a policy variable, which is plain text unless the policy's Version is 2012-10-17 | ${aws:username} | system:serviceaccount:shop:orders | write the value out"}
	if diff := cmp.Diff(want, refusals(t, d, Request{Claims: claims(issuer, "shop", "orders")})); diff != "" {
		t.Error(diff)
	}
}

// TestPrincipals: whom a statement trusts instead of the cluster's provider is told by the
// nearest miss.
func TestPrincipals(t *testing.T) {
	const (
		end       = " | name the provider's ARN; aws iam list-open-id-connect-providers prints it"
		noARN     = "is not the ARN of an IAM OIDC provider: no https:// belongs into one, and a URL alone is none"
		rendersIt = "podpass trust aws renders it"
	)
	for name, test := range map[string]struct{ principal, want string }{
		"another account's provider": {
			`"Principal":{"Federated":"arn:aws:iam::999999999999:oidc-provider/oidc.example.com"}`,
			"WI219 | Principal | is a provider of another account or partition, and STS looks in the role's own | " + ownProvider + " | arn:aws:iam::999999999999:oidc-provider/oidc.example.com | make the provider in the role's account, and name that one",
		},
		"another partition's provider": {
			`"Principal":{"Federated":"arn:aws-cn:iam::111122223333:oidc-provider/oidc.example.com"}`,
			"WI219 | Principal | is a provider of another account or partition, and STS looks in the role's own | " + ownProvider + " | arn:aws-cn:iam::111122223333:oidc-provider/oidc.example.com | make the provider in the role's account, and name that one",
		},
		"a slash": {
			`"Principal":{"Federated":"` + ownProvider + `/"}`,
			"WI204 | Principal | differs from the token's issuer by the / at its end, and is another issuer to AWS | " + ownProvider + " | " + ownProvider + "/ | make the provider for exactly the iss claim, https://oidc.example.com",
		},
		"letter case, among others": {
			`"Principal":{"Federated":["arn:aws:iam::111122223333:oidc-provider/other.example.com","arn:aws:iam::111122223333:oidc-provider/OIDC.example.com"]}`,
			"WI205 | Principal | differs from the token's issuer in upper and lower case, which count | " + ownProvider + " | arn:aws:iam::111122223333:oidc-provider/other.example.com, arn:aws:iam::111122223333:oidc-provider/OIDC.example.com | write it as in the iss claim, https://oidc.example.com",
		},
		"a URL": {
			`"Principal":{"Federated":"https://oidc.example.com"}`,
			"WI221 | Principal | " + noARN + " | " + ownProvider + " | https://oidc.example.com" + end,
		},
		"a URL in an ARN": {
			`"Principal":{"Federated":"arn:aws:iam::111122223333:oidc-provider/https://oidc.example.com"}`,
			"WI221 | Principal | " + noARN + " | " + ownProvider + " | arn:aws:iam::111122223333:oidc-provider/https://oidc.example.com" + end,
		},
		"a host": {
			`"Principal":{"Federated":"oidc.example.com"}`,
			"WI221 | Principal | " + noARN + " | " + ownProvider + " | oidc.example.com" + end,
		},
		"a host with a slash": {
			`"Principal":{"Federated":"oidc.example.com/"}`,
			"WI221 | Principal | " + noARN + " | " + ownProvider + " | oidc.example.com/" + end,
		},
		"the account and the host": {
			`"Principal":{"Federated":"iam::111122223333:oidc-provider/oidc.example.com"}`,
			"WI203 | Principal | is the provider of another issuer than the token's | " + ownProvider + " | iam::111122223333:oidc-provider/oidc.example.com | allow the provider of the cluster's own issuer, which has its own statement: " + rendersIt,
		},
		"another issuer": {
			`"Principal":{"Federated":"arn:aws:iam::111122223333:oidc-provider/other.example.com"}`,
			"WI203 | Principal | is the provider of another issuer than the token's | " + ownProvider + " | arn:aws:iam::111122223333:oidc-provider/other.example.com | allow the provider of the cluster's own issuer, which has its own statement: " + rendersIt,
		},
		"an account": {
			`"Principal":{"AWS":"arn:aws:iam::111122223333:root","Service":"ec2.amazonaws.com"}`,
			"WI202 | Principal | trusts accounts, users and roles of AWS, and no OIDC provider: a ServiceAccount's token is none of them | " + ownProvider + " | arn:aws:iam::111122223333:root, ec2.amazonaws.com | add a statement for the cluster's provider; or, if the role is meant as a further one of a chain, annotate another role first",
		},
		"EKS Pod Identity": {
			`"Principal":{"Service":["ec2.amazonaws.com","pods.eks.amazonaws.com"]}`,
			"WI201 | Principal | trusts EKS Pod Identity, which needs its agent and an association, and no OIDC provider | " + ownProvider + " | ec2.amazonaws.com, pods.eks.amazonaws.com | add a statement for the cluster's provider: " + rendersIt,
		},
		"a service": {
			`"Principal":{"Service":"ec2.amazonaws.com"}`,
			"WI201 | Principal | trusts services of AWS, and no OIDC provider: it is a role for ec2.amazonaws.com | " + ownProvider + " | ec2.amazonaws.com | add a statement for the cluster's provider, or annotate a role that is meant for pods",
		},
		"a user of S3": {
			`"Principal":{"CanonicalUser":"79a59df900b949e55d96a1e698fbaced"}`,
			"WI201 | Principal | trusts services of AWS, and no OIDC provider: it is a role for nobody | " + ownProvider + " | 79a59df900b949e55d96a1e698fbaced | add a statement for the cluster's provider, or annotate a role that is meant for pods",
		},
		"all but the provider": {
			`"NotPrincipal":{"Federated":"` + ownProvider + `"}`,
			"WI203 | NotPrincipal | leaves out the token's issuer |  | " + ownProvider + " | ",
		},
	} {
		t.Run(name, func(t *testing.T) {
			d := document(t, `{"Effect":"Allow","Action":"sts:AssumeRoleWithWebIdentity",`+test.principal+`}`)
			if diff := cmp.Diff([]string{test.want}, refusals(t, d, Request{Claims: claims(issuer, "shop", "orders")})); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
		})
	}
}

// TestStatements: of several statements those speak that came nearest, and a Deny wins.
func TestStatements(t *testing.T) {
	own := statementFor("system:serviceaccount:shop:orders")
	of := func(host string) string { return strings.ReplaceAll(own, "oidc.example.com", host) }
	const (
		web    = "WI211 | Condition StringEquals oidc.example.com:sub | is for another ServiceAccount | system:serviceaccount:shop:web | system:serviceaccount:shop:orders | add system:serviceaccount:shop:orders to the condition, or annotate the ServiceAccount with its own role"
		denies = "WI215 |  | denies the token, and a Deny wins over each Allow"
		action = "WI206 | Statement[1] Action | is another action than the one with which a ServiceAccount's token is traded | sts:AssumeRoleWithWebIdentity | "
	)
	for name, test := range map[string]struct {
		statements string
		want       []string
	}{
		"two for other ServiceAccounts": {
			statementFor("system:serviceaccount:shop:web") + "," + statementFor("system:serviceaccount:shop:web"),
			[]string{web, strings.Replace(web, "Condition", "Statement[1] Condition", 1)},
		},
		"one of two that are other issuers'": {
			of("one.example.com") + "," + of("two.example.com"),
			[]string{"WI203 | Principal | is the provider of another issuer than the token's | " + ownProvider + " | arn:aws:iam::111122223333:oidc-provider/one.example.com | allow the provider of the cluster's own issuer, which has its own statement: podpass trust aws renders it"},
		},
		"the action, rather than another issuer's": {
			of("one.example.com") + "," + strings.ReplaceAll(own, "WithWebIdentity", ""),
			[]string{action + "sts:AssumeRole | set Action to sts:AssumeRoleWithWebIdentity"},
		},
		"all actions but that": {
			of("one.example.com") + "," + strings.ReplaceAll(own, `"Action":"sts:AssumeRoleWithWebIdentity"`, `"NotAction":["iam:*","STS:*WithWebIdentity"]`),
			[]string{action + "iam:*, STS:*WithWebIdentity | set Action to sts:AssumeRoleWithWebIdentity"},
		},
		"a Deny of everybody": {
			own + `,{"Effect":"Deny","Principal":"*","Action":"sts:*"}`,
			[]string{strings.Replace(denies, "|  |", "| Statement[1] |", 1) + " |  |  | narrow the statement, or remove it"},
		},
		"a Deny of whom a key does not name": {
			`{"Effect":"Deny","Principal":"*","Action":"*","Condition":{"StringNotEquals":{"aws:PrincipalOrgID":["o-1","o-2"]},"Bool":{"aws:SecureTransport":"true"}}},` + own,
			[]string{"WI215 | Statement[0] | denies the token, and a Deny wins over each Allow; a condition with Not in its operator holds for keys that are missing |  | Bool aws:SecureTransport true; StringNotEquals aws:PrincipalOrgID o-1, o-2 | narrow the statement, or remove it"},
		},
		"a Deny that depends": {
			own + `,{"Effect":"Deny","Principal":"*","Action":"*","Condition":{"NotIpAddress":{"aws:SourceIp":"10.0.0.0/8"}}}`,
			[]string{"WI217 | Statement[1] Condition NotIpAddress aws:SourceIp | depends on aws:SourceIp of the request, which no token tells | 10.0.0.0/8 |  | give its value with --request aws:SourceIp=VALUE"},
		},
		"a Deny alone": {
			`{"Effect":"Deny","Principal":{"AWS":"*"},"Action":"sts:AssumeRole"}`,
			[]string{"WI200 | role orders | no statement allows anything |  |  | add a statement that allows sts:AssumeRoleWithWebIdentity: podpass trust aws renders it"},
		},
		"what IAM refuses": {
			`{"Effect":"allow","Resource":"*"},{"Effect":"Deny","Principal":"*","NotPrincipal":"*","Action":"*","NotAction":"*","NotResource":"*","Condition":{"StringIs":{"a":"b"}}},` + own,
			[]string{
				`WI200 | Effect | is "allow", and can only be Allow or Deny |  |  | correct it: IAM refuses such a trust policy`,
				"WI200 | Statement[0] | needs one of Principal and NotPrincipal |  |  | correct it: IAM refuses such a trust policy",
				"WI200 | Statement[0] | needs one of Action and NotAction |  |  | correct it: IAM refuses such a trust policy",
				"WI200 | Statement[0] | has a Resource, and the resource of a trust policy is the role itself |  |  | correct it: IAM refuses such a trust policy",
				"WI200 | Statement[1] | needs one of Principal and NotPrincipal |  |  | correct it: IAM refuses such a trust policy",
				"WI200 | Statement[1] | needs one of Action and NotAction |  |  | correct it: IAM refuses such a trust policy",
				"WI200 | Statement[1] | has a Resource, and the resource of a trust policy is the role itself |  |  | correct it: IAM refuses such a trust policy",
				`WI200 | Statement[1] Condition | "StringIs" is not a condition operator |  |  | correct it: IAM refuses such a trust policy`,
			},
		},
	} {
		t.Run(name, func(t *testing.T) {
			if diff := cmp.Diff(test.want, refusals(t, document(t, test.statements), Request{Claims: claims(issuer, "shop", "orders")})); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
		})
	}
	d := document(t, own)
	d.Role.Policy.Version = "2026-01-01"
	want := []string{`WI200 | Version | is "2026-01-01", and can only be 2012-10-17 or 2008-10-17 |  |  | correct it: IAM refuses such a trust policy`}
	if diff := cmp.Diff(want, refusals(t, d, Request{Claims: claims(issuer, "shop", "orders")})); diff != "" {
		t.Error(diff)
	}
	for name, statements := range map[string]string{
		"a Deny for others":           own + "," + strings.Replace(statementFor("system:serviceaccount:shop:web"), "Allow", "Deny", 1),
		"a Deny of another action":    own + `,{"Effect":"Deny","Principal":"*","Action":"sts:AssumeRole"}`,
		"a Deny of others' providers": own + "," + strings.Replace(of("one.example.com"), "Allow", "Deny", 1),
		"all actions but others":      strings.ReplaceAll(own, `"Action":"sts:AssumeRoleWithWebIdentity"`, `"NotAction":"iam:*"`),
	} {
		if v := Evaluate(document(t, statements), claims(issuer, "shop", "orders")); !v.Allowed || v.By != "Statement[0]" || len(v.Findings) > 0 {
			t.Errorf("%s: %+v", name, v)
		}
	}
}

// TestProviders: of the account's providers the nearest is told.
func TestProviders(t *testing.T) {
	const fix = " | make an IAM OIDC provider for exactly the iss claim, https://oidc.example.com"
	aws := []string{"sts.amazonaws.com"}
	for name, test := range map[string]struct {
		providers []Provider
		want      string
	}{
		"another issuer's": {
			[]Provider{{URL: "https://a.example.com", ClientIDs: aws}, {URL: "b.example.com", ClientIDs: aws}},
			"WI203 | provider a.example.com | is for another issuer than the token's | a.example.com | oidc.example.com" + fix,
		},
		"letter case, after another": {
			[]Provider{{URL: "a.example.com", ClientIDs: aws}, {URL: "OIDC.example.com", ClientIDs: aws}},
			"WI205 | provider OIDC.example.com | differs from the token's issuer in upper and lower case, which count | OIDC.example.com | oidc.example.com" + fix,
		},
		"a slash, after another": {
			[]Provider{{URL: "a.example.com", ClientIDs: aws}, {URL: "oidc.example.com/", ClientIDs: aws}},
			"WI204 | provider oidc.example.com/ | differs from the token's issuer by the / at its end | oidc.example.com/ | oidc.example.com" + fix,
		},
		"another audience": {
			[]Provider{{URL: "a.example.com", ClientIDs: aws}, {URL: "https://oidc.example.com", ClientIDs: []string{"vault"}}},
			"WI213 | provider oidc.example.com ClientIDList | does not list the token's audience | vault | sts.amazonaws.com | add the audience to the provider, or annotate the ServiceAccount with one that it lists",
		},
	} {
		d := document(t, statementFor("system:serviceaccount:shop:orders"), test.providers...)
		if diff := cmp.Diff([]string{test.want}, refusals(t, d, Request{Claims: claims(issuer, "shop", "orders")})); diff != "" {
			t.Errorf("%s (-want +got):\n%s", name, diff)
		}
	}
	// Of the findings about the role only what keeps the token out is left.
	d := document(t, `{"Effect":"Allow","Principal":"*","Action":"*"},`+statementFor("system:serviceaccount:shop:web"), Provider{URL: "oidc.example.com"})
	if got := refusals(t, d, Request{Claims: claims(issuer, "shop", "orders")}); len(got) != 1 {
		t.Errorf("got %q, want the provider's finding alone", got)
	}
	d = document(t, statementFor("system:serviceaccount:shop:web"), Provider{URL: "oidc.example.com"})
	if got := refusals(t, d, Request{Claims: claims(issuer, "shop", "orders")}); len(got) != 2 || !strings.HasPrefix(got[1], "WI211") {
		t.Errorf("got %q, want those of the provider and of the role", got)
	}
	// A role of which only the policy is known may be in any account.
	d = Document{Role: &Role{Policy: document(t, statementFor("system:serviceaccount:shop:orders")).Role.Policy}}
	if v := Evaluate(d, claims(issuer, "shop", "orders")); !v.Allowed {
		t.Errorf("the policy alone: %+v", v)
	}
	d = Document{Role: &Role{Policy: document(t, strings.ReplaceAll(statementFor("x"), "oidc.example.com", "one.example.com")).Role.Policy}}
	if got := refusals(t, d, Request{Claims: claims(issuer, "shop", "orders")}); len(got) != 1 || !strings.Contains(got[0], "| arn:aws:iam::ACCOUNT:oidc-provider/oidc.example.com |") {
		t.Errorf("the policy alone, of another issuer: %q", got)
	}
}

// TestUnreachableIssuer: whatever IAM was told.
func TestUnreachableIssuer(t *testing.T) {
	c := claims("https://kubernetes.default.svc", "shop", "orders")
	want := []string{"WI220 | the token's issuer | exists only inside of a cluster or a private network, so that AWS cannot fetch its keys, whatever IAM is told |  | https://kubernetes.default.svc | give the cluster an issuer that the internet can reach over https (the API server's --service-account-issuer), and publish its discovery document and keys there"}
	if diff := cmp.Diff(want, refusals(t, document(t, `{"Effect":"Allow","Principal":"*","Action":"*"}`), Request{Claims: c})); diff != "" {
		t.Error(diff)
	}
}

// TestRequest: what a request has besides the token.
func TestRequest(t *testing.T) {
	newYear := time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)
	for name, test := range map[string]struct {
		conditions string
		now        time.Time
		context    map[string]string
		want       bool
	}{
		"the time":                        {`"DateGreaterThan":{"aws:CurrentTime":"2025-12-31T23:59:59Z"}`, newYear, nil, true},
		"the time has passed":             {`"DateLessThan":{"AWS:currenttime":"2025-12-31T23:59:59Z"}`, newYear, nil, false},
		"the time of the call":            {`"DateGreaterThan":{"aws:CurrentTime":"2026-06-01T00:00:00Z"},"DateLessThan":{"aws:CurrentTime":"2126-06-01T00:00:00Z"}`, time.Time{}, nil, true},
		"seconds":                         {`"NumericEquals":{"aws:EpochTime":1767225600}`, newYear, nil, true},
		"over TLS":                        {`"Bool":{"aws:SecureTransport":true}`, newYear, nil, true},
		"not over TLS":                    {`"Bool":{"aws:SecureTransport":"false"}`, newYear, nil, false},
		"an address":                      {`"IpAddress":{"aws:sourceip":"10.0.0.0/8"}`, newYear, map[string]string{"aws:SourceIp": "10.1.2.3"}, true},
		"a time that somebody has chosen": {`"DateGreaterThan":{"aws:CurrentTime":"2030-01-01T00:00:00Z"}`, newYear, map[string]string{"aws:CurrentTime": "2031-01-01T00:00:00Z"}, true},
		"no such tag":                     {`"Null":{"aws:RequestTag/team":"true"}`, newYear, nil, true},
		"no such claim of others":         {`"Null":{"other.example.com:sub":"true"}`, newYear, nil, true},
		"keys in any case":                {`"StringEquals":{"OIDC.example.com:SUB":"system:serviceaccount:shop:orders","oidc.EXAMPLE.com:aud":"sts.amazonaws.com"}`, newYear, nil, true},
	} {
		v := EvaluateRequest(document(t, allowing(test.conditions)), Request{Claims: claims(issuer, "shop", "orders"), Now: test.now, Context: test.context})
		if v.Allowed != test.want {
			t.Errorf("%s: %+v, want %v", name, v, test.want)
		}
	}
	for _, key := range []string{
		"sts:ExternalId", "sts:SourceIdentity", "sts:TransitiveTagKeys", "sts:AWSServiceName", "aws:TagKeys", "aws:userid", "aws:username", "aws:SourceAccount", "aws:SourceArn",
		"aws:SourceOrgID", "aws:SourceOrgPaths", "aws:TokenIssueTime", "aws:FederatedProvider", "aws:SourceIdentity", "aws:PrincipalArn", "aws:RequestTag/team", "aws:MultiFactorAuthAge",
		"aws:CalledVia", "saml:aud", "oidc.example.com:amr", "other.example.com:aud",
	} {
		if _, is := (Request{Claims: federation.Claims{Issuer: issuer}}).lookup(key); is != absent {
			t.Errorf("%s may be there", key)
		}
	}
	for _, key := range []string{"aws:SourceIp", "aws:SourceVpc", "aws:RequestedRegion", "sts:RoleSessionName", "aws:UserAgent", "team"} {
		if _, is := (Request{Claims: federation.Claims{Issuer: issuer}}).lookup(key); is != undecided {
			t.Errorf("%s is decided", key)
		}
	}
}
