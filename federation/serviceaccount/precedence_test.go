package serviceaccount_test

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/podpass-io/podpass/federation/oidc"
	sa "github.com/podpass-io/podpass/federation/serviceaccount"
)

func mapped(annotations m) sa.Installation {
	return sa.Installation{Mappings: []sa.Mapping{{Namespace: "*", ServiceAccount: "*", Annotations: annotations}}}
}

// TestPrecedence: the pod, then podpass.io on the ServiceAccount, then the cloud's
// own annotation there, then the installation's mapping.
func TestPrecedence(t *testing.T) {
	type grant struct {
		Mode       sa.Mode
		Expiration int64
	}
	entra := m{sa.KeyAzureWIClientID: client, sa.KeyAzureWITenantID: tenant}
	google := m{sa.KeyGoogleProvider: provider}
	with := func(base m, key, value string) m {
		all := m{key: value}
		for k, v := range base {
			all[k] = v
		}
		return all
	}
	for name, test := range map[string]struct {
		annotations, pod m
		in               sa.Installation
		want             grant
	}{
		"the pod's proxy annotation before the ServiceAccount's mode": {
			with(entra, sa.KeyMode, "direct"), m{sa.KeyAzureWIProxy: "true"}, sa.Installation{}, grant{sa.ModeBroker, 3600},
		},
		"the pod's mode before its proxy annotation": {
			entra, m{sa.KeyAzureWIProxy: "true", sa.KeyMode: "direct"}, sa.Installation{}, grant{sa.ModeDirect, 3600},
		},
		"podpass's mode before the cloud's own": {
			with(with(google, sa.KeyMode, "broker"), sa.KeyGoogleInjectionMode, "direct"), nil, sa.Installation{}, grant{sa.ModeBroker, 3600},
		},
		"the cloud's own mode before a mapping": {
			with(google, sa.KeyGoogleInjectionMode, "direct"), nil, mapped(m{sa.KeyMode: "broker"}), grant{sa.ModeDirect, 3600},
		},
		"a mapping's mode before the installation's": {
			google, nil, sa.Installation{Mode: sa.ModeDirect, Mappings: mapped(m{sa.KeyMode: "broker"}).Mappings}, grant{sa.ModeBroker, 3600},
		},
		"an annotation's expiration before a mapping's": {
			with(google, sa.KeyGoogleTokenExpiration, "900"), nil, mapped(m{sa.KeyTokenExpiration: "7200"}), grant{sa.ModeBroker, 900},
		},
		"the pod's own expiration before podpass's on the ServiceAccount": {
			with(google, sa.KeyTokenExpiration, "7200"), m{sa.KeyGoogleTokenExpiration: "900"}, sa.Installation{}, grant{sa.ModeBroker, 900},
		},
		"the installation's expiration": {google, nil, sa.Installation{TokenExpiration: 1200}, grant{sa.ModeBroker, 1200}},
		"a proxy annotation is the pod's alone": {
			with(entra, sa.KeyAzureWIProxy, "false"), nil, sa.Installation{}, grant{sa.ModeBroker, 3600},
		},
	} {
		t.Run(name, func(t *testing.T) {
			a := resolve(test.annotations, test.pod, nil, test.in)
			var got grant
			switch {
			case a.Azure != nil:
				got = grant{a.Azure.Mode, a.Azure.TokenExpiration}
			case a.GCP != nil:
				got = grant{a.GCP.Mode, a.GCP.TokenExpiration}
			}
			if diff := cmp.Diff(test.want, got); diff != "" || len(a.Errors) > 0 {
				t.Errorf("(-want +got)\n%s%v", diff, a.Errors)
			}
		})
	}
}

// TestMappingKeepsToItself: a mapping is for ServiceAccounts that say nothing; of a
// cloud that one names itself, no option may come from the mapping.
func TestMappingKeepsToItself(t *testing.T) {
	t.Run("exchange mode", func(t *testing.T) {
		a := resolve(m{sa.KeyGoogleProvider: provider, sa.KeyGoogleServiceAccount: account}, nil, nil, mapped(m{sa.KeyGoogleTokenExchangeMode: "direct-access"}))
		if diff := cmp.Diff(theGCP(func(*sa.GCP) {}), a.GCP); diff != "" {
			t.Errorf("(-want +got)\n%s%v", diff, a.Errors)
		}
	})
	t.Run("client ID label", func(t *testing.T) {
		a := sa.Resolve(sa.Request{Namespace: "shop", Name: "orders", Labels: m{sa.KeyAzureWIClientID: client}, Annotations: m{sa.KeyAzureWITenantID: tenant}},
			mapped(m{sa.KeyAzureWIClientID: "22222222-2222-3333-4444-555555555555", sa.KeyAzureTenantID: tenant}))
		if diff := cmp.Diff(theAzure(func(*sa.Azure) {}), a.Azure); diff != "" {
			t.Errorf("(-want +got)\n%s%v", diff, a.Errors)
		}
	})
	t.Run("the ServiceAccount's tenant for the mapping's client", func(t *testing.T) {
		a := resolve(m{sa.KeyAzureWITenantID: tenant}, nil, nil, mapped(m{sa.KeyAzureWIClientID: client, sa.KeyAzureTenantID: "88888888-8888-7777-6666-555555555555"}))
		if diff := cmp.Diff(theAzure(func(a *sa.Azure) { a.Source = "installation mapping" }), a.Azure); diff != "" {
			t.Errorf("(-want +got)\n%s%v", diff, a.Errors)
		}
	})
}

// TestOneIdentityWrittenTwice: the same identity is no contradiction, however it is
// written.
func TestOneIdentityWrittenTwice(t *testing.T) {
	in := sa.Installation{AWS: sa.AWSInstallation{AccountID: "111122223333"}, Azure: sa.AzureInstallation{TenantID: tenant}}
	for name, annotations := range map[string]m{
		"ARN and name":     {sa.KeyAWSRoleARN: role, sa.KeyEKSRoleARN: "orders"},
		"resource name":    {sa.KeyGCPProvider: provider, sa.KeyGoogleProvider: "//iam.googleapis.com/" + provider},
		"case of a GUID":   {sa.KeyAzureClientID: "abcdef00-2222-3333-4444-555555555555", sa.KeyAzureWIClientID: "ABCDEF00-2222-3333-4444-555555555555"},
		"case of a domain": {sa.KeyAzureClientID: client, sa.KeyAzureTenantID: "example.com", sa.KeyAzureWITenantID: "Example.com"},
	} {
		t.Run(name, func(t *testing.T) {
			if a := resolve(annotations, nil, nil, in); a.Empty() || len(a.Errors) > 0 {
				t.Errorf("errors: %v", a.Errors)
			}
		})
	}
}

// TestEmptyNamesNothing: charts render role-arn: "" when nobody sets a role; with
// the clouds' own webhooks these pods start, without an identity.
func TestEmptyNamesNothing(t *testing.T) {
	for _, key := range []string{sa.KeyEKSRoleARN, sa.KeyAWSRoleARN, sa.KeyGoogleProvider, sa.KeyGoogleServiceAccount, sa.KeyGKEServiceAccount, sa.KeyAzureWIClientID} {
		t.Run(key, func(t *testing.T) {
			a := resolve(m{key: " "}, nil, nil, sa.Installation{})
			if len(a.Errors) > 0 || !a.Empty() {
				t.Errorf("want no identity and no error: %+v", a)
			}
			if len(a.Warnings) != 1 || a.Warnings[0].Code != "WI036" || !strings.Contains(a.Warnings[0].Where, key) {
				t.Errorf("want one WI036 for %s: %v", key, a.Warnings)
			}
		})
	}
	a := resolve(m{sa.KeyEKSRoleARN: ""}, nil, nil, mapped(m{sa.KeyAWSRoleARN: role}))
	if a.AWS == nil || a.AWS.RoleARN != role {
		t.Errorf("an empty annotation hides the mapping: %+v", a)
	}
}

// TestNothingIsSilentlyIgnored: what has no effect is said.
func TestNothingIsSilentlyIgnored(t *testing.T) {
	for name, test := range map[string]struct {
		annotations, pod, labels m
		code, where              string
		denied                   bool
	}{
		"a chain without a role":                {m{sa.KeyAWSAssumeRoleARN: role}, nil, nil, "WI036", sa.KeyAWSAssumeRoleARN, false},
		"a project without an identity":         {m{sa.KeyGCPProject: "example-project"}, nil, nil, "WI036", sa.KeyGCPProject, false},
		"a tenant without a client":             {m{sa.KeyAzureTenantID: tenant}, nil, nil, "WI036", sa.KeyAzureTenantID, false},
		"a role on the pod":                     {nil, m{sa.KeyEKSRoleARN: role}, nil, "WI036", "pod annotation " + sa.KeyEKSRoleARN, false},
		"a port on the ServiceAccount":          {m{sa.KeyBrokerPort: "9000"}, nil, nil, "WI036", sa.KeyBrokerPort, false},
		"an opt-in that is an annotation":       {nil, m{sa.KeyInject: "true"}, nil, "WI036", "pod annotation " + sa.KeyInject, false},
		"a mode that is a label":                {nil, nil, m{sa.KeyMode: "direct"}, "WI036", "pod label " + sa.KeyMode, false},
		"a misspelt label":                      {nil, nil, m{"podpass.io/injcet": "true"}, "WI034", "pod label podpass.io/injcet", false},
		"an empty opt-in":                       {nil, nil, m{sa.KeyInject: ""}, "WI037", sa.KeyInject, true},
		"service-account without one":           {m{sa.KeyGoogleProvider: provider, sa.KeyGoogleTokenExchangeMode: "service-account"}, nil, nil, "WI011", sa.KeyGoogleTokenExchangeMode, true},
		"delegates without a service account":   {m{sa.KeyGoogleProvider: provider, sa.KeyGCPDelegates: account}, nil, nil, "WI013", sa.KeyGCPDelegates, true},
		"a lifetime without a service account":  {m{sa.KeyGoogleProvider: provider, sa.KeyGCPTokenLifetime: "900"}, nil, nil, "WI013", sa.KeyGCPTokenLifetime, true},
		"a policy that is no document":          {m{sa.KeyEKSRoleARN: role, sa.KeyAWSSessionPolicy: "1"}, nil, nil, "WI003", sa.KeyAWSSessionPolicy, true},
		"a bad value that a pod's better hides": {m{sa.KeyEKSRoleARN: role, sa.KeyTokenExpiration: "x"}, m{sa.KeyTokenExpiration: "900"}, nil, "WI030", sa.KeyTokenExpiration, true},
		"another's that a pod's better hides":   {m{sa.KeyEKSRoleARN: role, sa.KeyEKSTokenExpiration: "x"}, m{sa.KeyTokenExpiration: "900"}, nil, "WI030", sa.KeyEKSTokenExpiration, false},
	} {
		t.Run(name, func(t *testing.T) {
			a := resolve(test.annotations, test.pod, test.labels, sa.Installation{})
			list := a.Warnings
			if test.denied {
				list = a.Errors
			} else if len(a.Errors) > 0 {
				t.Errorf("errors: %v", a.Errors)
			}
			if len(list) != 1 || list[0].Code != test.code || !strings.Contains(list[0].Where, test.where) {
				t.Errorf("want one %s for %s: %v", test.code, test.where, list)
			}
		})
	}
}

// TestOthersKeysAreNotOurs: other controllers write below the same prefixes, and
// podpass marks the pods that it injected.
func TestOthersKeysAreNotOurs(t *testing.T) {
	a := sa.Resolve(sa.Request{
		Annotations:    m{"eks.amazonaws.com/compute-type": "fargate", "cloud.google.com/neg": "{}", "cloud.google.com/load-balancer-type": "Internal"},
		Labels:         m{sa.KeyAzureWIUse: "true"},
		PodAnnotations: m{"podpass.io/injection": "{}", "cloud.google.com/debugger": "x"},
		PodLabels:      m{"podpass.io/injected": "broker", "eks.amazonaws.com/fargate-profile": "x"},
	}, sa.Installation{})
	if len(a.Warnings) > 0 || len(a.Errors) > 0 {
		t.Errorf("%v %v", a.Errors, a.Warnings)
	}
}

// TestGKEAnnotations: off means all of them, and a node without the metadata server
// is podpass's to serve.
func TestGKEAnnotations(t *testing.T) {
	annotations := m{sa.KeyGoogleProvider: provider, sa.KeyGoogleServiceAccount: account, sa.KeyGKEQuotaProject: "quota-project", sa.KeyGKEPrincipalAsEmail: "true"}
	a := resolve(annotations, nil, nil, sa.Installation{GCP: sa.GCPInstallation{GKEAnnotation: "off"}})
	if diff := cmp.Diff(theGCP(func(*sa.GCP) {}), a.GCP); diff != "" {
		t.Errorf("off (-want +got)\n%s", diff)
	}
	a = sa.Resolve(sa.Request{Annotations: m{sa.KeyGKEServiceAccount: account}, PodNodeSelector: m{sa.KeyGKEMetadataServer: "false"}},
		sa.Installation{GCP: sa.GCPInstallation{DefaultProvider: provider}})
	if a.GCP == nil {
		t.Errorf("a nodeSelector for nodes without GKE's metadata server: nothing injected: %v", a.Errors)
	}
}

// TestComposedRoles: with the account known, a role may be named with its path.
func TestComposedRoles(t *testing.T) {
	in := sa.Installation{AWS: sa.AWSInstallation{AccountID: "111122223333", Partition: "aws-cn"}}
	for text, want := range map[string]string{
		"orders":       "arn:aws-cn:iam::111122223333:role/orders",
		"/orders":      "arn:aws-cn:iam::111122223333:role/orders",
		"shop/orders":  "arn:aws-cn:iam::111122223333:role/shop/orders",
		"/shop/orders": "arn:aws-cn:iam::111122223333:role/shop/orders",
		role:           role,
	} {
		if a := resolve(m{sa.KeyEKSRoleARN: text}, nil, nil, in); a.AWS == nil || a.AWS.RoleARN != want {
			t.Errorf("%q: want %s: %+v", text, want, a)
		}
	}
}

// TestProblemsAreBounded: annotations are as long and as odd as their author likes,
// and messages end up in denials, logs and terminals.
func TestProblemsAreBounded(t *testing.T) {
	long := strings.Repeat("x\x1b[31m\n", 500)
	for _, key := range sa.Keys() {
		for _, text := range []string{long, long + long, "projects/" + long + "/locations/global/workloadIdentityPools/pool/providers/demo", "arn:" + long + ":iam::1:role/x", "arn:aws:iam::111122223333:role/" + long[:1500]} {
			a := resolve(m{key.Name: text, sa.KeyEKSRoleARN + "x": text}, m{key.Name: text}, nil, sa.Installation{})
			for _, p := range append(a.Errors, a.Warnings...) {
				s := p.String()
				if len(s) > 1000 || strings.ContainsAny(s, "\x1b\n") {
					t.Fatalf("%s: %d bytes: %q", key.Name, len(s), s[:min(len(s), 300)])
				}
			}
		}
	}
}

// TestValidateMore: what would otherwise only show in each denied pod.
func TestValidateMore(t *testing.T) {
	for name, test := range map[string]struct {
		in   sa.Installation
		want string
	}{
		"partition":                 {sa.Installation{AWS: sa.AWSInstallation{AccountID: "111122223333", Partition: "AWS"}}, "aws.partition"},
		"partition without STS":     {sa.Installation{AWS: sa.AWSInstallation{AccountID: "111122223333", Partition: "minio"}}, "aws.partition"},
		"empty STS endpoint":        {sa.Installation{AWS: sa.AWSInstallation{STSEndpoints: m{"minio": ""}}}, "aws.stsEndpoints.minio"},
		"STS of no partition":       {sa.Installation{AWS: sa.AWSInstallation{STSEndpoints: m{"Min IO": "https://m.example.com"}}}, "aws.stsEndpoints.Min IO"},
		"fleet provider":            {sa.Installation{GCP: sa.GCPInstallation{FleetPool: "p.svc.id.goog", FleetIdentityProvider: "http://c"}}, "gcp.fleetIdentityProvider"},
		"authority without TLS":     {sa.Installation{Azure: sa.AzureInstallation{AuthorityHost: "http://127.0.0.1:1/"}}, "azure.authorityHost"},
		"token source by http":      {sa.Installation{OIDC: sa.OIDCInstallation{TokenSources: map[string]oidc.Source{"registry": {TokenURL: "http://r.example.com", Audience: "r"}}}}, "oidc.tokenSources.registry"},
		"token source's name":       {sa.Installation{OIDC: sa.OIDCInstallation{TokenSources: map[string]oidc.Source{"a/b": {TokenURL: "https://r.example.com", Audience: "r"}}}}, "oidc.tokenSources.a/b"},
		"a pod's key in a mapping":  {mapped(m{sa.KeyBrokerPort: "9000"}), "mappings[0].annotations"},
		"a bad value in a mapping":  {mapped(m{sa.KeyAWSRoleARN: "orders"}), "mappings[0].annotations"},
		"a long value in a mapping": {mapped(m{sa.KeyEKSAudience: strings.Repeat("x", 5000)}), "mappings[0].annotations"},
	} {
		t.Run(name, func(t *testing.T) {
			if err := test.in.Validate(); err == nil || !strings.Contains(err.Error(), test.want+":") {
				t.Errorf("want %s named: %v", test.want, err)
			}
		})
	}
	good := sa.Installation{
		AWS: sa.AWSInstallation{AccountID: "111122223333", Partition: "minio", STSEndpoints: m{"minio": "http://127.0.0.1:9000", "aws": "https://sts.example.com"}},
		GCP: sa.GCPInstallation{FleetPool: "p.svc.id.goog", FleetIdentityProvider: "https://c.example.com"}, Azure: sa.AzureInstallation{AuthorityHost: "https://login.example.com/"},
		Mappings: []sa.Mapping{{Namespace: "team-*", ServiceAccount: "default", Annotations: m{sa.KeyEKSRoleARN: "orders", sa.KeyMode: "direct"}}},
	}
	if err := good.Validate(); err != nil {
		t.Error(err)
	}
}

// TestNothingAskedCostsNothing: the webhook resolves each pod of the cluster.
func TestNothingAskedCostsNothing(t *testing.T) {
	req := sa.Request{Namespace: "shop", Name: "orders", Annotations: m{"example.com/team": "shop"}, PodAnnotations: m{"a": "b"}, PodLabels: m{"app": "orders"}}
	in := mapped(nil)
	in.Mappings[0].Namespace = "other-*"
	if n := testing.AllocsPerRun(100, func() { sa.Resolve(req, in) }); n != 0 {
		t.Errorf("%.0f allocations, want none", n)
	}
}
