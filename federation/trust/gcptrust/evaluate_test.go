package gcptrust

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/podpass-io/podpass/federation"
	"github.com/podpass-io/podpass/federation/finding"
)

const (
	ownAudience = "//iam.googleapis.com/" + demoProvider
	ordersAtOwn = "principal://iam.googleapis.com/" + clustersPool + "/subject/system:serviceaccount:shop:orders"
)

func ordersClaims() federation.Claims {
	return federation.Claims{Issuer: demo.Issuer, Subject: "system:serviceaccount:shop:orders", Audiences: []string{ownAudience}}
}

func trusting(change func(*Provider)) Provider {
	p := Provider{Name: demoProvider, AttributeMapping: map[string]string{keySubject: "assertion.sub"}, OIDC: &OIDC{IssuerURI: demo.Issuer}}
	if change != nil {
		change(&p)
	}
	return p
}

func granting(role string, members ...string) Policy {
	return Policy{Bindings: []Binding{{Role: role, Members: members}}}
}

// TestHalf: what is said where one of the two gates is not known.
func TestHalf(t *testing.T) {
	for name, test := range map[string]struct {
		document Document
		allowed  bool
		by       string
		codes    []string
	}{
		"a provider alone":           {Document{Providers: []Provider{trusting(nil)}}, true, "provider " + demoProvider, []string{CodeHalf}},
		"a policy alone":             {Document{Policies: []Policy{granting(roleUser, ordersAtOwn)}}, true, "policy bindings[0] " + roleUser + " " + ordersAtOwn, []string{CodeHalf}},
		"a policy for somebody else": {Document{Policies: []Policy{granting(roleUser, ordersAtOwn+"-2")}}, false, "", []string{CodeNoMember}},
		"nothing":                    {Document{}, false, "", []string{CodeHalf}},
		"a pool alone":               {Document{Pools: []Pool{{Name: clustersPool}}}, false, "", []string{CodeHalf}},
		"the second of two policies": {Document{Providers: []Provider{trusting(nil)}, Policies: []Policy{granting(roleUser), granting(roleUser, ordersAtOwn)}}, true, "policy[1] bindings[0] " + roleUser + " " + ordersAtOwn, nil},
		"the second of two providers": {
			Document{Providers: []Provider{trusting(func(p *Provider) { p.Name += "-2"; p.Disabled = true }), trusting(nil)}, Policies: []Policy{granting(roleUser, ordersAtOwn)}},
			true, "policy bindings[0] " + roleUser + " " + ordersAtOwn, nil,
		},
		"a member whom the subject only begins": {Document{Providers: []Provider{trusting(nil)}, Policies: []Policy{granting(roleUser, ordersAtOwn[:len(ordersAtOwn)-1])}}, false, "", []string{CodeNoMember}},
		"a custom role":                         {Document{Providers: []Provider{trusting(nil)}, Policies: []Policy{granting("projects/example-project/roles/tokens", ordersAtOwn)}}, false, "", []string{CodeRole}},
		"everybody":                             {Document{Providers: []Provider{trusting(nil)}, Policies: []Policy{granting(roleUser, "allUsers")}}, true, "policy bindings[0] " + roleUser + " allUsers", []string{CodeBroadPool}},
		"everybody with an account of Google's, which a pool's tokens are not": {Document{Providers: []Provider{trusting(nil)}, Policies: []Policy{granting(roleUser, "allAuthenticatedUsers")}}, false, "", []string{CodeNoMember}},
	} {
		t.Run(name, func(t *testing.T) {
			v := Evaluate(test.document, ordersClaims(), nil)
			var codes []string
			for _, f := range v.Findings {
				codes = append(codes, f.Code)
			}
			if diff := cmp.Diff(test.codes, codes); v.Allowed != test.allowed || v.By != test.by || diff != "" {
				t.Errorf("allowed %v by %q: %s\n%v", v.Allowed, v.By, diff, v.Findings)
			}
		})
	}
}

// TestFindingsSay: both sides, where, and the next step.
func TestFindingsSay(t *testing.T) {
	document := func(change func(*Provider), member string) Document {
		policy := granting(roleUser, member)
		policy.Resource = ordersName
		return Document{Providers: []Provider{trusting(change)}, Policies: []Policy{policy}}
	}
	for name, test := range map[string]struct {
		document Document
		want     finding.Finding
	}{
		"the audience": {
			document(func(p *Provider) { p.OIDC.AllowedAudiences = []string{"sts.googleapis.com"} }, ordersAtOwn),
			finding.Finding{
				Code: "WI236", Severity: finding.Error, Where: "provider " + demoProvider + " oidc.allowedAudiences",
				Message:  "list others, and then the provider's own name, the token's audience, is no longer one",
				Expected: "sts.googleapis.com", Seen: ownAudience,
				Fix: "list the audience, or ask for a listed one with the annotation cloud.google.com/audience",
			},
		},
		"the condition": {
			document(func(p *Provider) { p.AttributeCondition = "assertion.sub.endsWith(':cart')" }, ordersAtOwn),
			finding.Finding{
				Code: "WI241", Severity: finding.Error, Where: "provider " + demoProvider + " attributeCondition", Message: "is false for this token",
				Expected: "assertion.sub.endsWith(':cart')",
				Seen:     `the token of ServiceAccount shop/orders has issuer "https://oidc.example.com/demo", subject "system:serviceaccount:shop:orders", audience "` + ownAudience + `"`,
				Fix:      "change the condition, or give the pod a ServiceAccount for which it holds",
			},
		},
		"the member": {
			document(nil, "user:admin@example.com"),
			finding.Finding{
				Code: "WI244", Severity: finding.Error, Where: "policy", Message: "gives the token's principal no access to the service account",
				Expected: ordersAtOwn, Seen: "user:admin@example.com",
				Fix: "grant it: gcloud iam service-accounts add-iam-policy-binding " + ordersName + " --role=roles/iam.workloadIdentityUser --member=" + ordersAtOwn,
			},
		},
		"the pool": {
			document(nil, "principal://iam.googleapis.com/projects/123456789012/locations/global/workloadIdentityPools/old/subject/system:serviceaccount:shop:orders"),
			finding.Finding{
				Code: "WI245", Severity: finding.Error, Where: "policy bindings[0]", Message: "is of another pool than the token comes through",
				Expected: ordersAtOwn, Seen: "principal://iam.googleapis.com/projects/123456789012/locations/global/workloadIdentityPools/old/subject/system:serviceaccount:shop:orders",
				Fix: "grant it to the principal of the provider's own pool",
			},
		},
		"the project": {
			document(nil, "principal://iam.googleapis.com/projects/example-project/locations/global/workloadIdentityPools/clusters/subject/system:serviceaccount:shop:orders"),
			finding.Finding{
				Code: "WI238", Severity: finding.Error, Where: "policy bindings[0]", Message: "names project example-project by its ID, and IAM wants its number",
				Expected: ordersAtOwn, Seen: "principal://iam.googleapis.com/projects/example-project/locations/global/workloadIdentityPools/clusters/subject/system:serviceaccount:shop:orders",
				Fix: "write the number", Command: "gcloud projects describe example-project --format='value(projectNumber)'",
			},
		},
	} {
		t.Run(name, func(t *testing.T) {
			v := Evaluate(test.document, ordersClaims(), nil)
			if diff := cmp.Diff([]finding.Finding{test.want}, v.Findings); v.Allowed || diff != "" {
				t.Errorf("allowed %v (-want +got):\n%s", v.Allowed, diff)
			}
		})
	}
}

// TestEvaluateIsPure: neither the document nor the claims are changed.
func TestEvaluateIsPure(t *testing.T) {
	d := Document{Providers: []Provider{trusting(nil), trusting(func(p *Provider) { p.Name += "-2" })}, Policies: []Policy{granting(roleUser, ordersAtOwn)}}
	before := Document{Providers: []Provider{trusting(nil), trusting(func(p *Provider) { p.Name += "-2" })}, Policies: []Policy{granting(roleUser, ordersAtOwn)}}
	claims := ordersClaims()
	first := Evaluate(d, claims, nil)
	if diff := cmp.Diff(first, Evaluate(d, claims, nil)); diff != "" {
		t.Errorf("the second time another verdict:\n%s", diff)
	}
	if diff := cmp.Diff(before, d); diff != "" {
		t.Error(diff)
	}
	if diff := cmp.Diff(ordersClaims(), claims); diff != "" {
		t.Error(diff)
	}
}

// FuzzParse: whatever is read, neither reading nor judging it ends the process.
func FuzzParse(f *testing.F) {
	for _, seed := range []string{providerYAML, policyYAML, providerYAML + "---\n" + policyYAML, `{"providers":[{"name":"x"}],"policies":[{"bindings":[{"members":["principal://"]}]}]}`} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, raw string) {
		d, err := Parse([]byte(raw))
		if err != nil {
			return
		}
		if v := Evaluate(d, ordersClaims(), nil); !v.Allowed && finding.Worst(v.Findings) != finding.Error {
			t.Errorf("refused, and no finding says why: %v", v.Findings)
		}
	})
}
