package gcptrust

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/podpass-io/podpass/federation"
	"github.com/podpass-io/podpass/federation/finding"
)

// told is a finding on one line: severity, code, place, message, expected, seen, fix and
// command.
func told(f finding.Finding) string {
	where := strings.TrimPrefix(f.Where, "provider "+demoProvider+" ")
	line := strings.Join([]string{string(f.Severity) + " " + f.Code, where, f.Message, f.Expected, f.Seen, f.Fix}, " | ")
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

// TestMembers: a member that does not stand for the principal is told by how it misses.
func TestMembers(t *testing.T) {
	const (
		pool    = "projects/123456789012/locations/global/workloadIdentityPools/clusters"
		own     = "principal://iam.googleapis.com/" + pool + "/subject/system:serviceaccount:shop:orders"
		start   = "error WI246 | policy bindings[0] | "
		scheme  = "has the wrong scheme: one subject is a principal://, all else a principalSet://"
		form    = "is not written as IAM reads it"
		formFix = "write principal://iam.googleapis.com/ before the pool, and /subject/ after it"
		nobody  = "error WI244 | policy | gives the token's principal no access to the service account | " + own + " | "
		grant   = " | grant it: gcloud iam service-accounts add-iam-policy-binding EMAIL --project=PROJECT --role=roles/iam.workloadIdentityUser --member=" + own
	)
	for name, test := range map[string]struct{ member, want string }{
		"a set of one subject":            {"principalSet://iam.googleapis.com/" + pool + "/subject/system:serviceaccount:shop:orders", start + scheme + " | " + own + " | principalSet://iam.googleapis.com/" + pool + "/subject/system:serviceaccount:shop:orders | correct the scheme"},
		"a principal by attribute":        {"principal://iam.googleapis.com/" + pool + "/attribute.namespace/shop", start + scheme + " | " + own + " | principal://iam.googleapis.com/" + pool + "/attribute.namespace/shop | correct the scheme"},
		"letter case":                     {strings.Replace(own, "orders", "Orders", 1), start + "differs from the token's principal in letter case, and Google compares to the letter | " + own + " | " + strings.Replace(own, "orders", "Orders", 1) + " | write it as expected"},
		"no scheme":                       {strings.TrimPrefix(own, "principal:"), start + form + " | " + own + " | " + strings.TrimPrefix(own, "principal:") + " | " + formFix},
		"no /subject/":                    {"principal://iam.googleapis.com/" + pool + "/system:serviceaccount:shop:orders", nobody + "principal://iam.googleapis.com/" + pool + "/system:serviceaccount:shop:orders" + grant},
		"the subject alone":               {"system:serviceaccount:shop:orders", start + form + " | " + own + " | system:serviceaccount:shop:orders | " + formFix},
		"the subject as a user":           {"user:system:serviceaccount:shop:orders", start + form + " | " + own + " | user:system:serviceaccount:shop:orders | " + formFix},
		"the form of GKE":                 {"serviceAccount:example-project.svc.id.goog[shop/orders]", start + "is the form of GKE, and the token comes through a pool of your own | " + own + " | serviceAccount:example-project.svc.id.goog[shop/orders] | grant it to the principal of that pool"},
		"GKE's of another":                {"serviceAccount:example-project.svc.id.goog[shop/web]", nobody + "serviceAccount:example-project.svc.id.goog[shop/web]" + grant},
		"an attribute that is not mapped": {"principalSet://iam.googleapis.com/" + pool + "/attribute.team/red", "error WI244 | policy bindings[0] | is by attribute.team, which the provider does not map | " + own + " | principalSet://iam.googleapis.com/" + pool + "/attribute.team/red | map the attribute in the provider, or name the subject"},
		"another pool's attribute":        {"principalSet://iam.googleapis.com/" + pool + "-2/attribute.team/red", nobody + "principalSet://iam.googleapis.com/" + pool + "-2/attribute.team/red" + grant},
		"another value of the attribute":  {"principalSet://iam.googleapis.com/" + pool + "/attribute.namespace/web", nobody + "principalSet://iam.googleapis.com/" + pool + "/attribute.namespace/web" + grant},
		"another subject":                 {strings.Replace(own, "orders", "web", 1), nobody + strings.Replace(own, "orders", "web", 1) + grant},
		"another pool":                    {strings.Replace(own, "/clusters/", "/other/", 1), "error WI245 | policy bindings[0] | is of another pool than the token comes through | " + own + " | " + strings.Replace(own, "/clusters/", "/other/", 1) + " | grant it to the principal of the provider's own pool"},
		"a project by its ID":             {strings.Replace(own, "123456789012", "example-project", 1), "error WI238 | policy bindings[0] | names project example-project by its ID, and IAM wants its number | " + own + " | " + strings.Replace(own, "123456789012", "example-project", 1) + " | write the number | gcloud projects describe example-project --format='value(projectNumber)'"},
	} {
		t.Run(name, func(t *testing.T) {
			d := Document{Providers: []Provider{trusting(func(p *Provider) { p.AttributeMapping["attribute.namespace"] = "assertion['kubernetes.io'].namespace" })}, Policies: []Policy{granting(roleUser, test.member)}}
			v := Evaluate(d, ordersClaims(), nil)
			if diff := cmp.Diff([]string{test.want}, lines(v.Findings)); v.Allowed || diff != "" {
				t.Errorf("allowed %v (-want +got):\n%s", v.Allowed, diff)
			}
		})
	}
}

// TestNearest: of several members the nearest is told, and of those that are far five.
func TestNearest(t *testing.T) {
	evaluate := func(members ...string) []string {
		return lines(Evaluate(Document{Providers: []Provider{trusting(nil)}, Policies: []Policy{granting(roleUser, members...), {Bindings: []Binding{{Role: "roles/iam.serviceAccountUser", Members: []string{"user:x"}}}}}}, ordersClaims(), nil).Findings)
	}
	got := evaluate("principalSet://iam.googleapis.com/"+clustersPool+"/attribute.team/red", strings.Replace(ordersAtOwn, "/clusters/", "/other/", 1), strings.Replace(ordersAtOwn, "123456789012", "example-project", 1), "system:serviceaccount:shop:orders")
	if len(got) != 2 || !strings.HasPrefix(got[0], "error WI238 | policy[0] bindings[0] ") || !strings.HasPrefix(got[1], "error WI244 | policy[1] ") {
		t.Errorf("the nearest: %q", got)
	}
	got = evaluate("user:a", "user:b", "user:c", "user:d", "user:e", "user:f")
	if len(got) != 2 || !strings.Contains(got[0], " | user:a, user:b, user:c, user:d, user:e | ") || !strings.Contains(got[1], " | "+ordersAtOwn+" |  | ") {
		t.Errorf("far ones: %q", got)
	}
	for role, message := range map[string]string{
		"roles/iam.serviceAccountUser":               "gives the principal a role that lets it attach the service account to machines, and not have its tokens",
		"roles/iam.serviceAccountOpenIdTokenCreator": "gives the principal a role for ID tokens alone",
		"roles/viewer":                     "gives the principal a role that does not hold iam.serviceAccounts.getAccessToken",
		"projects/example-project/roles/x": "gives the principal a custom role, and whether that holds iam.serviceAccounts.getAccessToken is not in the policy",
	} {
		d := Document{Providers: []Provider{trusting(nil)}, Policies: []Policy{{Bindings: []Binding{{Role: roleUser, Members: []string{strings.ToUpper(ordersAtOwn)}}, {Role: role, Members: []string{ordersAtOwn}}}}}}
		want := []string{"error WI247 | policy bindings[1] | " + message + " | roles/iam.workloadIdentityUser | " + role + " | grant roles/iam.workloadIdentityUser on the service account"}
		if diff := cmp.Diff(want, lines(Evaluate(d, ordersClaims(), nil).Findings)); diff != "" {
			t.Errorf("%s (-want +got):\n%s", role, diff)
		}
	}
}

// TestGKE: pools of Google's own have forms of their own, and misses.
func TestGKE(t *testing.T) {
	const (
		cluster = "https://container.googleapis.com/v1/projects/example-project/locations/europe-west3/clusters/gke"
		own     = "serviceAccount:example-project.svc.id.goog[shop/orders]"
		pool    = "principal://iam.googleapis.com/projects/123456789012/locations/global/workloadIdentityPools/example-project.svc.id.goog/"
		set     = "principalSet://iam.googleapis.com/projects/123456789012/locations/global/workloadIdentityPools/example-project.svc.id.goog/"
	)
	c := federation.Claims{Issuer: cluster, Subject: "system:serviceaccount:shop:orders", Audiences: []string{"vault", "example-project.svc.id.goog"}}
	for _, member := range []string{own, pool + "subject/ns/shop/sa/orders", set + "namespace/shop", set + "kubernetes.cluster/" + cluster} {
		v := Evaluate(Document{Policies: []Policy{granting(roleUser, member)}}, c, nil)
		if !v.Allowed || v.By != "policy bindings[0] "+roleUser+" "+member || len(v.Findings) > 0 {
			t.Errorf("%s: %+v", member, v)
		}
	}
	if v := Evaluate(Document{}, c, nil); !v.Allowed || v.By != "pool example-project.svc.id.goog" || len(v.Findings) != 1 || v.Findings[0].Seen != own {
		t.Errorf("without a policy: %+v", v)
	}
	for member, want := range map[string]string{
		"serviceAccount:example-project.svc.id.goog[orders/shop]":                     "WI246 | policy bindings[0] | has the namespace and the name the wrong way round | write [namespace/name]",
		"serviceAccount:123456789012.svc.id.goog[shop/orders]":                        "WI246 | policy bindings[0] | names the project by its number, and this form has its ID | write the project's ID",
		"serviceAccount:123456789012.svc.id.goog[shop/web]":                           "WI244 | policy | gives the token's principal no access to the service account | grant it",
		"serviceAccount:other-project.svc.id.goog[orders/shop]":                       "WI244 | policy | gives the token's principal no access to the service account | grant it",
		"serviceAccount:other-project.svc.id.goog[shop/orders]":                       "WI245 | policy bindings[0] | is of another pool than the token comes through | grant it to the principal of the token's own pool",
		"serviceAccount:orders@example-project.iam.gserviceaccount.com":               "WI244 | policy | gives the token's principal no access to the service account | grant it",
		pool[:len(pool)-1] + "[shop/orders]":                                          "WI244 | policy | gives the token's principal no access to the service account | grant it",
		strings.Replace(set, "123456789012", "example-project", 1) + "namespace/shop": "WI244 | policy | gives the token's principal no access to the service account | grant it",
	} {
		v := Evaluate(Document{Policies: []Policy{granting(roleUser, member)}}, c, nil)
		if v.Allowed || len(v.Findings) != 1 {
			t.Errorf("%s: %+v", member, v)
			continue
		}
		f := v.Findings[0]
		f.Fix, _, _ = strings.Cut(f.Fix, ":")
		if got := strings.Join([]string{f.Code, f.Where, f.Message, f.Fix}, " | "); got != want || f.Expected != own || f.Seen != member {
			t.Errorf("%s: %s, expected %q, seen %q; want %s", member, got, f.Expected, f.Seen, want)
		}
	}
}

// TestBroad: what lets others in, too.
func TestBroad(t *testing.T) {
	all := setOf + clustersPool + "/*"
	for name, test := range map[string]struct {
		role, member string
		want         []string
	}{
		"one principal":   {roleUser, ordersAtOwn, nil},
		"the whole pool":  {roleUser, all, []string{"warning WI250 | policy bindings[0] | lets everybody in whom the pool's providers take: every ServiceAccount of their clusters | one principal, or a principalSet by attribute | " + all + " | name the principal instead"}},
		"everybody":       {roleUser, "allUsers", []string{"warning WI250 | policy bindings[0] | lets everybody in, with a token or without | one principal, or a principalSet by attribute | allUsers | name the principal instead"}},
		"a role for more": {roleCreator, ordersAtOwn, []string{"warning WI251 | policy bindings[0] | lets the pod sign anything in the service account's name, and not only have its tokens | roles/iam.workloadIdentityUser | roles/iam.serviceAccountTokenCreator | grant roles/iam.workloadIdentityUser instead"}},
	} {
		v := Evaluate(Document{Providers: []Provider{trusting(nil)}, Policies: []Policy{granting(test.role, test.member)}}, ordersClaims(), nil)
		if diff := cmp.Diff(test.want, lines(v.Findings)); !v.Allowed || diff != "" {
			t.Errorf("%s: %s", name, diff)
		}
	}
	for name, test := range map[string]struct {
		change func(own, other *Provider)
		want   []string
	}{
		"an audience of others": {func(own, _ *Provider) {
			own.OIDC.AllowedAudiences = []string{ownAudience, "https://kubernetes.default.svc"}
		}, []string{
			"warning WI252 | oidc.allowedAudiences | take tokens that are made for another service, whose operator can use them here | " + ownAudience + " | https://kubernetes.default.svc | remove the audience",
		}},
		"the same subjects of another cluster": {func(_, other *Provider) { other.OIDC.IssuerURI = "https://oidc.example.com/other" }, []string{
			"warning WI253 | pool " + clustersPool + " | has providers for several clusters that map google.subject alike, so that a ServiceAccount of the same name in another cluster is the same principal | https://oidc.example.com/demo | https://oidc.example.com/other | give each cluster a pool of its own, or map a subject that names the cluster",
		}},
		"of the same issuer": {func(_, other *Provider) { other.AttributeMapping[keySubject] = "assertion.sub" }, nil},
		"of another pool": {func(_, other *Provider) {
			other.OIDC.IssuerURI = "https://o.example.com"
			other.Name = strings.Replace(other.Name, "clusters", "others", 1)
		}, nil},
		"of no issuer": {func(_, other *Provider) { other.OIDC = nil }, nil},
		"disabled":     {func(_, other *Provider) { other.OIDC.IssuerURI = "https://o.example.com"; other.Disabled = true }, nil},
		"deleted":      {func(_, other *Provider) { other.OIDC.IssuerURI = "https://o.example.com"; other.State = "DELETED" }, nil},
		"mapped otherwise": {func(_, other *Provider) {
			other.OIDC.IssuerURI = "https://o.example.com"
			other.AttributeMapping[keySubject] = "'x' + assertion.sub"
		}, nil},
		"with the issuer": {func(own, other *Provider) {
			other.OIDC.IssuerURI = "https://o.example.com"
			own.AttributeMapping[keySubject], other.AttributeMapping[keySubject] = "assertion.iss.extract('https://{x}.') + assertion.sub", "assertion.iss.extract('https://{x}.') + assertion.sub"
		}, nil},
	} {
		own, other := trusting(nil), trusting(func(p *Provider) { p.Name += "-2" })
		test.change(&own, &other)
		v := Evaluate(Document{Providers: []Provider{own, other}, Policies: []Policy{granting(roleUser, setOf+clustersPool+"/*")}}, ordersClaims(), nil)
		got := lines(v.Findings)
		if len(got) > 0 && strings.HasPrefix(got[len(got)-1], "warning WI250") {
			got = got[:len(got)-1]
		}
		if diff := cmp.Diff(test.want, got, equateEmpty); !v.Allowed || diff != "" {
			t.Errorf("%s: allowed %v (-want +got):\n%s", name, v.Allowed, diff)
		}
	}
}

// equateEmpty takes no findings for none.
var equateEmpty = cmp.Transformer("some", func(list []string) []string { return append([]string{}, list...) })

// TestBindingConditions: Google's condition on a grant, at the time of the token.
func TestBindingConditions(t *testing.T) {
	at := time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)
	const ask = " | grant the role without a condition, or ask the cloud itself: podpass token gcp SERVICEACCOUNT"
	for expression, want := range map[string]string{
		"": "",
		"request.time < timestamp('2026-01-01T00:00:01Z')":                                                 "",
		"request.time < timestamp('2026-01-01T00:00:00Z')":                                                 "error WI248 | policy bindings[0] condition | does not hold at 2026-01-01T00:00:00Z | request.time < timestamp('2026-01-01T00:00:00Z') |  | renew the binding, or remove its condition",
		"resource.type == 'iam.googleapis.com/ServiceAccount' && resource.service == 'iam.googleapis.com'": "",
		"resource.name == 'x'":  "error WI249 | policy bindings[0] condition | is about what is not known here, and so is not guessed: no such key: name |  | resource.name == 'x'" + ask,
		"request.path.trim()==": "error WI249 | policy bindings[0] condition | is about what is not known here, and so is not guessed: ",
	} {
		p := granting(roleUser, ordersAtOwn, ordersAtOwn)
		p.Bindings[0].Condition = &Condition{Expression: expression}
		c := ordersClaims()
		c.IssuedAt = at
		v := Evaluate(Document{Providers: []Provider{trusting(nil)}, Policies: []Policy{p}}, c, nil)
		got := strings.Join(lines(v.Findings), "\n")
		if strings.HasSuffix(want, ": ") { // the rest is cel-go's
			got = got[:min(len(got), len(want))]
		}
		if v.Allowed != (want == "") || got != want {
			t.Errorf("%s: allowed %v, %s, want %s", expression, v.Allowed, got, want)
		}
	}
	// Without iat it is now; and another binding may do.
	p := granting(roleUser, ordersAtOwn)
	p.Bindings[0].Condition = &Condition{Expression: "request.time > timestamp('2026-06-01T00:00:00Z') && request.time < timestamp('2126-06-01T00:00:00Z')"}
	if v := Evaluate(Document{Providers: []Provider{trusting(nil)}, Policies: []Policy{p}}, ordersClaims(), nil); !v.Allowed {
		t.Errorf("now: %+v", v)
	}
	p.Bindings[0].Condition.Expression = "false"
	p.Bindings = append(p.Bindings, Binding{Role: roleUser, Members: []string{ordersAtOwn}})
	if v := Evaluate(Document{Providers: []Provider{trusting(nil)}, Policies: []Policy{p}}, ordersClaims(), nil); !v.Allowed || v.By != "policy bindings[1] "+roleUser+" "+ordersAtOwn || len(v.Findings) > 0 {
		t.Errorf("another binding: %+v", v)
	}
}

// TestProviderRefuses: what a provider has against the token.
func TestProviderRefuses(t *testing.T) {
	const (
		keys      = "oidc.jwksJson"
		get       = " | kubectl get --raw /openid/v1/jwks"
		claimsFix = " | name claims that a ServiceAccount's token has: iss, sub, aud, and, in kubernetes.io, namespace, serviceaccount, pod and node"
	)
	for name, test := range map[string]struct {
		change func(*Provider)
		claims func(*federation.Claims)
		pool   *Pool
		want   []string
	}{
		"deleted":          {change: func(p *Provider) { p.State = "DELETED" }, want: []string{"error WI230 | provider " + demoProvider + " | is deleted | ACTIVE | DELETED | gcloud has undelete for 30 days"}},
		"disabled":         {change: func(p *Provider) { p.Disabled = true }, want: []string{"error WI230 | provider " + demoProvider + " | is disabled | disabled: false | disabled: true | enable it: gcloud has --no-disabled for it"}},
		"its pool is":      {pool: &Pool{Name: clustersPool, Disabled: true}, want: []string{"error WI230 | pool " + clustersPool + " | is disabled | disabled: false | disabled: true | enable it: gcloud has --no-disabled for it"}},
		"its pool is gone": {pool: &Pool{Name: clustersPool, State: "DELETED"}, want: []string{"error WI230 | pool " + clustersPool + " | is deleted | ACTIVE | DELETED | gcloud has undelete for 30 days"}},
		"for AWS":          {change: func(p *Provider) { p.OIDC = nil }, want: []string{"error WI231 | provider " + demoProvider + " | is not an OIDC provider, and takes no ServiceAccount's token |  |  | create one with gcloud iam workload-identity-pools providers create-oidc"}},
		"another issuer":   {change: func(p *Provider) { p.OIDC.IssuerURI = "https://x.example.com" }, want: []string{"error WI232 | oidc.issuerUri | is not the issuer of the token | https://oidc.example.com/demo | https://x.example.com | create a provider for this cluster, or correct its issuer"}},
		"a slash":          {change: func(p *Provider) { p.OIDC.IssuerURI += "/" }, want: []string{"error WI233 | oidc.issuerUri | differs from the token's issuer in a trailing slash, and Google compares to the letter | https://oidc.example.com/demo | https://oidc.example.com/demo/ | write the issuer as the token has it"}},
		"an issuer in the cluster": {
			change: func(p *Provider) { p.OIDC.IssuerURI = "https://kubernetes.default.svc" }, claims: func(c *federation.Claims) { c.Issuer = "https://kubernetes.default.svc" },
			want: []string{"error WI234 | oidc.issuerUri | is an issuer that exists only in the cluster, so that Google cannot fetch its keys: it exists only inside of a cluster or a private network | an https URL that the internet reaches, or uploaded keys | https://kubernetes.default.svc | upload the cluster's keys with --jwk-json-path, and again whenever they change, or publish them at a public issuer" + get},
		},
		"no keys":      {change: func(p *Provider) { p.OIDC.JWKSJSON = `{"keys":[]}` }, want: []string{"error WI235 | " + keys + " | holds no keys |  |  | upload what kubectl get --raw /openid/v1/jwks prints"}},
		"what is none": {change: func(p *Provider) { p.OIDC.JWKSJSON = `x` }, want: []string{"error WI235 | " + keys + " | holds no keys |  |  | upload what kubectl get --raw /openid/v1/jwks prints"}},
		"other keys": {
			change: func(p *Provider) { p.OIDC.JWKSJSON = `{"keys":[{"kid":"a"},{"kid":"b"}]}` }, claims: func(c *federation.Claims) { c.KeyID = "c" },
			want: []string{"error WI235 | " + keys + " | lacks the key that signed the token: the cluster's keys have changed since they were uploaded | c | a, b | upload the keys anew, the old ones with them until tokens signed with those have ended" + get},
		},
		"another audience": {claims: func(c *federation.Claims) { c.Audiences = []string{"a", "b"} }, want: []string{"error WI236 | oidc.allowedAudiences | do not have the token's audience | " + ownAudience + ", https:" + ownAudience + " | a, b | list the audience, or ask for a listed one with the annotation cloud.google.com/audience"}},
		"another, where some are listed": {
			change: func(p *Provider) { p.OIDC.AllowedAudiences = []string{"x"} }, claims: func(c *federation.Claims) { c.Audiences = []string{"a"} },
			want: []string{"error WI236 | oidc.allowedAudiences | do not have the token's audience | x | a | list the audience, or ask for a listed one with the annotation cloud.google.com/audience"},
		},
		"an audience without its beginning":      {claims: func(c *federation.Claims) { c.Audiences = []string{demoProvider} }, want: []string{"error WI237 | oidc.allowedAudiences | differ from the token's audience in the //iam.googleapis.com/ before it, and Google compares to the letter | " + ownAudience + " | " + demoProvider + " | write the audience as the provider has it"}},
		"an audience with half of its beginning": {claims: func(c *federation.Claims) { c.Audiences = []string{"iam.googleapis.com/" + demoProvider} }, want: []string{"error WI237 | oidc.allowedAudiences | differ from the token's audience in the //iam.googleapis.com/ before it, and Google compares to the letter | " + ownAudience + " | iam.googleapis.com/" + demoProvider + " | write the audience as the provider has it"}},
		"an audience with a project's ID": {claims: func(c *federation.Claims) {
			c.Audiences = []string{strings.Replace(ownAudience, "123456789012", "example-project", 1)}
		}, want: []string{"error WI238 | oidc.allowedAudiences | the token's audience names project example-project by its ID, and Google wants its number | " + ownAudience + " | " + strings.Replace(ownAudience, "123456789012", "example-project", 1) + " | write the number in the annotation of the ServiceAccount | gcloud projects describe example-project --format='value(projectNumber)'"}},
		"no subject mapped":         {change: func(p *Provider) { p.AttributeMapping = map[string]string{"attribute.x": "'x'"} }, want: []string{"error WI239 | attributeMapping | maps no google.subject, so that a token has no principal |  |  | map google.subject=assertion.sub"}},
		"a subject that is no text": {change: func(p *Provider) { p.AttributeMapping[keySubject] = "1 + 1" }, want: []string{"error WI239 | attributeMapping google.subject | has no value for this token: gives a int, and attributes are strings | 1 + 1 | " + claimsFix}},
		"a claim that is not there": {change: func(p *Provider) { p.AttributeMapping[keySubject] = "assertion.email" }, want: []string{"error WI239 | attributeMapping google.subject | has no value for this token: no such key: email | assertion.email | " + claimsFix}},
		"groups that are none": {change: func(p *Provider) { p.AttributeMapping[keyGroups] = "1"; p.AttributeCondition = "false" }, want: []string{
			"error WI241 | attributeCondition | is false for this token | false | the token of ServiceAccount shop/orders has issuer \"https://oidc.example.com/demo\", subject \"system:serviceaccount:shop:orders\", audience \"" + ownAudience + "\" | change the condition, or give the pod a ServiceAccount for which it holds",
		}},
		"an empty subject":                          {change: func(p *Provider) { p.AttributeMapping[keySubject] = "''" }, want: []string{"error WI240 | attributeMapping google.subject | gives 0 bytes, and Google takes 1 to 127 | '' |  | shorten the ServiceAccount's name, or map assertion['kubernetes.io'].serviceaccount.uid and name that in the policy"}},
		"a condition that is none":                  {change: func(p *Provider) { p.AttributeCondition = "assertion." }, want: []string{"error WI242 | attributeCondition | is no expression that Google takes: <input>:1:11: Syntax error: no viable alternative at input '.' |  | assertion. | correct the expression: it may name assertion, and a condition google and attribute, too"}},
		"a condition that is a text":                {change: func(p *Provider) { p.AttributeCondition = "'x'" }, want: []string{"error WI242 | attributeCondition | gives a string, and a condition is true or false |  | 'x' | "}},
		"a condition by what is not known":          {change: func(p *Provider) { p.AttributeCondition = "assertion.sub.trim() == ''" }, want: []string{"error WI243 | attributeCondition | uses trim(), which podpass does not evaluate as it does not know whether Google does |  | assertion.sub.trim() == '' | ask the cloud itself: podpass token gcp SERVICEACCOUNT"}},
		"a condition on groups that are not mapped": {change: func(p *Provider) { p.AttributeCondition = "'x' in google.groups" }, want: []string{"error WI241 | attributeCondition | has no value for this token: no such key: groups | 'x' in google.groups | " + claimsFix}},
	} {
		t.Run(name, func(t *testing.T) {
			d, c := Document{Providers: []Provider{trusting(test.change)}, Policies: []Policy{granting(roleUser, ordersAtOwn)}}, ordersClaims()
			if test.pool != nil {
				d.Pools = []Pool{{Name: clustersPool + "-2", Disabled: true}, *test.pool}
			}
			if test.claims != nil {
				test.claims(&c)
			}
			v := Evaluate(d, c, nil)
			if diff := cmp.Diff(test.want, lines(v.Findings)); v.Allowed || diff != "" {
				t.Errorf("allowed %v (-want +got):\n%s", v.Allowed, diff)
			}
		})
	}
}

// TestProviderTakes: what a provider makes of a token.
func TestProviderTakes(t *testing.T) {
	for name, test := range map[string]struct {
		change func(*Provider)
		claims func(*federation.Claims)
		member string
		want   []string
	}{
		"the name with https:":    {claims: func(c *federation.Claims) { c.Audiences = []string{"x", "https:" + ownAudience} }, member: ordersAtOwn},
		"a listed audience":       {change: func(p *Provider) { p.OIDC.AllowedAudiences = []string{"y", "x"} }, claims: func(c *federation.Claims) { c.Audiences = []string{"x"} }, member: ordersAtOwn},
		"a key that was uploaded": {change: func(p *Provider) { p.OIDC.JWKSJSON = `{"keys":[{"kid":"a"},{"kid":"b"}]}` }, claims: func(c *federation.Claims) { c.KeyID = "b" }, member: ordersAtOwn},
		"a key that nobody knows": {change: func(p *Provider) { p.OIDC.JWKSJSON = `{"keys":[{"kid":"a"}]}` }, member: ordersAtOwn},
		"uploaded keys of an issuer in the cluster": {
			change: func(p *Provider) {
				p.OIDC.JWKSJSON = `{"keys":[{"kid":"a"}]}`
				p.OIDC.IssuerURI = "https://kubernetes.default.svc"
			},
			claims: func(c *federation.Claims) { c.Issuer = "https://kubernetes.default.svc" }, member: ordersAtOwn,
		},
		"a group":        {change: func(p *Provider) { p.AttributeMapping[keyGroups] = "['a', assertion['kubernetes.io'].namespace]" }, member: setOf + clustersPool + "/group/shop"},
		"a group of one": {change: func(p *Provider) { p.AttributeMapping[keyGroups] = "assertion['kubernetes.io'].namespace" }, member: setOf + clustersPool + "/group/shop"},
		"an attribute":   {change: func(p *Provider) { p.AttributeMapping["attribute.team"] = "'red'" }, member: setOf + clustersPool + "/attribute.team/red"},
		"a condition on all": {change: func(p *Provider) {
			p.AttributeMapping[keyGroups], p.AttributeMapping["attribute.team"] = "['a']", "'red'"
			p.AttributeCondition = "google.subject == assertion.sub && 'a' in google.groups && attribute.team == 'red'"
		}, member: ordersAtOwn},
		"the longest subject": {change: func(p *Provider) { p.AttributeMapping[keySubject] = "'" + strings.Repeat("x", 127) + "'" }, member: onePrincipal + clustersPool + "/subject/" + strings.Repeat("x", 127)},
		"the pod and the node": {
			change: func(p *Provider) {
				p.AttributeCondition = "assertion['kubernetes.io'].pod.name == 'orders-1' && assertion['kubernetes.io'].pod.uid == 'u' && assertion['kubernetes.io'].node.name == 'n' && assertion.exp == 1767229200 && assertion.iat == 1767225600 && assertion.iss == 'https://oidc.example.com/demo'"
			},
			claims: func(c *federation.Claims) {
				c.Pod, c.PodUID, c.Node = "orders-1", "u", "n"
				c.IssuedAt, c.Expiry = time.Unix(1767225600, 0), time.Unix(1767229200, 0)
			},
			member: ordersAtOwn,
		},
		"no pod and no node": {change: func(p *Provider) {
			p.AttributeCondition = "!has(assertion['kubernetes.io'].pod) && !has(assertion['kubernetes.io'].node) && !has(assertion.exp) && !has(assertion.iat)"
		}, member: ordersAtOwn},
		"the ServiceAccount that claims name": {
			change: func(p *Provider) {
				p.AttributeCondition = "assertion['kubernetes.io'].namespace == 'lab' && assertion['kubernetes.io'].serviceaccount.name == 'it'"
			},
			claims: func(c *federation.Claims) { c.Namespace, c.ServiceAccount = "lab", "it" }, member: ordersAtOwn,
		},
		"an attribute without a value": {
			change: func(p *Provider) { p.AttributeMapping["attribute.mail"] = "assertion.email" }, member: ordersAtOwn,
			want: []string{"warning WI239 | attributeMapping attribute.mail | has no value for this token: no such key: email; members by this attribute do not fit the token | assertion.email |  | name claims that a ServiceAccount's token has: iss, sub, aud, and, in kubernetes.io, namespace, serviceaccount, pod and node"},
		},
		"groups that are none": {
			change: func(p *Provider) { p.AttributeMapping[keyGroups] = "1" }, member: ordersAtOwn,
			want: []string{"warning WI239 | attributeMapping google.groups | has no value for this token: gives a int, and groups are a list of strings; members by this attribute do not fit the token | 1 |  | name claims that a ServiceAccount's token has: iss, sub, aud, and, in kubernetes.io, namespace, serviceaccount, pod and node"},
		},
	} {
		t.Run(name, func(t *testing.T) {
			c := ordersClaims()
			if test.claims != nil {
				test.claims(&c)
			}
			v := Evaluate(Document{Providers: []Provider{trusting(test.change)}, Policies: []Policy{granting(roleUser, test.member)}}, c, nil)
			if diff := cmp.Diff(test.want, lines(v.Findings)); !v.Allowed || diff != "" {
				t.Errorf("allowed %v (-want +got):\n%s", v.Allowed, diff)
			}
		})
	}
}

// TestClosest: of several providers that refuse a token the one speaks that it was made for.
func TestClosest(t *testing.T) {
	disabled := func(id, issuer string, audiences ...string) Provider {
		return trusting(func(p *Provider) {
			p.Name, p.Disabled = strings.Replace(p.Name, "/demo", "/"+id, 1), true
			p.OIDC = &OIDC{IssuerURI: issuer, AllowedAudiences: audiences}
		})
	}
	strict := trusting(func(p *Provider) {
		p.Name, p.OIDC = strings.Replace(p.Name, "/demo", "/strict", 1), &OIDC{IssuerURI: "https://x.example.com", AllowedAudiences: []string{"x"}}
	})
	for name, test := range map[string]struct {
		providers []Provider
		want      string
	}{
		"the one of its audience":            {[]Provider{disabled("a", demo.Issuer), disabled("demo", "https://x.example.com"), disabled("b", demo.Issuer)}, "demo"},
		"the one of its issuer":              {[]Provider{disabled("a", "https://x.example.com"), disabled("b", demo.Issuer), disabled("c", "https://y.example.com")}, "b"},
		"the first of two alike":             {[]Provider{disabled("a", "https://x.example.com"), disabled("b", "https://x.example.com")}, "a"},
		"the one with less that is wrong":    {[]Provider{strict, disabled("b", "https://x.example.com")}, "b"},
		"the one of its issuer, without any": {[]Provider{{Name: clustersPool + "/providers/a"}, disabled("b", demo.Issuer)}, "b"},
	} {
		v := Evaluate(Document{Providers: test.providers, Policies: []Policy{granting(roleUser, ordersAtOwn)}}, ordersClaims(), nil)
		if len(v.Findings) != 1 || v.Findings[0].Where != "provider "+clustersPool+"/providers/"+test.want {
			t.Errorf("%s: %v", name, v.Findings)
		}
	}
}

// TestHalves: what is said where one of the two gates is not known.
func TestHalves(t *testing.T) {
	for name, test := range map[string]struct {
		document Document
		want     string
	}{
		"a provider alone": {Document{Providers: []Provider{trusting(nil)}}, "info WI254 | provider " + demoProvider + " | no IAM policy was given, so that nothing is said about whether the service account or a resource lets the principal in |  | " + ordersAtOwn + " |  | gcloud iam service-accounts get-iam-policy EMAIL --project=PROJECT"},
		"a policy alone":   {Document{Policies: []Policy{granting(roleUser, ordersAtOwn)}}, "info WI254 | policy | no provider was given, so that nothing is said about whether one takes the token, and its principal is taken to be its subject |  |  |  | gcloud iam workload-identity-pools providers describe PROVIDER --workload-identity-pool=POOL --location=global"},
		"neither":          {Document{}, "error WI254 | document | holds neither a provider nor a policy |  |  | give what gcloud iam workload-identity-pools providers describe prints"},
	} {
		if diff := cmp.Diff([]string{test.want}, lines(Evaluate(test.document, ordersClaims(), nil).Findings)); diff != "" {
			t.Errorf("%s (-want +got):\n%s", name, diff)
		}
	}
	// The principal of whichever pool, by its project's number alone.
	d := Document{Policies: []Policy{granting(roleUser, strings.Replace(ordersAtOwn, "123456789012", "example-project", 1))}}
	want := []string{"error WI238 | policy bindings[0] | names project example-project by its ID, and IAM wants its number | principal://iam.googleapis.com/projects/PROJECT_NUMBER/locations/global/workloadIdentityPools/POOL/subject/system:serviceaccount:shop:orders | " +
		strings.Replace(ordersAtOwn, "123456789012", "example-project", 1) + " | write the number | gcloud projects describe example-project --format='value(projectNumber)'"}
	if diff := cmp.Diff(want, lines(Evaluate(d, ordersClaims(), nil).Findings)); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

// TestLongest: an expression has 4096 characters at most, and a key set 64 KiB and 20 keys.
func TestLongest(t *testing.T) {
	e, err := claimsEngine()
	if err != nil {
		t.Fatal(err)
	}
	for n, fits := range map[int]bool{4096: true, 4097: false} {
		if _, err := e.eval("'"+strings.Repeat("x", n-2)+"'", nil); (err == nil) != fits {
			t.Errorf("%d characters: %v", n, err)
		}
	}
	const key = `{"kty":"EC","crv":"P-256","x":"x","y":"y"}`
	for name, test := range map[string]struct{ jwks, want string }{
		"twenty":                              {`{"keys":[` + strings.Repeat(key+",", 19) + key + `]}`, ""},
		"more":                                {`{"keys":[` + strings.Repeat(key+",", 20) + key + `]}`, "there are 21 of them"},
		"none":                                {`{"keys":[]}`, "there are 0 of them"},
		"64 KiB":                              {`{"keys":[` + key + `]}` + strings.Repeat(" ", 64<<10-len(key)-11), ""},
		"a byte more":                         {`{"keys":[` + key + `]}` + strings.Repeat(" ", 64<<10-len(key)-10), "they take more than 64 KiB"},
		"no key set":                          {`[]`, "they are not a JWKS"},
		"a symmetric one":                     {`{"keys":[` + key + `,{"kty":"oct","k":"x"}]}`, "key 2 is a private one"},
		"of a kind that Google does not take": {`{"keys":[` + key + `,{"kty":"OKP","x":"x"}]}`, "key 2 is neither an RSA nor an EC key"},
	} {
		if _, err := uploadable([]byte(test.jwks)); fmt.Sprint(err) != test.want && (err != nil || test.want != "") {
			t.Errorf("%s: %v, want %q", name, err, test.want)
		}
	}
	for _, field := range []string{"d", "p", "q", "dp", "dq", "qi", "oth", "k"} {
		if _, err := uploadable([]byte(`{"keys":[{"kty":"RSA","n":"n","e":"e","` + field + `":"x"}]}`)); err == nil {
			t.Errorf("%s: a private key is uploaded", field)
		}
	}
}
