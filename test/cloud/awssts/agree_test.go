package awssts

import (
	"encoding/json"
	"strconv"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/podpass-io/podpass/federation"
	"github.com/podpass-io/podpass/federation/trust/awstrust"
)

// TestAgree draws policies of a vocabulary in which conditions often nearly hold, and
// wants the same answer of awstrust, which people ask, and of the stand-in, which is
// written without a look at it. What only a request tells, and variables, are not drawn:
// there awstrust says no, whatever the cloud would.
func TestAgree(t *testing.T) {
	const issuer, subject, audience = "oidc.example.com", "system:serviceaccount:shop:orders", "sts.amazonaws.com"
	drawn, let := 0, 0
	rapid.Check(t, func(r *rapid.T) {
		policy, err := json.Marshal(map[string]any{
			"Version": rapid.SampledFrom([]string{"2012-10-17", "2008-10-17"}).Draw(r, "version"), "Statement": rapid.SliceOfN(statement(), 1, 3).Draw(r, "statements"),
		})
		if err != nil {
			r.Fatal(err)
		}
		now := time.Now()
		q := question{
			principals: []string{"arn:aws:iam::111122223333:oidc-provider/" + issuer}, kind: "Federated", action: "sts:AssumeRoleWithWebIdentity",
			context: map[string][]string{
				issuer + ":sub": {subject}, issuer + ":aud": {audience},
				"aws:currenttime": {federation.Timestamp(now)}, "aws:epochtime": {strconv.FormatInt(now.Unix(), 10)},
			},
		}
		want, err := q.answer(policy)
		if err != nil {
			r.Fatalf("%v: %s", err, policy)
		}
		d, err := awstrust.Parse(policy)
		if err != nil {
			r.Fatal(err)
		}
		verdict := awstrust.EvaluateRequest(d, awstrust.Request{
			Claims: federation.Claims{Issuer: "https://" + issuer, Subject: subject, Audiences: []string{audience}}, Now: now,
		})
		if drawn++; verdict.Allowed {
			let++
		} else if len(verdict.Findings) == 0 {
			r.Errorf("refused without a finding: %s", policy)
		}
		if verdict.Allowed != want {
			r.Errorf("awstrust: %v, the stand-in: %v\n%s\n%v", verdict.Allowed, want, policy, verdict.Findings)
		}
	})
	if let == 0 || let == drawn {
		t.Errorf("%d of %d policies let the token in: the vocabulary shows nothing", let, drawn)
	}
}

// statement draws one.
func statement() *rapid.Generator[map[string]any] {
	return rapid.Custom(func(r *rapid.T) map[string]any {
		s := map[string]any{"Effect": rapid.SampledFrom([]string{"Allow", "Allow", "Allow", "Deny"}).Draw(r, "effect")}
		not := func(element string) string {
			return rapid.SampledFrom([]string{"", "", "", "", "Not"}).Draw(r, "not") + element
		}
		s[not("Principal")] = rapid.SampledFrom([]any{
			"*", map[string]any{"AWS": "*"}, map[string]any{"Federated": "arn:aws:iam::111122223333:oidc-provider/oidc.example.com"},
			map[string]any{"Federated": []string{"arn:aws:iam::111122223333:oidc-provider/oidc.example.org", "arn:aws:iam::111122223333:oidc-provider/oidc.example.com"}},
			map[string]any{"Federated": "arn:aws:iam::111122223333:oidc-provider/oidc.example.org"}, map[string]any{"Service": "ec2.amazonaws.com"},
		}).Draw(r, "principal")
		s[not("Action")] = rapid.SampledFrom([]any{
			"sts:AssumeRoleWithWebIdentity", "sts:AssumeRoleWithWebIdentity", "sts:*", "*", "sts:AssumeRole", []string{"sts:TagSession", "STS:AssumeRoleWith*"},
		}).Draw(r, "action")
		condition := map[string]map[string]any{}
		for range rapid.IntRange(0, 3).Draw(r, "conditions") {
			operator := rapid.SampledFrom([]string{"", "", "", "ForAllValues:", "ForAnyValue:"}).Draw(r, "set") +
				rapid.SampledFrom([]string{"StringEquals", "StringLike", "StringEqualsIgnoreCase", "StringNotEquals", "StringNotLike", "ArnLike", "ArnNotEquals", "NumericLessThan", "DateGreaterThan"}).Draw(r, "operator") +
				rapid.SampledFrom([]string{"", "", "", "IfExists"}).Draw(r, "ifExists")
			if rapid.IntRange(0, 9).Draw(r, "null") == 0 {
				operator = "Null"
			}
			key := rapid.SampledFrom([]string{
				"oidc.example.com:sub", "oidc.example.com:sub", "oidc.example.com:aud", "OIDC.example.com:Sub", "oidc.example.com:amr", "oidc.example.org:sub",
				"https://oidc.example.com:sub", "sts:ExternalId", "aws:PrincipalOrgID", "aws:CurrentTime", "aws:EpochTime",
			}).Draw(r, "key")
			values := rapid.SliceOfN(rapid.SampledFrom([]string{
				"system:serviceaccount:shop:orders", "system:serviceaccount:shop:*", "system:serviceaccount:Shop:orders", "system:*:orders", "system:serviceaccount:shop:order?",
				"sts.amazonaws.com", "true", "false", "2020-01-01", "1577836800", "*",
			}), 1, 3).Draw(r, "values")
			if condition[operator] == nil {
				condition[operator] = map[string]any{}
			}
			if condition[operator][key] = values; len(values) == 1 {
				condition[operator][key] = values[0]
			}
		}
		if len(condition) > 0 {
			s["Condition"] = condition
		}
		return s
	})
}
