package azuretrust

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/podpass-io/podpass/federation"
	"github.com/podpass-io/podpass/federation/finding"
	"github.com/podpass-io/podpass/federation/serviceaccount"
	"github.com/podpass-io/podpass/federation/trust"
)

// told is a finding on one line: severity, code, place, message, expected, seen, fix and
// command.
func told(f finding.Finding) string {
	line := strings.Join([]string{string(f.Severity) + " " + f.Code, strings.TrimPrefix(f.Where, "federated credential orders "), f.Message, f.Expected, f.Seen, f.Fix}, " | ")
	if f.Command != "" {
		line += " | " + f.Command
	}
	return line
}

func lines(list []finding.Finding) (out []string) {
	for _, f := range list {
		out = append(out, told(f))
	}
	return out
}

func ordersClaims() federation.Claims {
	return federation.Claims{Issuer: ordersCredential.Issuer, Subject: ordersCredential.Subject, Audiences: []string{"api://AzureADTokenExchange"}}
}

// TestRefusals: what keeps a credential from letting the token in, with both sides and what
// to write instead.
func TestRefusals(t *testing.T) {
	const (
		own     = "system:serviceaccount:shop:orders"
		entra   = "api://AzureADTokenExchange"
		subject = "error WI264 | subject | is not the subject of the token | " + own + " | "
		inside  = "https://kubernetes.default.svc"
	)
	for name, test := range map[string]struct {
		change func(*Credential)
		claims func(*federation.Claims)
		want   []string
	}{
		"another issuer": {change: func(c *Credential) { c.Issuer = "https://x.example.com" }, want: []string{"error WI261 | issuer | is not the issuer of the token | https://oidc.example.com | https://x.example.com | create a credential for this cluster, or correct the issuer"}},
		"a slash":        {change: func(c *Credential) { c.Issuer += "/" }, want: []string{"error WI262 | issuer | differs from the token's issuer in a trailing slash, and Entra compares to the letter | https://oidc.example.com | https://oidc.example.com/ | write the issuer as the token has it"}},
		"an issuer in the cluster": {
			change: func(c *Credential) { c.Issuer = inside }, claims: func(c *federation.Claims) { c.Issuer = inside },
			want: []string{"error WI263 | issuer | is an issuer that exists only in the cluster, so that Entra cannot fetch its keys: it exists only inside of a cluster or a private network | an https URL that the internet reaches | " + inside + " | publish the cluster's discovery document and keys, and let the API server issue for that URL: --service-account-issuer | kubectl get --raw /.well-known/openid-configuration"},
		},
		"another subject":   {change: func(c *Credential) { c.Subject = "system:serviceaccount:shop:web" }, want: []string{subject + "system:serviceaccount:shop:web | create a credential for this ServiceAccount"}},
		"letter case":       {change: func(c *Credential) { c.Subject = "system:serviceaccount:Shop:orders" }, want: []string{"error WI265 | subject | differs from the token's subject in letter case, and Entra compares to the letter | " + own + " | system:serviceaccount:Shop:orders | write the subject as the token has it"}},
		"a pattern":         {change: func(c *Credential) { c.Subject = "system:serviceaccount:shop:*" }, want: []string{"error WI266 | subject | is a pattern, and Entra takes it to the letter | " + own + " | system:serviceaccount:shop:* | create a credential for each ServiceAccount"}},
		"half of a pattern": {change: func(c *Credential) { c.Subject = "system:serviceaccount:[" }, want: []string{subject + "system:serviceaccount:[ | create a credential for this ServiceAccount"}},
		"an expression":     {change: func(c *Credential) { c.Subject, c.Expression = "", &Expression{"claims['sub'] matches 'x'", 1} }, want: []string{"error WI270 | claimsMatchingExpression | is an expression, and Entra evaluates those for tokens of GitHub, GitLab and Terraform Cloud alone | " + own + " | claims['sub'] matches 'x' | create a credential with the subject instead, one a ServiceAccount"}},
		"another audience":  {change: func(c *Credential) { c.Audiences = []string{"x", "y"} }, want: []string{"error WI267 | audiences | do not have the token's audience | " + entra + " | x, y | write the token's audience, which is " + entra + " in most clouds"}},
		"a token for another audience": {claims: func(c *federation.Claims) { c.Audiences = []string{"x", "y"} }, want: []string{
			"error WI267 | audiences | do not have the token's audience | x, y | " + entra + " | ask for a token with the audience " + entra + ": by the chart value azure.audience, or, in a pod of your own making, in its projected volume",
		}},
		"an audience in other letters": {change: func(c *Credential) { c.Audiences = []string{"x", "api://azureadtokenexchange"} }, want: []string{"error WI268 | audiences | differ from the token's audience in letter case, and Entra compares to the letter | " + entra + " | x, api://azureadtokenexchange | write the audience as the token has it"}},
		"the audience as subject":      {change: func(c *Credential) { c.Subject = entra }, want: []string{"error WI269 | federated credential orders | has the audience where the subject belongs, or the other way round | subject " + own + ", audience " + entra + " | subject " + entra + ", audience " + entra + " | write each in its place"}},
		"the subject as audience, of another issuer": {change: func(c *Credential) { c.Audiences, c.Issuer = []string{own}, "https://x.example.com" }, want: []string{
			"error WI261 | issuer | is not the issuer of the token | https://oidc.example.com | https://x.example.com | create a credential for this cluster, or correct the issuer",
			"error WI269 | federated credential orders | has the audience where the subject belongs, or the other way round | subject " + own + ", audience " + entra + " | subject " + own + ", audience " + own + " | write each in its place",
		}},
		"nothing is right": {change: func(c *Credential) { c.Issuer, c.Subject, c.Audiences = "https://x.example.com", "s", []string{"a"} }, want: []string{
			"error WI261 | issuer | is not the issuer of the token | https://oidc.example.com | https://x.example.com | create a credential for this cluster, or correct the issuer",
			subject + "s | create a credential for this ServiceAccount",
			"error WI267 | audiences | do not have the token's audience | " + entra + " | a | write the token's audience, which is " + entra + " in most clouds",
		}},
		"another algorithm": {claims: func(c *federation.Claims) { c.Algorithm = "ES256" }, want: []string{"error WI271 | token | is signed with an algorithm that Entra does not take | RS256 | ES256 | let the API server sign with an RSA key: --service-account-signing-key-file"}},
		"a long name":       {change: func(c *Credential) { c.Name, c.Subject = strings.Repeat("n", 121), "s" }, want: []string{"error WI264 | federated credential " + strings.Repeat("n", 120) + "... subject | is not the subject of the token | " + own + " | s | create a credential for this ServiceAccount"}},
	} {
		t.Run(name, func(t *testing.T) {
			credential, c := ordersCredential, ordersClaims()
			if test.change != nil {
				test.change(&credential)
			}
			if test.claims != nil {
				test.claims(&c)
			}
			v := Evaluate(Document{Credentials: []Credential{credential}}, c)
			if diff := cmp.Diff(test.want, lines(v.Findings)); v.Allowed || v.By != "" || diff != "" {
				t.Errorf("allowed %v by %q (-want +got):\n%s", v.Allowed, v.By, diff)
			}
		})
	}
	want := []string{"error WI260 | identity | has no federated credential, and trusts no cluster |  |  | create one; podpass trust azure prints it"}
	if diff := cmp.Diff(want, lines(Evaluate(Document{}, ordersClaims()).Findings)); diff != "" {
		t.Errorf("no credential (-want +got):\n%s", diff)
	}
}

// TestClosest: of several credentials the one speaks that comes closest, and the issuer
// weighs as much as subject and audience together.
func TestClosest(t *testing.T) {
	of := func(name, issuer, subject, audience string) Credential {
		return Credential{Name: name, Issuer: issuer, Subject: subject, Audiences: []string{audience}}
	}
	const (
		i, slash, noI      = "https://oidc.example.com", "https://oidc.example.com/", "https://x.example.com"
		s, upper, pat, noS = "system:serviceaccount:shop:orders", "system:serviceaccount:SHOP:orders", "system:serviceaccount:shop:*", "system:serviceaccount:shop:web"
		a, lower, noA      = "api://AzureADTokenExchange", "api://azureadtokenexchange", "x"
	)
	flexible := of("b", i, "", noA)
	flexible.Expression = &Expression{"e", 1}
	for name, test := range map[string]struct {
		credentials []Credential
		want        string
	}{
		"the first of two alike":                     {[]Credential{of("a", i, noS, a), of("b", i, noS, a)}, "a"},
		"the issuer, before the subject":             {[]Credential{of("a", noI, s, lower), of("b", i, noS, noA)}, "b"},
		"the issuer as much as both":                 {[]Credential{of("a", noI, s, a), of("b", i, noS, noA)}, "a"},
		"and one that is meant more":                 {[]Credential{of("a", noI, s, a), of("b", i, noS, lower)}, "b"},
		"an issuer, before one that is meant":        {[]Credential{of("a", slash, noS, lower), of("b", i, noS, noA)}, "b"},
		"an issuer that is meant":                    {[]Credential{of("a", noI, noS, lower), of("b", slash, noS, noA)}, "b"},
		"a subject that is meant":                    {[]Credential{of("a", i, noS, noA), of("b", i, upper, noA)}, "b"},
		"a subject, before one that is meant":        {[]Credential{of("a", i, upper, noA), of("b", i, s, noA)}, "b"},
		"a pattern":                                  {[]Credential{of("a", i, noS, noA), of("b", i, pat, noA)}, "b"},
		"an expression":                              {[]Credential{of("a", i, noS, noA), flexible}, "b"},
		"an audience that is meant":                  {[]Credential{of("a", i, noS, noA), of("b", i, noS, lower)}, "b"},
		"an audience, before one that is meant":      {[]Credential{of("a", i, noS, lower), of("b", i, noS, a)}, "b"},
		"what has changed places":                    {[]Credential{of("a", i, upper, noA), of("b", i, a, s)}, "b"},
		"what has changed places, with its audience": {[]Credential{of("a", i, noS, lower), of("b", i, a, a)}, "b"},
		"what is exact, before it":                   {[]Credential{of("a", i, upper, a), of("b", i, a, s)}, "a"},
	} {
		v := Evaluate(Document{Credentials: test.credentials}, ordersClaims())
		if len(v.Findings) == 0 || !strings.HasPrefix(v.Findings[0].Where+" ", "federated credential "+test.want+" ") {
			t.Errorf("%s: %v, want %s", name, v.Findings, test.want)
		}
	}
}

// TestLetsIn: any credential does, and one whose audience others' tokens have is told.
func TestLetsIn(t *testing.T) {
	second := ordersCredential
	second.Name = "second"
	other := ordersCredential
	other.Subject = "x"
	v := Evaluate(Document{Credentials: []Credential{other, second}}, ordersClaims())
	if !v.Allowed || v.By != "federated credential second" || len(v.Findings) > 0 {
		t.Errorf("the second: %+v", v)
	}
	second.Audiences = []string{"api://AzureADTokenExchange", "own", ordersCredential.Issuer}
	want := []string{"warning WI272 | federated credential second audiences | take tokens that are made for another service, whose operator can use them here | api://AzureADTokenExchange | https://oidc.example.com | use api://AzureADTokenExchange, and ask for tokens with it"}
	v = Evaluate(Document{Credentials: []Credential{second}}, ordersClaims())
	if diff := cmp.Diff(want, lines(v.Findings)); !v.Allowed || diff != "" {
		t.Errorf("too broad (-want +got):\n%s", diff)
	}
}

// TestRenderSays: what is left out or refused is told with where and what to do.
func TestRenderSays(t *testing.T) {
	many := make([]trust.Account, 21)
	for n := range many {
		many[n] = account(t, demo, "shop", "orders-"+string(rune('a'+n)), byClient, ordersClient)
	}
	long := "https://oidc.example.com/" + strings.Repeat("x", 575)
	broad := account(t, demo, "shop", "orders", byClient, ordersClient)
	broad.Answer.Azure.Audience = "https://kubernetes.default.svc"
	others := account(t, demo, "shop", "orders", byClient, ordersClient, serviceaccount.KeyAzureOtherClients, otherClient)
	others.Answer.Azure.ClientID = "" // as of a pod with Azure's own label
	for name, test := range map[string]struct {
		accounts []trust.Account
		want     []string
		clients  int
	}{
		"nothing asked for": {[]trust.Account{account(t, demo, "shop", "plain"), account(t, demo, "shop", "plain")}, []string{"info WI275 | ServiceAccount shop/plain | names no client ID |  |  | annotate it with azure.workload.identity/client-id"}, 0},
		"an issuer only in the cluster": {[]trust.Account{account(t, trust.Cluster{Issuer: "https://kubernetes.default.svc"}, "shop", "orders", byClient, ordersClient)}, []string{
			"error WI263 | ServiceAccount shop/orders | has an issuer that exists only in the cluster, so that Entra cannot fetch its keys: it exists only inside of a cluster or a private network |  | https://kubernetes.default.svc | publish the cluster's discovery document and keys, and let the API server issue for that URL: --service-account-issuer",
		}, 0},
		"the longest issuer": {[]trust.Account{account(t, trust.Cluster{Issuer: long}, "shop", "orders", byClient, ordersClient)}, nil, 1},
		"an issuer that is longer": {[]trust.Account{account(t, trust.Cluster{Issuer: long + "x"}, "shop", "orders", byClient, ordersClient)}, []string{
			"error WI274 | ServiceAccount shop/orders | has an issuer of 601 characters, and Entra takes 600 |  | " + long[:300] + "... | give the API server a shorter one: --service-account-issuer",
		}, 0},
		"more than an identity takes": {many, []string{
			"error WI273 | client " + ordersClient + " | would have 21 federated credentials, besides those that it has already, and Entra takes 20 |  |  | give the ServiceAccounts several identities, or let pods of one kind share a ServiceAccount",
		}, 1},
		"an audience for the API server": {[]trust.Account{broad}, []string{
			"warning WI272 | ServiceAccount shop/orders | take tokens that are made for another service, whose operator can use them here | api://AzureADTokenExchange | https://kubernetes.default.svc | use api://AzureADTokenExchange, and ask for tokens with it",
		}, 1},
		"further identities alone": {[]trust.Account{others}, nil, 1},
		"one that is denied, and one that is not": {[]trust.Account{account(t, demo, "shop", "bad", byClient, "orders"), account(t, demo, "shop", "orders", byClient, ordersClient)}, []string{
			"warning WI275 | ServiceAccount shop/bad",
		}, 1},
		"one that is denied": {[]trust.Account{account(t, demo, "shop", "bad", byClient, "orders")}, []string{
			"warning WI275 | ServiceAccount shop/bad", "error WI275 | Azure | no ServiceAccount is left |  |  | mend their annotations first",
		}, 0},
	} {
		t.Run(name, func(t *testing.T) {
			p, found := Render(test.accounts, Options{})
			got := lines(found)
			if len(got) > 0 && strings.HasPrefix(got[0], "warning WI275 | ServiceAccount shop/bad | is left out: its pods are denied: WI0") && found[0].Seen == "orders" && found[0].Fix != "" {
				got[0] = "warning WI275 | ServiceAccount shop/bad" // the rest is the webhook's
			}
			if diff := cmp.Diff(test.want, got); diff != "" || len(p.Identities) != test.clients {
				t.Errorf("%d identities (-want +got):\n%s", len(p.Identities), diff)
			}
		})
	}
	twin := trust.Cluster{Name: "twin", Issuer: demo.Issuer}
	p, _ := Render([]trust.Account{
		account(t, demo, "a", "a", byClient, ordersClient), account(t, twin, "a", "a", byClient, ordersClient), account(t, twin, "a", "a", byClient, ordersClient),
		account(t, other, "a", "a", byClient, ordersClient), account(t, demo, "a", "b", byClient, ordersClient),
	}, Options{})
	var users []string
	for _, c := range p.Identities[0].Credentials {
		users = append(users, c.Name+": "+c.User)
	}
	if diff := cmp.Diff([]string{"demo_a_a: a/a of demo, a/a of twin", "demo_a_b: a/b of demo", "other_a_a: a/a of other"}, users); diff != "" {
		t.Errorf("users (-want +got):\n%s", diff)
	}
}
