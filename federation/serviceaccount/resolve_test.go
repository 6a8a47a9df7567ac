package serviceaccount_test

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/podpass-io/podpass/federation/aws"
	"github.com/podpass-io/podpass/federation/azure"
	"github.com/podpass-io/podpass/federation/gcp"
	sa "github.com/podpass-io/podpass/federation/serviceaccount"
)

const (
	role     = "arn:aws:iam::111122223333:role/orders"
	provider = "projects/123456789012/locations/global/workloadIdentityPools/clusters/providers/demo"
	account  = "orders@example-project.iam.gserviceaccount.com"
	client   = "11111111-2222-3333-4444-555555555555"
	tenant   = "99999999-8888-7777-6666-555555555555"
)

type m = map[string]string

func resolve(annotations, podAnnotations, podLabels m, in sa.Installation) sa.Answer {
	return sa.Resolve(sa.Request{Namespace: "shop", Name: "orders", Annotations: annotations, PodAnnotations: podAnnotations, PodLabels: podLabels}, in)
}

func theAWS(change func(*sa.AWS)) *sa.AWS {
	a := &sa.AWS{Identity: aws.Identity{RoleARN: role, Audience: "sts.amazonaws.com"}, Grant: sa.Grant{Mode: sa.ModeBroker, TokenExpiration: 3600, Source: sa.KeyEKSRoleARN}}
	change(a)
	return a
}

func theGCP(change func(*sa.GCP)) *sa.GCP {
	a := &sa.GCP{
		Identity: gcp.Identity{Provider: "//iam.googleapis.com/" + provider, Audience: "//iam.googleapis.com/" + provider, ServiceAccount: account, Project: "example-project"},
		Grant:    sa.Grant{Mode: sa.ModeBroker, TokenExpiration: 3600, Source: sa.KeyGoogleProvider},
	}
	change(a)
	return a
}

func theAzure(change func(*sa.Azure)) *sa.Azure {
	a := &sa.Azure{Identity: azure.Identity{ClientID: client, TenantID: tenant, Audience: "api://AzureADTokenExchange"}, Grant: sa.Grant{Mode: sa.ModeBroker, TokenExpiration: 3600, Source: sa.KeyAzureWIClientID}}
	change(a)
	return a
}

// TestIdentities: what each vocabulary asks for, and gets.
func TestIdentities(t *testing.T) {
	google := m{sa.KeyGoogleProvider: provider, sa.KeyGoogleServiceAccount: account}
	entra := m{sa.KeyAzureWIClientID: client, sa.KeyAzureWITenantID: tenant}
	with := func(base m, more m) m {
		all := m{}
		for _, part := range []m{base, more} {
			for k, v := range part {
				all[k] = v
			}
		}
		return all
	}
	eks := m{sa.KeyEKSRoleARN: role}
	for name, test := range map[string]struct {
		annotations, pod, labels m
		in                       sa.Installation
		want                     any // *AWS, *GCP or *Azure
	}{
		"eks":                             {eks, nil, nil, sa.Installation{}, theAWS(func(*sa.AWS) {})},
		"eks, region":                     {eks, nil, nil, sa.Installation{AWS: sa.AWSInstallation{Region: "eu-central-1"}}, theAWS(func(a *sa.AWS) { a.Region = "eu-central-1" })},
		"eks, audience":                   {with(eks, m{sa.KeyEKSAudience: "x"}), nil, nil, sa.Installation{}, theAWS(func(a *sa.AWS) { a.Audience = "x" })},
		"eks, another partition":          {m{sa.KeyEKSRoleARN: "arn:aws-us-gov:iam::111122223333:role/team/orders"}, nil, nil, sa.Installation{}, theAWS(func(a *sa.AWS) { a.RoleARN = "arn:aws-us-gov:iam::111122223333:role/team/orders" })},
		"eks, bare name":                  {m{sa.KeyEKSRoleARN: "orders"}, nil, nil, sa.Installation{AWS: sa.AWSInstallation{AccountID: "111122223333"}}, theAWS(func(*sa.AWS) {})},
		"eks, foreign partition, allowed": {m{sa.KeyEKSRoleARN: "arn:minio:iam:::role/x"}, nil, nil, sa.Installation{AWS: sa.AWSInstallation{STSEndpoints: m{"minio": "https://m"}}}, theAWS(func(a *sa.AWS) { a.RoleARN = "arn:minio:iam:::role/x" })},
		"eks, expiration, the pod's wins": {with(eks, m{sa.KeyEKSTokenExpiration: "7200"}), m{sa.KeyEKSTokenExpiration: "900"}, nil, sa.Installation{}, theAWS(func(a *sa.AWS) { a.TokenExpiration = 900 })},
		"eks, regional endpoints":         {with(eks, m{sa.KeyEKSRegionalSTS: "true"}), nil, nil, sa.Installation{}, theAWS(func(*sa.AWS) {})},
		"podpass, the same role twice":    {with(eks, m{sa.KeyAWSRoleARN: role}), nil, nil, sa.Installation{}, theAWS(func(a *sa.AWS) { a.Source = sa.KeyAWSRoleARN })},
		"mode on the ServiceAccount":      {with(eks, m{sa.KeyMode: "direct"}), nil, nil, sa.Installation{}, theAWS(func(a *sa.AWS) { a.Mode = sa.ModeDirect })},
		"mode on the pod wins":            {with(eks, m{sa.KeyMode: "direct"}), m{sa.KeyMode: "broker"}, nil, sa.Installation{Mode: sa.ModeDirect}, theAWS(func(*sa.AWS) {})},
		"mode of the installation":        {eks, nil, nil, sa.Installation{Mode: sa.ModeDirect}, theAWS(func(a *sa.AWS) { a.Mode = sa.ModeDirect })},
		"chain": {with(eks, m{sa.KeyAWSAssumeRoleARN: role + "2, " + role + "3", sa.KeyAWSExternalID: "id", sa.KeyAWSSessionTags: "true", sa.KeyAWSSessionDuration: "1800", sa.KeyAWSSessionName: "me"}), nil, nil, sa.Installation{}, theAWS(func(a *sa.AWS) {
			a.Chain, a.ExternalID, a.SessionTags, a.SessionDuration, a.SessionName = []string{role + "2", role + "3"}, "id", true, 1800, "me"
		})},
		"mapping":                         {nil, nil, nil, sa.Installation{Mappings: []sa.Mapping{{Namespace: "sh*", ServiceAccount: "*", Annotations: eks}}}, theAWS(func(a *sa.AWS) { a.Source = "installation mapping" })},
		"mapping, the annotation wins":    {eks, nil, nil, sa.Installation{Mappings: []sa.Mapping{{Namespace: "*", ServiceAccount: "*", Annotations: m{sa.KeyAWSRoleARN: role + "2"}}}}, theAWS(func(*sa.AWS) {})},
		"google":                          {google, nil, nil, sa.Installation{}, theGCP(func(*sa.GCP) {})},
		"google, direct access":           {m{sa.KeyGoogleProvider: provider}, nil, nil, sa.Installation{}, theGCP(func(a *sa.GCP) { a.ServiceAccount, a.Project = "", "" })},
		"google, direct access, exchange": {with(google, m{sa.KeyGoogleTokenExchangeMode: "direct-access"}), nil, nil, sa.Installation{}, theGCP(func(a *sa.GCP) { a.ServiceAccount, a.Project = "", "" })},
		"google, audience":                {with(google, m{sa.KeyGoogleAudience: "x"}), nil, nil, sa.Installation{}, theGCP(func(a *sa.GCP) { a.Audience = "x" })},
		"google, injection-mode direct":   {with(google, m{sa.KeyGoogleInjectionMode: "direct"}), nil, nil, sa.Installation{}, theGCP(func(a *sa.GCP) { a.Mode = sa.ModeDirect })},
		"google, project":                 {with(google, m{sa.KeyGoogleProjectID: "example.com:orders-1"}), nil, nil, sa.Installation{}, theGCP(func(a *sa.GCP) { a.Project = "example.com:orders-1" })},
		"google, expiration":              {with(google, m{sa.KeyGoogleTokenExpiration: "600"}), nil, nil, sa.Installation{}, theGCP(func(a *sa.GCP) { a.TokenExpiration = 600 })},
		"gke":                             {m{sa.KeyGKEServiceAccount: account}, nil, nil, sa.Installation{GCP: sa.GCPInstallation{DefaultProvider: provider}}, theGCP(func(a *sa.GCP) { a.Source = sa.KeyGKEServiceAccount })},
		"gke, fleet": {m{sa.KeyGKEServiceAccount: account}, nil, nil, sa.Installation{GCP: sa.GCPInstallation{FleetPool: "p.svc.id.goog", FleetIdentityProvider: "https://c.example.com"}}, theGCP(func(a *sa.GCP) {
			a.Source, a.Provider, a.Audience = sa.KeyGKEServiceAccount, "identitynamespace:p.svc.id.goog:https://c.example.com", "p.svc.id.goog"
		})},
		"gke, principal and quota project": {m{sa.KeyGKEServiceAccount: account, sa.KeyGKEPrincipalAsEmail: "true", sa.KeyGKEQuotaProject: "quota-project"}, nil, nil, sa.Installation{GCP: sa.GCPInstallation{DefaultProvider: provider}}, theGCP(func(a *sa.GCP) {
			a.Source, a.PrincipalAsEmail, a.QuotaProject = sa.KeyGKEServiceAccount, true, "quota-project"
		})},
		"azure":                            {entra, nil, nil, sa.Installation{}, theAzure(func(*sa.Azure) {})},
		"azure, the installation's tenant": {m{sa.KeyAzureWIClientID: client}, nil, nil, sa.Installation{Azure: sa.AzureInstallation{TenantID: tenant}}, theAzure(func(*sa.Azure) {})},
		"azure, audience":                  {entra, nil, nil, sa.Installation{Azure: sa.AzureInstallation{Audience: "api://x"}}, theAzure(func(a *sa.Azure) { a.Audience = "api://x" })},
		"azure, label required and there":  {entra, nil, m{sa.KeyAzureWIUse: "true"}, sa.Installation{Azure: sa.AzureInstallation{RequireUseLabel: true}}, theAzure(func(*sa.Azure) {})},
		"azure, label required":            {entra, nil, nil, sa.Installation{Azure: sa.AzureInstallation{RequireUseLabel: true}}, (*sa.Azure)(nil)},
		"azure, proxy sidecar true":        {entra, m{sa.KeyAzureWIProxy: "true"}, nil, sa.Installation{Mode: sa.ModeDirect}, theAzure(func(*sa.Azure) {})},
		"azure, proxy sidecar false":       {entra, m{sa.KeyAzureWIProxy: "false"}, nil, sa.Installation{}, theAzure(func(a *sa.Azure) { a.Mode = sa.ModeDirect })},
		"azure, expiration":                {with(entra, m{sa.KeyAzureWITokenExpiration: "7200"}), nil, nil, sa.Installation{}, theAzure(func(a *sa.Azure) { a.TokenExpiration = 7200 })},
		"nothing":                          {m{"other": "x"}, nil, nil, sa.Installation{}, (*sa.AWS)(nil)},
	} {
		t.Run(name, func(t *testing.T) {
			a := resolve(test.annotations, test.pod, test.labels, test.in)
			if len(a.Errors) > 0 {
				t.Fatalf("errors: %v", a.Errors)
			}
			var got any
			switch test.want.(type) {
			case *sa.AWS:
				got = a.AWS
			case *sa.GCP:
				got = a.GCP
			case *sa.Azure:
				got = a.Azure
			}
			if diff := cmp.Diff(test.want, got); diff != "" {
				t.Errorf("(-want +got)\n%s", diff)
			}
		})
	}
}

// TestProblems: bad values are errors or warnings that name the key, the value and
// the fix; never a silent default.
func TestProblems(t *testing.T) {
	for name, test := range map[string]struct {
		annotations, pod, labels m
		code, where, value       string
		warning                  bool
	}{
		"not an ARN":             {m{sa.KeyEKSRoleARN: "orders"}, nil, nil, "WI001", sa.KeyEKSRoleARN, "orders", false},
		"short account":          {m{sa.KeyEKSRoleARN: "arn:aws:iam::1234:role/x"}, nil, nil, "WI001", sa.KeyEKSRoleARN, "arn:aws:iam::1234:role/x", false},
		"a user's ARN":           {m{sa.KeyAWSRoleARN: "arn:aws:iam::111122223333:user/x"}, nil, nil, "WI001", sa.KeyAWSRoleARN, "", false},
		"foreign partition":      {m{sa.KeyEKSRoleARN: "arn:minio:iam:::role/x"}, nil, nil, "WI002", sa.KeyEKSRoleARN, "", false},
		"external ID, no chain":  {m{sa.KeyEKSRoleARN: role, sa.KeyAWSExternalID: "id"}, nil, nil, "WI003", sa.KeyAWSExternalID, "id", false},
		"long chained session":   {m{sa.KeyEKSRoleARN: role, sa.KeyAWSAssumeRoleARN: role, sa.KeyAWSSessionDuration: "7200"}, nil, nil, "WI030", sa.KeyAWSSessionDuration, "7200", false},
		"policy, not JSON":       {m{sa.KeyEKSRoleARN: role, sa.KeyAWSSessionPolicy: "{"}, nil, nil, "WI003", sa.KeyAWSSessionPolicy, "{", false},
		"provider by project ID": {m{sa.KeyGoogleProvider: strings.Replace(provider, "123456789012", "example-project", 1)}, nil, nil, "WI010", sa.KeyGoogleProvider, "", false},
		"not an email":           {m{sa.KeyGoogleProvider: provider, sa.KeyGoogleServiceAccount: "orders"}, nil, nil, "WI011", sa.KeyGoogleServiceAccount, "orders", false},
		"gke, no provider":       {m{sa.KeyGKEServiceAccount: account}, nil, nil, "WI012", sa.KeyGKEServiceAccount, account, false},
		"quota project":          {m{sa.KeyGoogleProvider: provider, sa.KeyGCPQuotaProject: "123"}, nil, nil, "WI013", sa.KeyGCPQuotaProject, "123", false},
		"client, not a GUID":     {m{sa.KeyAzureWIClientID: "orders", sa.KeyAzureWITenantID: tenant}, nil, nil, "WI020", sa.KeyAzureWIClientID, "orders", false},
		"no tenant":              {m{sa.KeyAzureWIClientID: client}, nil, nil, "WI021", sa.KeyAzureWIClientID, client, false},
		"bad tenant":             {m{sa.KeyAzureWIClientID: client, sa.KeyAzureWITenantID: "a b"}, nil, nil, "WI021", sa.KeyAzureWITenantID, "a b", false},
		"use label, no client":   {nil, nil, m{sa.KeyAzureWIUse: "true"}, "WI022", "ServiceAccount shop/orders", "", true},
		"expiration, too short":  {m{sa.KeyEKSRoleARN: role, sa.KeyTokenExpiration: "60"}, nil, nil, "WI030", sa.KeyTokenExpiration, "60", false},
		"expiration, no number":  {m{sa.KeyGoogleProvider: provider, sa.KeyTokenExpiration: "1h"}, nil, nil, "WI030", sa.KeyTokenExpiration, "1h", false},
		"mode":                   {m{sa.KeyEKSRoleARN: role}, m{sa.KeyMode: "sidecar"}, nil, "WI031", "pod annotation " + sa.KeyMode, "sidecar", false},
		"port":                   {m{sa.KeyEKSRoleARN: role}, m{sa.KeyBrokerPort: "80"}, nil, "WI030", sa.KeyBrokerPort, "80", false},
		"static keys":            {m{sa.KeyEKSRoleARN: role, sa.KeyStaticKeys: "keep"}, nil, nil, "WI031", sa.KeyStaticKeys, "keep", false},
		"injection mode":         {m{sa.KeyGoogleProvider: provider, sa.KeyGoogleInjectionMode: "x"}, nil, nil, "WI031", sa.KeyGoogleInjectionMode, "x", false},
		"gcloud mode":            {m{sa.KeyGoogleProvider: provider, sa.KeyGoogleInjectionMode: "gcloud"}, nil, nil, "WI036", sa.KeyGoogleInjectionMode, "gcloud", true},
		"gcloud user":            {m{sa.KeyGoogleProvider: provider, sa.KeyGoogleRunAsUser: "1000"}, nil, nil, "WI036", sa.KeyGoogleRunAsUser, "1000", true},
		"contradiction":          {m{sa.KeyEKSRoleARN: role, sa.KeyAWSRoleARN: role + "2"}, nil, nil, "WI032", sa.KeyEKSRoleARN, role, false},
		"too long":               {m{sa.KeyEKSRoleARN: strings.Repeat("x", 5000)}, nil, nil, "WI033", sa.KeyEKSRoleARN, "", false},
		"a misspelt key":         {m{"eks.amazonaws.com/role-arm": role}, nil, nil, "WI034", "eks.amazonaws.com/role-arm", "", true},
		"OIDC audiences":         {m{sa.KeyOIDCAudiences: "vault,https://x"}, nil, nil, "WI035", sa.KeyOIDCAudiences, "https://x", false},
		"OIDC token sources":     {m{sa.KeyOIDCTokenSources: "registry"}, nil, nil, "WI035", sa.KeyOIDCTokenSources, "registry", false},
		"inject label":           {m{sa.KeyEKSRoleARN: role}, nil, m{sa.KeyInject: "yes"}, "WI037", sa.KeyInject, "yes", false},
		"opted in for nothing":   {nil, nil, m{sa.KeyInject: "true"}, "WI038", "ServiceAccount shop/orders", "", true},
	} {
		t.Run(name, func(t *testing.T) {
			a := resolve(test.annotations, test.pod, test.labels, sa.Installation{})
			list := a.Errors
			if test.warning {
				list = a.Warnings
				if len(a.Errors) > 0 {
					t.Errorf("errors: %v", a.Errors)
				}
			} else if !a.Empty() {
				t.Error("an identity in spite of an error")
			}
			for _, p := range list {
				if p.Code == test.code && strings.Contains(p.Where, test.where) && strings.HasPrefix(p.Value, test.value) {
					if p.Message == "" || p.Fix == "" || len(p.Value) > 130 {
						t.Errorf("incomplete: %+v", p)
					}
					return
				}
			}
			t.Errorf("no %s for %s %q among %v", test.code, test.where, test.value, list)
		})
	}
}

func TestOptedOut(t *testing.T) {
	for _, labels := range []m{{sa.KeyInject: "false"}, {sa.KeyEKSSkip: ""}, {sa.KeyInject: "true", sa.KeyEKSSkip: "x"}} {
		if a := resolve(m{sa.KeyEKSRoleARN: role}, nil, labels, sa.Installation{}); !a.OptedOut || !a.Empty() {
			t.Errorf("%v: %+v", labels, a)
		}
	}
}

func TestGKELeavesItsOwnAlone(t *testing.T) {
	for setting, want := range map[sa.Switch]bool{"": false, "auto": false, "on": true, "off": false} {
		a := sa.Resolve(sa.Request{Annotations: m{sa.KeyGKEServiceAccount: account}, PodNodeSelector: m{sa.KeyGKEMetadataServer: "true"}},
			sa.Installation{GCP: sa.GCPInstallation{DefaultProvider: provider, GKEAnnotation: setting}})
		if got := a.GCP != nil; got != want {
			t.Errorf("gkeAnnotation %q: injected %t, want %t", setting, got, want)
		}
	}
}

func TestSkipContainers(t *testing.T) {
	a := resolve(m{sa.KeyEKSRoleARN: role}, m{sa.KeyEKSSkipContainers: "a, b", sa.KeyAzureWISkipContainers: "c ;d"}, nil, sa.Installation{})
	if diff := cmp.Diff([]string{"a", "b", "c", "d"}, a.SkipContainers); diff != "" {
		t.Error(diff)
	}
}

func TestValidateNamesAllProblems(t *testing.T) {
	err := sa.Installation{
		Mode: "x", TokenExpiration: 1, BrokerPort: 80, StaticKeys: "x",
		AWS:      sa.AWSInstallation{Region: "x", AccountID: "1", STSEndpoints: m{"minio": "http://m.example.com"}},
		GCP:      sa.GCPInstallation{DefaultProvider: "x", FleetPool: "p", GKEAnnotation: "x", STSEndpoint: "x"},
		Azure:    sa.AzureInstallation{TenantID: "a b", AuthorityHost: "http://a.example.com"},
		Mappings: []sa.Mapping{{Namespace: "[", ServiceAccount: "*", Annotations: m{"x": "y"}}},
	}.Validate()
	for _, name := range []string{"mode", "tokenExpiration", "brokerPort", "staticKeys", "aws.region", "aws.accountID", "aws.stsEndpoints.minio", "gcp.defaultProvider", "gcp.fleetPool", "gcp.gkeAnnotation", "gcp.stsEndpoint", "azure.tenantID", "azure.authorityHost", "mappings[0]:", "mappings[0].annotations"} {
		if err == nil || !strings.Contains(err.Error(), name) {
			t.Errorf("%s is not named in: %v", name, err)
		}
	}
	if err := (sa.Installation{}).Validate(); err != nil {
		t.Errorf("the defaults: %v", err)
	}
}

func FuzzResolve(f *testing.F) {
	for _, k := range sa.Keys() {
		f.Add(k.Name, "true")
	}
	f.Add(sa.KeyEKSRoleARN, role)
	f.Add("podpass.io/aws-role-arn.", role) // a name that is empty
	f.Add("podpass.io/aws-role."+strings.Repeat("k", 1<<20), "x")
	f.Add(sa.KeySkipContainers, strings.Repeat("c,", 100_000))
	f.Add(sa.KeyInject, strings.Repeat("é", 1<<19))
	f.Fuzz(func(t *testing.T, key, value string) {
		a := resolve(m{key: value, sa.KeyEKSRoleARN: role}, m{key: value}, m{key: value}, sa.Installation{})
		if len(a.Errors) > 0 && !a.Empty() {
			t.Error("an identity in spite of an error")
		}
		for _, p := range append(a.Errors, a.Warnings...) {
			if p.Code == "" || p.Where == "" || p.Message == "" || p.Fix == "" {
				t.Errorf("incomplete: %+v", p)
			}
		}
		if said(a) > 64<<10 {
			t.Errorf("%d bytes of problems", said(a))
		}
	})
}

func BenchmarkResolve(b *testing.B) {
	three := m{sa.KeyEKSRoleARN: role, sa.KeyGoogleProvider: provider, sa.KeyGoogleServiceAccount: account, sa.KeyAzureWIClientID: client, sa.KeyAzureWITenantID: tenant}
	for name, annotations := range map[string]m{"none": nil, "1 cloud": {sa.KeyEKSRoleARN: role}, "3 clouds": three} {
		b.Run(name, func(b *testing.B) {
			b.ReportAllocs()
			labels := m{"app": "orders"} // outside of the loop: it is not Resolve's cost
			for b.Loop() {
				resolve(annotations, nil, labels, sa.Installation{})
			}
		})
	}
}
