package serviceaccount_test

import (
	"slices"
	"testing"

	sa "github.com/podpass-io/podpass/federation/serviceaccount"
)

// TestPeersBounds: what another webhook brings into its bounds, or ignores, is not
// denied here. The nearest value is taken, and it is said; of podpass's own keys the
// same values are errors.
func TestPeersBounds(t *testing.T) {
	aws := func(a sa.Answer) int64 { return a.AWS.TokenExpiration }
	gcp := func(a sa.Answer) int64 { return a.GCP.TokenExpiration }
	azure := func(a sa.Answer) int64 { return a.Azure.TokenExpiration }
	port := func(a sa.Answer) int64 { return int64(a.BrokerPort) }
	entra := m{sa.KeyAzureWIClientID: client, sa.KeyAzureWITenantID: tenant}
	for name, test := range map[string]struct {
		identity m
		key, own string
		of       func(sa.Answer) int64
		want     map[string]int64
	}{
		"amazon-eks-pod-identity-webhook": {eks, sa.KeyEKSTokenExpiration, sa.KeyTokenExpiration, aws, map[string]int64{
			"0": 600, "-1": 600, "599": 600, "86401": 86400, "604800": 86400, "99999999999999999999": 86400, "-99999999999999999999": 600, "1h": 3600, "3600.0": 3600, "x": 3600,
		}},
		"pfnet": {google, sa.KeyGoogleTokenExpiration, sa.KeyTokenExpiration, gcp, map[string]int64{
			"0": 600, "599": 600, "86401": 86400, "1d": 3600,
		}},
		"azure-workload-identity": {entra, sa.KeyAzureWITokenExpiration, sa.KeyTokenExpiration, azure, map[string]int64{
			"0": 3600, "3599": 3600, "86401": 86400, "hour": 3600,
		}},
		"azure-workload-identity's proxy": {entra, sa.KeyAzureWIProxyPort, sa.KeyBrokerPort, port, map[string]int64{
			"0": 1024, "80": 1024, "65536": 65535, "http": 9911,
		}},
	} {
		t.Run(name, func(t *testing.T) {
			for text, want := range test.want {
				a := resolve(test.identity, m{test.key: text}, nil, sa.Installation{})
				if len(a.Errors) > 0 || !slices.Equal(codes(a.Warnings), []string{"WI030"}) || test.of(a) != want {
					t.Errorf("%s %q: %d, want %d; errors %v, warnings %v", test.key, text, test.of(a), want, a.Errors, a.Warnings)
				}
				if test.own == sa.KeyTokenExpiration && test.key == sa.KeyAzureWITokenExpiration && text == "3599" {
					continue // podpass's own begins at 600
				}
				if a := resolve(test.identity, m{test.own: text}, nil, sa.Installation{}); !slices.Equal(codes(a.Errors), []string{"WI030"}) || !a.Empty() {
					t.Errorf("%s %q: %v", test.own, text, a.Errors)
				}
			}
		})
	}
}

// TestPeersEmptyValues: an empty annotation of another webhook is none, on whatever
// object, and whatever it would say.
func TestPeersEmptyValues(t *testing.T) {
	for _, key := range []string{
		sa.KeyEKSAudience, sa.KeyEKSRegionalSTS, sa.KeyEKSTokenExpiration, sa.KeyGoogleAudience, sa.KeyGoogleTokenExpiration,
		sa.KeyGoogleInjectionMode, sa.KeyGoogleTokenExchangeMode, sa.KeyGoogleProjectID, sa.KeyAzureWITokenExpiration,
	} {
		t.Run(key, func(t *testing.T) {
			all := merged(eks, google, m{sa.KeyAzureWIClientID: client, sa.KeyAzureWITenantID: tenant})
			want := resolve(all, nil, nil, sa.Installation{})
			got := resolve(merged(all, m{key: ""}), nil, nil, sa.Installation{})
			if len(got.Errors) > 0 || !slices.Equal(codes(got.Warnings), []string{"WI036"}) {
				t.Errorf("errors %v, warnings %v", got.Errors, got.Warnings)
			}
			if got.AWS.Audience != want.AWS.Audience || got.GCP.Audience != want.GCP.Audience || got.GCP.Mode != want.GCP.Mode || got.Azure.TokenExpiration != want.Azure.TokenExpiration {
				t.Error("an empty annotation changes what the pod gets")
			}
		})
	}
}

// TestSkipLists: each webhook's way of writing them.
func TestSkipLists(t *testing.T) {
	for name, test := range map[string]struct{ key, text string }{
		"plain":              {sa.KeyEKSSkipContainers, "a,b"},
		"blanks":             {sa.KeyEKSSkipContainers, " a , b "},
		"quoted":             {sa.KeyEKSSkipContainers, `"a","b"`},
		"quoted, and blanks": {sa.KeyEKSSkipContainers, `"a", "b"`},
		"one of them quoted": {sa.KeyGoogleSkipContainers, `a,"b"`},
		"a final line break": {sa.KeyGoogleSkipContainers, "a,b\n"},
		"semicolons":         {sa.KeyAzureWISkipContainers, "a; b;"},
	} {
		t.Run(name, func(t *testing.T) {
			if a := resolve(eks, m{test.key: test.text}, nil, sa.Installation{}); !slices.Equal(a.SkipContainers, []string{"a", "b"}) || len(a.Errors) > 0 {
				t.Errorf("%q: %q, %v", test.text, a.SkipContainers, a.Errors)
			}
		})
	}
}

// TestAudienceOfTheInstallation: for whatever names none itself; a fleet's provider
// takes no other than its pool.
func TestAudienceOfTheInstallation(t *testing.T) {
	in := sa.Installation{AWS: sa.AWSInstallation{Audience: "aws.example.com"}, GCP: sa.GCPInstallation{Audience: "sts.googleapis.com"}}
	all := merged(eks, google)
	if a := resolve(all, nil, nil, in); a.AWS.Audience != "aws.example.com" || a.GCP.Audience != "sts.googleapis.com" {
		t.Errorf("%+v %+v", a.AWS, a.GCP)
	}
	if a := resolve(merged(all, m{sa.KeyEKSAudience: "a", sa.KeyGoogleAudience: "b"}), nil, nil, in); a.AWS.Audience != "a" || a.GCP.Audience != "b" {
		t.Errorf("the annotation gives way: %+v %+v", a.AWS, a.GCP)
	}
	in.GCP.FleetPool, in.GCP.FleetIdentityProvider = "example-project.svc.id.goog", "https://c.example.com"
	if a := resolve(m{sa.KeyGKEServiceAccount: account}, nil, nil, in); a.GCP == nil || a.GCP.Audience != "example-project.svc.id.goog" {
		t.Errorf("a fleet's: %+v", a)
	}
}

// TestUseLabel: what the label asks for where the ServiceAccount names no client, and
// that it is not needed where no pod is known.
func TestUseLabel(t *testing.T) {
	label := m{sa.KeyAzureWIUse: "true"}
	known := sa.Installation{Azure: sa.AzureInstallation{TenantID: tenant}}
	direct := sa.Installation{Mode: sa.ModeDirect}
	entra := m{sa.KeyAzureWIClientID: client, sa.KeyAzureWITenantID: tenant}
	for name, test := range map[string]struct {
		req    sa.Request
		in     sa.Installation
		served bool
		warned []string
	}{
		"no client":                         {sa.Request{PodLabels: label}, known, true, []string{"WI022"}},
		"no client, an empty one":           {sa.Request{PodLabels: label, Annotations: m{sa.KeyAzureWIClientID: ""}}, known, true, []string{"WI036", "WI022"}},
		"no client, no tenant":              {sa.Request{PodLabels: label}, sa.Installation{}, false, []string{"WI022", "WI038"}},
		"no client, no tenant, direct":      {sa.Request{PodLabels: label}, direct, true, []string{"WI022"}},
		"no client, the tenant's":           {sa.Request{PodLabels: label, Annotations: m{sa.KeyAzureWITenantID: tenant}}, sa.Installation{}, true, []string{"WI022"}},
		"no label":                          {sa.Request{}, known, false, nil},
		"another label":                     {sa.Request{PodLabels: m{sa.KeyInject: "true"}}, known, false, []string{"WI038"}},
		"a label that is not true":          {sa.Request{PodLabels: m{sa.KeyAzureWIUse: "True"}}, known, false, nil},
		"required, and there":               {sa.Request{PodLabels: label, Annotations: entra}, sa.Installation{Azure: sa.AzureInstallation{RequireUseLabel: true}}, true, nil},
		"required, and not there":           {sa.Request{Annotations: entra}, sa.Installation{Azure: sa.AzureInstallation{RequireUseLabel: true}}, false, nil},
		"required, no pod known":            {sa.Request{Annotations: entra, AnyPod: true}, sa.Installation{Azure: sa.AzureInstallation{RequireUseLabel: true}}, true, nil},
		"no client, and no pod known":       {sa.Request{AnyPod: true}, known, false, nil},
		"an identity binding":               {sa.Request{Annotations: entra, PodAnnotations: m{"azure.workload.identity/use-identity-binding": "true"}}, known, true, []string{"WI036"}},
		"an identity binding, switched off": {sa.Request{Annotations: entra, PodAnnotations: m{"azure.workload.identity/use-identity-binding": "false"}}, known, true, nil},
	} {
		t.Run(name, func(t *testing.T) {
			a := sa.Resolve(test.req, test.in)
			if len(a.Errors) > 0 || (a.Azure != nil) != test.served || !slices.Equal(codes(a.Warnings), test.warned) {
				t.Errorf("%+v, errors %v, warnings %v", a.Azure, a.Errors, a.Warnings)
			}
		})
	}
}
