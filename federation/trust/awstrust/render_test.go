package awstrust

import (
	"encoding/json"
	"fmt"
	"os"
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

// TestRenderFinds: what is left out or refused is told with where, both sides and what to do.
func TestRenderFinds(t *testing.T) {
	with := func(issuer string) []trust.Account {
		return []trust.Account{account(trust.Cluster{Issuer: issuer}, "shop", "orders", asks(orders))}
	}
	chain := func(name, external string) trust.Account {
		annotations := map[string]string{"eks.amazonaws.com/role-arn": orders, "podpass.io/aws-assume-role-arn": "arn:aws:iam::444455556666:role/partner"}
		if external != "" {
			annotations["podpass.io/aws-external-id"] = external
		}
		return account(prod, "shop", name, annotations)
	}
	var audiences []trust.Account
	for i := range 101 {
		audiences = append(audiences, account(prod, "shop", "orders", map[string]string{"eks.amazonaws.com/role-arn": fmt.Sprintf("arn:aws:iam::111122223333:role/r%d", i), "eks.amazonaws.com/audience": fmt.Sprintf("a%d", i)}))
	}
	const (
		nobody    = "error WI228 | AWS | no ServiceAccount is left whose role could be rendered |  |  | annotate one with eks.amazonaws.com/role-arn"
		reachable = " | give the cluster an issuer that the internet can reach over https (the API server's --service-account-issuer), and publish its discovery document and keys there"
	)
	long := "https://oidc.example.com/" + strings.Repeat("x", 231)
	for name, test := range map[string]struct {
		accounts []trust.Account
		want     []string
		roles    int
	}{
		"nobody":             {nil, []string{nobody}, 0},
		"no identity in AWS": {[]trust.Account{account(prod, "shop", "orders", nil)}, []string{"info WI228 | ServiceAccount shop/orders | asks for no identity in AWS |  |  | annotate it with eks.amazonaws.com/role-arn", nobody}, 0},
		"a role of no AWS": {[]trust.Account{account(prod, "shop", "orders", asks("arn:minio:iam:::role/x"))}, []string{
			"warning WI228 | ServiceAccount shop/orders | is left out: its role is not one of AWS's IAM |  | arn:minio:iam:::role/x | set up trust as that server's own documentation says", nobody,
		}, 0},
		"the same twice":                {[]trust.Account{account(prod, "shop", "orders", nil), account(prod, "shop", "orders", nil)}, []string{"info WI228 | ServiceAccount shop/orders | asks for no identity in AWS |  |  | annotate it with eks.amazonaws.com/role-arn", nobody}, 0},
		"an issuer only in the cluster": {with("https://kubernetes.default.svc"), []string{"error WI220 | issuer | exists only inside of a cluster or a private network, so that AWS cannot fetch its keys |  | https://kubernetes.default.svc" + reachable}, 0},
		"an issuer with a query":        {with("https://oidc.example.com/?a=b"), []string{"error WI220 | issuer | has a query or a fragment, which OpenID Connect does not allow |  | https://oidc.example.com/?a=b" + reachable}, 0},
		"an issuer with a fragment":     {with("https://oidc.example.com/#a"), []string{"error WI220 | issuer | has a query or a fragment, which OpenID Connect does not allow |  | https://oidc.example.com/#a" + reachable}, 0},
		"the longest issuer":            {with(long[:255]), nil, 1},
		"an issuer that is longer":      {with(long), []string{"error WI220 | issuer | has 256 characters, and IAM takes 255 |  | " + long + reachable}, 0},
		"a port": {with("https://oidc.example.com:8443/a:b"), []string{
			"warning WI220 | issuer | has a port, which IAM's documentation advises against for a provider's URL |  | https://oidc.example.com:8443/a:b | try it; if IAM refuses it, publish the discovery document on port 443",
		}, 1},
		"a colon that is no port": {with("https://oidc.example.com/a:b"), nil, 1},
		"a chain with an external ID, and one without": {[]trust.Account{chain("orders", "42"), chain("web", "")}, []string{
			"warning WI229 | role partner | is assumed from " + orders + " by some ServiceAccounts with an external ID and by others without: the ID protects nothing then |  |  | annotate all of them with podpass.io/aws-external-id, or none",
		}, 2},
		"a chain with two external IDs":  {[]trust.Account{chain("orders", "42"), chain("web", "43")}, nil, 2},
		"as many audiences as IAM takes": {audiences[:100], nil, 100},
		"more audiences":                 {audiences, []string{"error WI227 | provider of https://oidc.example.com/prod | has 101 audiences, and IAM takes 100 |  |  | give the ServiceAccounts one audience"}, 101},
	} {
		t.Run(name, func(t *testing.T) {
			p, found := Render(test.accounts, Options{})
			var got []string
			for _, f := range found {
				got = append(got, string(f.Severity)+" "+told(f))
			}
			if diff := cmp.Diff(test.want, got); diff != "" || len(p.Roles) != test.roles {
				t.Errorf("%d roles, findings (-want +got):\n%s", len(p.Roles), diff)
			}
		})
	}
	_, found := Render([]trust.Account{account(prod, "shop", "orders", asks("arn:aws:iam::1:role/x"))}, Options{})
	if len(found) != 2 || !strings.HasPrefix(found[0].Message, "is left out: its pods are denied: WI001: ") || found[0].Seen != "arn:aws:iam::1:role/x" || found[0].Fix == "" {
		t.Errorf("annotations with errors: %v", found)
	}
}

// TestTooLong: what is said of a trust policy that IAM refuses.
func TestTooLong(t *testing.T) {
	var accounts []trust.Account
	for i := range 100 {
		accounts = append(accounts, account(prod, "shop", fmt.Sprintf("orders-%05d", i), asks(orders)))
	}
	for n, want := range map[int]string{
		50:  `WI227 | its trust policy has 2397 characters | at most 2048 | 2397 | have the account's quota "Role trust policy length" raised to 4096, and say so with --raised-quota; or trust whole namespaces with --namespaces; or give ServiceAccounts roles of their own`,
		100: "WI227 | its trust policy has 4497 characters | at most 4096, with a raised quota | 4497 | trust whole namespaces with --namespaces; or let the clusters share one issuer; or give ServiceAccounts roles of their own",
	} {
		_, found := Render(accounts[:n], Options{})
		if len(found) != 1 || strings.Replace(told(found[0]), " orders |", " |", 1) != strings.Replace(want, "WI227 |", "WI227 | role |", 1) {
			t.Errorf("%d: got %v, want %s", n, found, want)
		}
	}
}

// chained are two accounts with a chain each, one of three roles in two AWS accounts.
func chained() []trust.Account {
	return []trust.Account{
		account(prod, "shop", "orders", map[string]string{
			"eks.amazonaws.com/role-arn": orders, "podpass.io/aws-external-id": "42", "podpass.io/aws-session-tags": "true",
			"podpass.io/aws-assume-role-arn": "arn:aws:iam::444455556666:role/team/partner,arn:aws:iam::444455556666:role/deep",
		}),
		account(trust.Cluster{Issuer: prod.Issuer}, "shop", "web", map[string]string{
			"eks.amazonaws.com/role-arn": orders, "eks.amazonaws.com/audience": "vault", "podpass.io/aws-assume-role-arn": "arn:aws:iam::111122223333:role/9",
		}),
	}
}

// TestForms holds JSON and HCL against files that were read line by line when they were
// written.
func TestForms(t *testing.T) {
	p, found := Render(chained(), Options{Thumbprints: []string{"9e99a48a9960b14926bb7f3b02e22da2b0ab7280"}})
	if len(found) > 0 {
		t.Fatal(found)
	}
	for name, form := range map[string]func() ([]byte, error){"plan.json": p.JSON, "plan.tf": p.Terraform} {
		want, err := os.ReadFile("testdata/" + name)
		if err != nil {
			t.Fatal(err)
		}
		got, err := form()
		if diff := cmp.Diff(string(want), string(got)); diff != "" || err != nil {
			t.Errorf("%s: %v (-want +got):\n%s", name, err, diff)
		}
	}
}

// TestComments name a few of the users, on one line.
func TestComments(t *testing.T) {
	for n, want := range map[int]string{5: "a, b c, c, d, e", 6: "a, b c, c, d, e and 1 more", 8: "a, b c, c, d, e and 3 more"} {
		if got := (PlannedRole{Users: []string{"a", "b\nc", "c", "d", "e", "f", "g", "h"}[:n]}).users(); got != want {
			t.Errorf("%d: %q, want %q", n, got, want)
		}
	}
}

// TestTerraformNames: labels are as HCL takes them, each once.
func TestTerraformNames(t *testing.T) {
	names := terraform{names: map[string]bool{}}
	for _, test := range []struct {
		texts []string
		want  string
	}{
		{[]string{"", "oidc.example.com/prod"}, "oidc_example_com_prod"},
		{[]string{"prod"}, "prod"},
		{[]string{"prod"}, "prod_2"},
		{[]string{"_prod-"}, "prod_3"},
		{[]string{"0-prod"}, "_0-prod"},
		{[]string{"9"}, "_9"},
		{[]string{"é", ""}, "podpass"},
		{nil, "podpass_2"},
	} {
		if got := names.name(test.texts...); got != test.want {
			t.Errorf("%q: %s, want %s", test.texts, got, test.want)
		}
	}
	if got, want := literal("a\"${b}%{c}<d>"), `"a\"$${b}%%{c}<d>"`; got != want {
		t.Errorf("%s, want %s", got, want)
	}
}
