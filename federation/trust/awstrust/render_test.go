package awstrust

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/podpass-io/podpass/federation/finding"
	"github.com/podpass-io/podpass/federation/serviceaccount"
	"github.com/podpass-io/podpass/federation/trust"
)

var (
	prod = trust.Cluster{Name: "prod", Issuer: "https://oidc.example.com/prod"}
	test = trust.Cluster{Name: "test", Issuer: "https://oidc.example.com/test"}
)

const orders = "arn:aws:iam::111122223333:role/orders"

// account resolves annotations as the webhook does.
func account(c trust.Cluster, namespace, name string, annotations map[string]string) trust.Account {
	return trust.Account{Cluster: c, Namespace: namespace, Name: name, Answer: serviceaccount.Resolve(serviceaccount.Request{
		Namespace: namespace, Name: name, Annotations: annotations, AnyPod: true,
	}, serviceaccount.Installation{AWS: serviceaccount.AWSInstallation{STSEndpoints: map[string]string{"minio": "https://minio.example.com"}}})}
}

func asks(arn string) map[string]string {
	return map[string]string{"eks.amazonaws.com/role-arn": arn}
}

func rendered(t *testing.T, accounts []trust.Account, o Options) (*Plan, []string) {
	t.Helper()
	p, found := Render(accounts, o)
	var codes []string
	for _, f := range found {
		codes = append(codes, f.Code+" "+string(f.Severity))
	}
	return p, codes
}

// policies of the plan, by role, as IAM's API takes them.
func policies(t *testing.T, p *Plan) map[string]any {
	t.Helper()
	raw, err := p.JSON()
	if err != nil {
		t.Fatal(err)
	}
	var out struct {
		Roles []struct {
			Arn                      string
			AssumeRolePolicyDocument any
		}
	}
	if err := json.Unmarshal(raw, &out); err != nil {
		t.Fatal(err)
	}
	got := map[string]any{}
	for _, r := range out.Roles {
		got[r.Arn] = r.AssumeRolePolicyDocument
	}
	return got
}

func decoded(t *testing.T, text string) (v any) {
	t.Helper()
	if err := json.Unmarshal([]byte(text), &v); err != nil {
		t.Fatal(err)
	}
	return v
}

func TestRenderPolicies(t *testing.T) {
	for name, test := range map[string]struct {
		accounts []trust.Account
		options  Options
		want     map[string]string
		codes    []string
	}{
		"one ServiceAccount": {
			accounts: []trust.Account{account(prod, "shop", "orders", asks(orders))},
			want: map[string]string{orders: `{"Version": "2012-10-17", "Statement": [{"Effect": "Allow",
				"Principal": {"Federated": "arn:aws:iam::111122223333:oidc-provider/oidc.example.com/prod"},
				"Action": "sts:AssumeRoleWithWebIdentity",
				"Condition": {"StringEquals": {"oidc.example.com/prod:aud": "sts.amazonaws.com", "oidc.example.com/prod:sub": "system:serviceaccount:shop:orders"}}}]}`},
		},
		"several ServiceAccounts of several clusters share a role": {
			accounts: []trust.Account{
				account(test, "shop", "orders", asks(orders)), account(prod, "shop", "web", asks(orders)), account(prod, "shop", "orders", asks(orders)), account(prod, "shop", "orders", asks(orders)),
			},
			want: map[string]string{orders: `{"Version": "2012-10-17", "Statement": [
				{"Effect": "Allow", "Principal": {"Federated": "arn:aws:iam::111122223333:oidc-provider/oidc.example.com/prod"}, "Action": "sts:AssumeRoleWithWebIdentity",
				"Condition": {"StringEquals": {"oidc.example.com/prod:aud": "sts.amazonaws.com", "oidc.example.com/prod:sub": ["system:serviceaccount:shop:orders", "system:serviceaccount:shop:web"]}}},
				{"Effect": "Allow", "Principal": {"Federated": "arn:aws:iam::111122223333:oidc-provider/oidc.example.com/test"}, "Action": "sts:AssumeRoleWithWebIdentity",
				"Condition": {"StringEquals": {"oidc.example.com/test:aud": "sts.amazonaws.com", "oidc.example.com/test:sub": "system:serviceaccount:shop:orders"}}}]}`},
		},
		"an audience of its own does not go with the others' subjects": {
			accounts: []trust.Account{
				account(prod, "shop", "orders", asks(orders)),
				account(prod, "shop", "web", map[string]string{"eks.amazonaws.com/role-arn": orders, "eks.amazonaws.com/audience": "vault"}),
			},
			want: map[string]string{orders: `{"Version": "2012-10-17", "Statement": [
				{"Effect": "Allow", "Principal": {"Federated": "arn:aws:iam::111122223333:oidc-provider/oidc.example.com/prod"}, "Action": "sts:AssumeRoleWithWebIdentity",
				"Condition": {"StringEquals": {"oidc.example.com/prod:aud": "sts.amazonaws.com", "oidc.example.com/prod:sub": "system:serviceaccount:shop:orders"}}},
				{"Effect": "Allow", "Principal": {"Federated": "arn:aws:iam::111122223333:oidc-provider/oidc.example.com/prod"}, "Action": "sts:AssumeRoleWithWebIdentity",
				"Condition": {"StringEquals": {"oidc.example.com/prod:aud": "vault", "oidc.example.com/prod:sub": "system:serviceaccount:shop:web"}}}]}`},
		},
		"whole namespaces": {
			accounts: []trust.Account{account(prod, "shop", "orders", asks(orders)), account(prod, "shop", "web", asks(orders))},
			options:  Options{Namespaces: true},
			want: map[string]string{orders: `{"Version": "2012-10-17", "Statement": [{"Effect": "Allow",
				"Principal": {"Federated": "arn:aws:iam::111122223333:oidc-provider/oidc.example.com/prod"}, "Action": "sts:AssumeRoleWithWebIdentity",
				"Condition": {"StringEquals": {"oidc.example.com/prod:aud": "sts.amazonaws.com"}, "StringLike": {"oidc.example.com/prod:sub": "system:serviceaccount:shop:*"}}}]}`},
		},
		"a further role that containers choose, in China": {
			accounts: []trust.Account{account(prod, "shop", "orders", map[string]string{
				"eks.amazonaws.com/role-arn": "arn:aws-cn:iam::111122223333:role/team/orders", "podpass.io/aws-role-arn.reports": "arn:aws-cn:iam::111122223333:role/reports",
			})},
			want: map[string]string{
				"arn:aws-cn:iam::111122223333:role/team/orders": `{"Version": "2012-10-17", "Statement": [{"Effect": "Allow",
				"Principal": {"Federated": "arn:aws-cn:iam::111122223333:oidc-provider/oidc.example.com/prod"}, "Action": "sts:AssumeRoleWithWebIdentity",
				"Condition": {"StringEquals": {"oidc.example.com/prod:aud": "sts.amazonaws.com", "oidc.example.com/prod:sub": "system:serviceaccount:shop:orders"}}}]}`,
				"arn:aws-cn:iam::111122223333:role/reports": `{"Version": "2012-10-17", "Statement": [{"Effect": "Allow",
				"Principal": {"Federated": "arn:aws-cn:iam::111122223333:oidc-provider/oidc.example.com/prod"}, "Action": "sts:AssumeRoleWithWebIdentity",
				"Condition": {"StringEquals": {"oidc.example.com/prod:aud": "sts.amazonaws.com", "oidc.example.com/prod:sub": "system:serviceaccount:shop:orders"}}}]}`,
			},
		},
		"a chain": {
			accounts: []trust.Account{account(prod, "shop", "orders", map[string]string{
				"eks.amazonaws.com/role-arn": orders, "podpass.io/aws-external-id": "orders-42", "podpass.io/aws-session-tags": "true",
				"podpass.io/aws-assume-role-arn": "arn:aws:iam::444455556666:role/partner, arn:aws:iam::444455556666:role/deep",
			})},
			want: map[string]string{
				orders: `{"Version": "2012-10-17", "Statement": [{"Effect": "Allow",
				"Principal": {"Federated": "arn:aws:iam::111122223333:oidc-provider/oidc.example.com/prod"}, "Action": "sts:AssumeRoleWithWebIdentity",
				"Condition": {"StringEquals": {"oidc.example.com/prod:aud": "sts.amazonaws.com", "oidc.example.com/prod:sub": "system:serviceaccount:shop:orders"}}}]}`,
				"arn:aws:iam::444455556666:role/partner": `{"Version": "2012-10-17", "Statement": [{"Effect": "Allow",
				"Principal": {"AWS": "arn:aws:iam::111122223333:role/orders"}, "Action": ["sts:AssumeRole", "sts:TagSession"],
				"Condition": {"StringEquals": {"sts:ExternalId": "orders-42"}}}]}`,
				"arn:aws:iam::444455556666:role/deep": `{"Version": "2012-10-17", "Statement": [{"Effect": "Allow",
				"Principal": {"AWS": "arn:aws:iam::444455556666:role/partner"}, "Action": ["sts:AssumeRole", "sts:TagSession"],
				"Condition": {"StringEquals": {"sts:ExternalId": "orders-42"}}}]}`,
			},
		},
		"a chain with an external ID, and one without": {
			accounts: []trust.Account{
				account(prod, "shop", "orders", map[string]string{"eks.amazonaws.com/role-arn": orders, "podpass.io/aws-external-id": "orders-42", "podpass.io/aws-assume-role-arn": "arn:aws:iam::444455556666:role/partner"}),
				account(prod, "shop", "web", map[string]string{"eks.amazonaws.com/role-arn": orders, "podpass.io/aws-assume-role-arn": "arn:aws:iam::444455556666:role/partner"}),
			},
			codes: []string{"WI229 warning"},
		},
		"no identity in AWS":      {accounts: []trust.Account{account(prod, "shop", "orders", nil)}, want: map[string]string{}, codes: []string{"WI228 info", "WI228 error"}},
		"annotations with errors": {accounts: []trust.Account{account(prod, "shop", "orders", asks("arn:aws:iam::1:role/x"))}, want: map[string]string{}, codes: []string{"WI228 warning", "WI228 error"}},
		"a role of no AWS":        {accounts: []trust.Account{account(prod, "shop", "orders", asks("arn:minio:iam:::role/x"))}, want: map[string]string{}, codes: []string{"WI228 warning", "WI228 error"}},
		"one whose annotations have errors, and one that is sound": {
			accounts: []trust.Account{account(prod, "shop", "bad", asks("arn:aws:iam::1:role/x")), account(prod, "shop", "orders", asks(orders))},
			want: map[string]string{orders: `{"Version": "2012-10-17", "Statement": [{"Effect": "Allow",
				"Principal": {"Federated": "arn:aws:iam::111122223333:oidc-provider/oidc.example.com/prod"}, "Action": "sts:AssumeRoleWithWebIdentity",
				"Condition": {"StringEquals": {"oidc.example.com/prod:aud": "sts.amazonaws.com", "oidc.example.com/prod:sub": "system:serviceaccount:shop:orders"}}}]}`},
			codes: []string{"WI228 warning"},
		},
		"an issuer in the cluster": {
			accounts: []trust.Account{account(trust.Cluster{Issuer: "https://kubernetes.default.svc"}, "shop", "orders", asks(orders))}, want: map[string]string{}, codes: []string{"WI220 error"},
		},
		"an issuer with a query": {
			accounts: []trust.Account{account(trust.Cluster{Issuer: "https://oidc.example.com/?a=b"}, "shop", "orders", asks(orders))}, want: map[string]string{}, codes: []string{"WI220 error"},
		},
		"an issuer of 256 characters": {
			accounts: []trust.Account{account(trust.Cluster{Issuer: "https://oidc.example.com/" + strings.Repeat("x", 231)}, "shop", "orders", asks(orders))}, want: map[string]string{}, codes: []string{"WI220 error"},
		},
		"an issuer with a port": {
			accounts: []trust.Account{account(trust.Cluster{Issuer: "https://oidc.example.com:6443"}, "shop", "orders", asks(orders))}, codes: []string{"WI220 warning"},
		},
	} {
		t.Run(name, func(t *testing.T) {
			p, codes := rendered(t, test.accounts, test.options)
			if diff := cmp.Diff(test.codes, codes); diff != "" {
				t.Errorf("findings (-want +got):\n%s", diff)
			}
			if test.want == nil {
				return
			}
			want := map[string]any{}
			for arn, text := range test.want {
				want[arn] = decoded(t, text)
			}
			if diff := cmp.Diff(want, policies(t, p)); diff != "" {
				t.Errorf("policies (-want +got):\n%s", diff)
			}
		})
	}
}

// TestRenderLimits: a trust policy may have 2,048 characters, 4,096 where the quota is
// raised, and white space does not count.
func TestRenderLimits(t *testing.T) {
	// The subjects of n ServiceAccounts, of 42 characters with quotes and comma each.
	many := func(n int) (list []trust.Account) {
		for i := range n {
			list = append(list, account(prod, "shop", fmt.Sprintf("orders-%05d", i), asks(orders)))
		}
		return list
	}
	p, _ := Render(many(2), Options{})
	two, err := p.Roles[0].Policy.compact()
	if err != nil {
		t.Fatal(err)
	}
	fit := 2 + (2048-len(two))/42
	for name, test := range map[string]struct {
		n       int
		options Options
		code    string
		fix     string
	}{
		"the last that fits":            {fit, Options{}, "", ""},
		"one more":                      {fit + 1, Options{}, "WI227", "--raised-quota"},
		"one more, with a raised quota": {fit + 1, Options{RaisedQuota: true}, "", ""},
		"too many for that, too":        {fit + 52, Options{RaisedQuota: true}, "WI227", "share one issuer"},
		"as a namespace":                {fit + 52, Options{Namespaces: true}, "", ""},
	} {
		_, found := Render(many(test.n), test.options)
		switch {
		case test.code == "" && len(found) > 0:
			t.Errorf("%s: %v", name, found)
		case test.code != "" && (len(found) != 1 || found[0].Code != test.code || found[0].Severity != finding.Error || !strings.Contains(found[0].Fix, test.fix)):
			t.Errorf("%s: want one %s with the fix %q, got %v", name, test.code, test.fix, found)
		}
	}
}

// TestRenderSessions: a role's maximum is that of the longest session asked for.
func TestRenderSessions(t *testing.T) {
	long := map[string]string{"eks.amazonaws.com/role-arn": orders, "podpass.io/aws-session-duration": "7200"}
	for name, test := range map[string]struct {
		accounts []trust.Account
		want     int
	}{
		"not said":        {[]trust.Account{account(prod, "shop", "orders", asks(orders))}, 3600},
		"of two":          {[]trust.Account{account(prod, "shop", "web", asks(orders)), account(prod, "shop", "orders", long)}, 7200},
		"shorter than is": {[]trust.Account{account(prod, "shop", "orders", map[string]string{"eks.amazonaws.com/role-arn": orders, "podpass.io/aws-session-duration": "1800"})}, 3600},
	} {
		p, _ := Render(test.accounts, Options{})
		if got := p.Roles[0].MaxSessionDuration; got != test.want {
			t.Errorf("%s: %d, want %d", name, got, test.want)
		}
	}
}

// TestRenderIsEvaluated: what is rendered lets each of its ServiceAccounts in, without a
// warning, and nobody else.
func TestRenderIsEvaluated(t *testing.T) {
	accounts := []trust.Account{account(prod, "shop", "orders", asks(orders)), account(test, "shop", "web", asks(orders)), account(prod, "team", "ci", asks(orders))}
	p, _ := Render(accounts, Options{})
	raw, err := p.JSON()
	if err != nil {
		t.Fatal(err)
	}
	d, err := Parse(raw)
	if err != nil {
		t.Fatal(err)
	}
	for who, want := range map[string]bool{
		prod.Issuer + " shop orders": true, test.Issuer + " shop web": true, prod.Issuer + " team ci": true,
		test.Issuer + " shop orders": false, prod.Issuer + " shop web": false, prod.Issuer + " team orders": false,
	} {
		f := strings.Fields(who)
		v := Evaluate(d, claims(f[0], f[1], f[2]))
		if v.Allowed != want || want && len(v.Findings) > 0 {
			t.Errorf("%s: allowed %v, findings %v", who, v.Allowed, v.Findings)
		}
	}
}
