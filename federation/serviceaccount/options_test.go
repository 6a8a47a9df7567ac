package serviceaccount_test

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/podpass-io/podpass/federation/kube"
	"github.com/podpass-io/podpass/federation/oidc"
	sa "github.com/podpass-io/podpass/federation/serviceaccount"
)

func codes(list []sa.Problem) (all []string) {
	for _, p := range list {
		all = append(all, p.Code)
	}
	return all
}

func merged(parts ...m) m {
	all := m{}
	for _, part := range parts {
		maps.Copy(all, part)
	}
	return all
}

var (
	eks    = m{sa.KeyEKSRoleARN: role}
	google = m{sa.KeyGoogleProvider: provider, sa.KeyGoogleServiceAccount: account}
	entra  = m{sa.KeyAzureWIClientID: client, sa.KeyAzureWITenantID: tenant}
)

// TestEachFaultOnce: what is wrong is reported once, whoever reads it, and nothing is
// that only follows from it.
func TestEachFaultOnce(t *testing.T) {
	const other, foreign = "22222222-2222-3333-4444-555555555555", "arn:aws-cn:iam::111122223333:role/orders"
	sources := sa.Installation{OIDC: sa.OIDCInstallation{TokenSources: map[string]oidc.Source{"registry": {TokenURL: "https://r.example.com", Audience: "r"}}}}
	further := m{}
	for i := range 12 {
		further[fmt.Sprintf("podpass.io/aws-role-arn.n%d", i)] = role
	}
	for name, test := range map[string]struct {
		annotations, pod, labels m
		in                       sa.Installation
		errors, warnings         []string
	}{
		"a role that is none, with a chain":     {m{sa.KeyEKSRoleARN: "orders", sa.KeyAWSAssumeRoleARN: role}, nil, nil, sa.Installation{}, []string{"WI001"}, nil},
		"a chain of none":                       {merged(eks, m{sa.KeyAWSAssumeRoleARN: "x,y"}), nil, nil, sa.Installation{}, []string{"WI001"}, nil},
		"a chain that leaves the partition":     {merged(eks, m{sa.KeyAWSAssumeRoleARN: foreign + "," + foreign}), nil, nil, sa.Installation{}, []string{"WI002"}, nil},
		"a further role in another partition":   {merged(eks, m{"podpass.io/aws-role-arn.x": foreign}), nil, nil, sa.Installation{}, []string{"WI002"}, nil},
		"a further role that is none":           {merged(eks, m{"podpass.io/aws-role-arn.x": "x"}), nil, nil, sa.Installation{}, []string{"WI001"}, nil},
		"a further role whose name is none":     {merged(eks, m{"podpass.io/aws-role-arn.X": "x"}), nil, nil, sa.Installation{}, []string{"WI003"}, nil},
		"too many further roles":                {merged(eks, further), nil, nil, sa.Installation{}, []string{"WI003"}, nil},
		"a choice of a role that is not there":  {eks, m{"podpass.io/aws-role.web": "x"}, nil, sa.Installation{}, []string{"WI003"}, nil},
		"a session name":                        {merged(eks, m{sa.KeyAWSSessionName: "x"}), nil, nil, sa.Installation{}, []string{"WI003"}, nil},
		"an external ID":                        {merged(eks, m{sa.KeyAWSExternalID: "x"}), nil, nil, sa.Installation{}, []string{"WI003"}, nil},
		"a session's duration":                  {merged(eks, m{sa.KeyAWSSessionDuration: "x"}), nil, nil, sa.Installation{}, []string{"WI030"}, nil},
		"a policy that is null":                 {merged(eks, m{sa.KeyAWSSessionPolicy: "null"}), nil, nil, sa.Installation{}, []string{"WI003"}, nil},
		"tags without a chain":                  {merged(eks, m{sa.KeyAWSSessionTags: "true"}), nil, nil, sa.Installation{}, []string{"WI003"}, nil},
		"no tags without a chain":               {merged(eks, m{sa.KeyAWSSessionTags: "false"}), nil, nil, sa.Installation{}, nil, nil},
		"regional endpoints":                    {merged(eks, m{sa.KeyEKSRegionalSTS: "x"}), nil, nil, sa.Installation{}, nil, []string{"WI031"}},
		"two that are not boolean":              {merged(eks, m{sa.KeyEKSRegionalSTS: "x", sa.KeyAWSIMDS: "x"}), nil, nil, sa.Installation{}, []string{"WI031"}, []string{"WI031"}},
		"a token's lifetime":                    {merged(google, m{sa.KeyGCPTokenLifetime: "x"}), nil, nil, sa.Installation{}, []string{"WI030"}, nil},
		"a lifetime that is wrong in two ways":  {m{sa.KeyGoogleProvider: provider, sa.KeyGCPTokenLifetime: "x"}, nil, nil, sa.Installation{}, []string{"WI013", "WI030"}, nil},
		"a delegate":                            {merged(google, m{sa.KeyGCPDelegates: "x"}), nil, nil, sa.Installation{}, []string{"WI013"}, nil},
		"an exchange mode":                      {merged(google, m{sa.KeyGoogleTokenExchangeMode: "x"}), nil, nil, sa.Installation{}, []string{"WI031"}, nil},
		"two providers":                         {m{sa.KeyGoogleProvider: provider, sa.KeyGCPProvider: provider + "2", sa.KeyGCPProject: "x"}, nil, nil, sa.Installation{}, []string{"WI032"}, nil},
		"two roles, and an option":              {merged(eks, m{sa.KeyAWSRoleARN: role + "2", sa.KeyAWSRegion: "eu-west-1"}), nil, nil, sa.Installation{}, []string{"WI032"}, nil},
		"a fleet's pool alone":                  {m{sa.KeyGKEServiceAccount: account}, nil, nil, sa.Installation{GCP: sa.GCPInstallation{FleetPool: "p.svc.id.goog"}}, []string{"WI012"}, nil},
		"a fleet's identity provider alone":     {m{sa.KeyGKEServiceAccount: account}, nil, nil, sa.Installation{GCP: sa.GCPInstallation{FleetIdentityProvider: "https://c.example.com"}}, []string{"WI012"}, nil},
		"a further client that is none":         {merged(entra, m{sa.KeyAzureOtherClients: other + ",x"}), nil, nil, sa.Installation{}, []string{"WI020"}, nil},
		"the first client a second time":        {merged(entra, m{sa.KeyAzureOtherClients: client}), nil, nil, sa.Installation{}, []string{"WI020"}, nil},
		"a further client a second time":        {merged(entra, m{sa.KeyAzureOtherClients: other + "," + other}), nil, nil, sa.Installation{}, []string{"WI020"}, nil},
		"a further client's tenant":             {merged(entra, m{sa.KeyAzureOtherClients: other + "@a b"}), nil, nil, sa.Installation{}, []string{"WI021"}, nil},
		"a mode that three clouds read":         {merged(eks, google, entra, m{sa.KeyMode: "x"}), nil, nil, sa.Installation{}, []string{"WI031"}, nil},
		"an expiration that three clouds read":  {merged(eks, google, entra, m{sa.KeyTokenExpiration: "x"}), nil, nil, sa.Installation{}, []string{"WI030"}, nil},
		"digits and letters":                    {merged(eks, m{sa.KeyTokenExpiration: "72a0"}), nil, nil, sa.Installation{}, []string{"WI030"}, nil},
		"a mode that is empty":                  {merged(eks, m{sa.KeyMode: ""}), nil, nil, sa.Installation{}, []string{"WI031"}, nil},
		"a value that is too long":              {m{sa.KeyEKSRoleARN: strings.Repeat("x", 5000), sa.KeyMode: "x"}, nil, nil, sa.Installation{}, []string{"WI033"}, nil},
		"an audience twice":                     {m{sa.KeyOIDCAudiences: "vault,vault"}, nil, nil, sa.Installation{}, []string{"WI035"}, nil},
		"a token source twice":                  {m{sa.KeyOIDCTokenSources: "registry,registry"}, nil, nil, sources, []string{"WI035"}, nil},
		"a pod's key on the ServiceAccount":     {m{"podpass.io/aws-role.web": "x"}, nil, nil, sa.Installation{}, nil, []string{"WI036"}},
		"very many of them":                     {many(257, "podpass.io/aws-role.%d"), nil, nil, sa.Installation{}, []string{"WI039"}, nil},
		"opted in, with an identity":            {eks, nil, m{sa.KeyInject: "true"}, sa.Installation{}, nil, nil},
		"opted in, with a bad one":              {m{sa.KeyEKSRoleARN: "x"}, nil, m{sa.KeyInject: "true"}, sa.Installation{}, []string{"WI001"}, nil},
		"an empty tenant beside the default":    {m{sa.KeyAzureWIClientID: client, sa.KeyAzureTenantID: ""}, nil, nil, sa.Installation{Azure: sa.AzureInstallation{TenantID: tenant}}, nil, []string{"WI036"}},
		"an empty tenant of the other spelling": {m{sa.KeyAzureWIClientID: client, sa.KeyAzureWITenantID: ""}, nil, nil, sa.Installation{Azure: sa.AzureInstallation{TenantID: tenant}}, nil, []string{"WI036"}},
	} {
		t.Run(name, func(t *testing.T) {
			a := resolve(test.annotations, test.pod, test.labels, test.in)
			if !slices.Equal(codes(a.Errors), test.errors) || !slices.Equal(codes(a.Warnings), test.warnings) {
				t.Errorf("errors %v, warnings %v", a.Errors, a.Warnings)
			}
		})
	}
}

// TestRegions: a role's STS is in a region of its partition.
func TestRegions(t *testing.T) {
	for name, test := range map[string]struct {
		annotation, installation, region string
		errors, warnings                 []string
	}{
		"the ServiceAccount's":        {"eu-west-1", "eu-central-1", "eu-west-1", nil, nil},
		"the installation's":          {"", "eu-central-1", "eu-central-1", nil, nil},
		"none":                        {"", "", "", nil, nil},
		"no region":                   {"x", "", "", []string{"WI003"}, nil},
		"of another partition":        {"cn-north-1", "", "", []string{"WI003"}, nil},
		"the installation's does not": {"", "cn-north-1", "us-east-1", nil, []string{"WI003"}},
	} {
		annotations := merged(eks)
		if test.annotation != "" {
			annotations[sa.KeyAWSRegion] = test.annotation
		}
		a := resolve(annotations, nil, nil, sa.Installation{AWS: sa.AWSInstallation{Region: test.installation}})
		if !slices.Equal(codes(a.Errors), test.errors) || !slices.Equal(codes(a.Warnings), test.warnings) || test.errors == nil && a.AWS.Region != test.region {
			t.Errorf("%s: %+v", name, a)
		}
	}
}

// TestSessionTags: the cluster is named to whoever asks for tags.
func TestSessionTags(t *testing.T) {
	in := sa.Installation{AWS: sa.AWSInstallation{ClusterARN: "arn:aws:eks:eu-central-1:111122223333:cluster/shop", ClusterName: "shop"}}
	for tags, name := range map[string]string{"true": "shop", "false": ""} {
		a := resolve(merged(eks, m{sa.KeyAWSAssumeRoleARN: role + "2", sa.KeyAWSSessionTags: tags}), nil, nil, in)
		if a.AWS == nil || a.AWS.ClusterName != name || (a.AWS.ClusterARN == "") != (name == "") {
			t.Errorf("%s: %+v, %v", tags, a.AWS, a.Errors)
		}
	}
}

// TestFurtherRoles: those of the ServiceAccount and of the mapping whose role it has,
// sorted, each once; a container may choose one.
func TestFurtherRoles(t *testing.T) {
	a := resolve(m{"podpass.io/aws-role-arn.a": role + "a", "podpass.io/aws-role-arn.z": role + "z"}, m{"podpass.io/aws-role.web": "z", "podpass.io/aws-role.db": "b"}, nil,
		mapped(merged(m{sa.KeyAWSRoleARN: role, "podpass.io/aws-role-arn.b": role + "b", "podpass.io/aws-role-arn.z": role + "y"})))
	if len(a.Errors) > 0 || a.AWS == nil {
		t.Fatalf("%v", a.Errors)
	}
	var names []string
	for _, o := range a.AWS.Others {
		names = append(names, o.Name+" "+strings.TrimPrefix(o.RoleARN, role))
	}
	if diff := cmp.Diff([]string{"a a", "b b", "z z"}, names); diff != "" {
		t.Error(diff)
	}
	if diff := cmp.Diff(m{"web": "z", "db": "b"}, a.AWS.Chosen); diff != "" {
		t.Error(diff)
	}
}

// TestOIDC: what a ServiceAccount gets for servers that are none of the clouds.
func TestOIDC(t *testing.T) {
	in := sa.Installation{OIDC: sa.OIDCInstallation{TokenSources: map[string]oidc.Source{"registry": {TokenURL: "https://r.example.com", Audience: "r"}}}}
	audiences, sources := m{sa.KeyOIDCAudiences: "vault=https://vault.example.com, x"}, m{sa.KeyOIDCTokenSources: "registry"}
	of := []oidc.Audience{{Name: "vault", Audience: "https://vault.example.com"}, {Name: "x", Audience: "x"}}
	from := oidc.Identity{Sources: []oidc.Source{{Name: "registry", TokenURL: "https://r.example.com", Audience: "r"}}}
	for name, test := range map[string]struct {
		annotations m
		want        sa.OIDC
	}{
		"audiences": {audiences, sa.OIDC{Audiences: of, Grant: sa.Grant{Mode: sa.ModeBroker, TokenExpiration: 3600, Source: sa.KeyOIDCAudiences}}},
		"sources":   {sources, sa.OIDC{Identity: from, Grant: sa.Grant{Mode: sa.ModeBroker, TokenExpiration: 3600, Source: sa.KeyOIDCTokenSources}}},
		"both":      {merged(audiences, sources), sa.OIDC{Audiences: of, Identity: from, Grant: sa.Grant{Mode: sa.ModeBroker, TokenExpiration: 3600, Source: sa.KeyOIDCTokenSources}}},
	} {
		a := resolve(test.annotations, nil, nil, in)
		if diff := cmp.Diff(&test.want, a.OIDC); diff != "" || len(a.Errors) > 0 {
			t.Errorf("%s (-want +got)\n%s%v", name, diff, a.Errors)
		}
	}
}

// TestKube: the clusters that a ServiceAccount lists, in its order; the first is the
// current one of its kubeconfig.
func TestKube(t *testing.T) {
	us, eu := kube.Cluster{Server: "https://us.example.com", Audience: "us"}, kube.Cluster{Server: "https://eu.example.com", Audience: "eu", Namespace: "shop"}
	in := sa.Installation{Kube: sa.KubeInstallation{Clusters: map[string]kube.Cluster{"us": us, "eu": eu}}}
	own := kube.Cluster{Name: "in-cluster"}
	us.Name, eu.Name = "us", "eu"
	grant := sa.Grant{Mode: sa.ModeBroker, TokenExpiration: 3600, Source: sa.KeyKubeClusters}
	for list, want := range map[string][]kube.Cluster{
		"us": {us}, "eu, us": {eu, us}, "in-cluster,eu": {own, eu},
	} {
		a := resolve(m{sa.KeyKubeClusters: list}, nil, nil, in)
		if diff := cmp.Diff(&sa.Kube{Grant: grant, Clusters: want}, a.Kube); diff != "" || len(a.Errors) > 0 {
			t.Errorf("%s (-want +got)\n%s%v", list, diff, a.Errors)
		}
	}
	a := resolve(m{sa.KeyKubeClusters: "in-cluster,eu", sa.KeyTokenExpiration: "600"}, m{sa.KeyKubeClusters: "us"}, nil, in)
	if diff := cmp.Diff([]kube.Cluster{eu}, a.Kube.Others()); diff != "" || a.Kube.TokenExpiration != 600 || len(a.Kube.Clusters) != 2 {
		t.Errorf("a pod chose clusters, or the life is not what was asked for: %+v\n%s", a.Kube, diff)
	}
	for list, want := range map[string]string{
		"asia": "is no cluster of this installation", "us,": "is no cluster", "us,us": "is listed twice", "in-cluster": "own cluster alone",
		"in-cluster,in-cluster,us": "is listed twice", "us,eu,a,b,c,d": "more than 5",
	} {
		a := resolve(m{sa.KeyKubeClusters: list}, nil, nil, in)
		if len(a.Errors) == 0 || a.Errors[0].Code != "WI046" || !strings.Contains(a.Errors[0].Message, want) || a.Kube != nil {
			t.Errorf("%s: %v, want %q", list, a.Errors, want)
		}
	}
	in.Mappings = []sa.Mapping{{Namespace: "*", ServiceAccount: "*", Annotations: m{sa.KeyKubeClusters: "eu"}}}
	if a := resolve(nil, nil, nil, in); a.Kube == nil || a.Kube.Source != "installation mapping" || len(a.Kube.Clusters) != 1 {
		t.Errorf("mapped: %+v", a)
	}
	if a := resolve(m{sa.KeyKubeClusters: "us"}, nil, nil, in); a.Kube == nil || a.Kube.Clusters[0].Name != "us" || len(a.Kube.Clusters) != 1 {
		t.Errorf("the ServiceAccount's own, beside a mapping: %+v", a.Kube)
	}
}

// TestFurtherClients: a tenant that is not named is the first one's.
func TestFurtherClients(t *testing.T) {
	const other, third = "22222222-2222-3333-4444-555555555555", "33333333-2222-3333-4444-555555555555"
	a := resolve(merged(entra, m{sa.KeyAzureOtherClients: other + " , " + third + "@example.com"}), nil, nil, sa.Installation{})
	if a.Azure == nil || len(a.Azure.Others) != 2 || a.Azure.Others[0].ClientID != other || a.Azure.Others[0].TenantID != tenant || a.Azure.Others[1].ClientID != third || a.Azure.Others[1].TenantID != "example.com" {
		t.Errorf("%+v, %v", a.Azure, a.Errors)
	}
}

// TestPlaces: a key counts where it belongs, and white space around a value does not.
func TestPlaces(t *testing.T) {
	if a := resolve(nil, merged(eks, google, entra), nil, sa.Installation{}); !a.Empty() || len(a.Errors) > 0 {
		t.Errorf("identities that the pod names: %+v", a)
	}
	if a := resolve(merged(eks, m{sa.KeyBrokerPort: "9000"}), nil, nil, sa.Installation{}); a.BrokerPort != 9911 {
		t.Errorf("the ServiceAccount sets port %d", a.BrokerPort)
	}
	if a := sa.Resolve(sa.Request{Labels: m{sa.KeyAzureWIClientID: client}}, sa.Installation{Azure: sa.AzureInstallation{TenantID: tenant}}); a.Azure == nil || !slices.Equal(codes(a.Warnings), []string{"WI023"}) {
		t.Errorf("a label: %+v", a)
	}
	if a := resolve(m{sa.KeyEKSRoleARN: " " + role + "\n"}, m{sa.KeyMode: " direct "}, nil, sa.Installation{}); a.AWS == nil || a.AWS.RoleARN != role || a.AWS.Mode != sa.ModeDirect {
		t.Errorf("white space: %+v", a)
	}
}

// TestPod: what is not about one cloud.
func TestPod(t *testing.T) {
	a := resolve(merged(eks, m{sa.KeyStrictStart: "true", sa.KeyStaticKeys: "deny"}), m{sa.KeyBrokerPort: "9000", sa.KeyAzureWIProxyPort: "8000", sa.KeySkipContainers: "a,, ;b"}, nil, sa.Installation{})
	if !a.StrictStart || a.StaticKeys != sa.StaticKeysDeny || a.BrokerPort != 9000 || !slices.Equal(a.SkipContainers, []string{"a", "b"}) || len(a.Errors) > 0 {
		t.Errorf("%+v", a)
	}
	if a := resolve(eks, m{sa.KeyAzureWIProxyPort: "8000"}, nil, sa.Installation{}); a.BrokerPort != 8000 || a.StrictStart || a.StaticKeys != sa.StaticKeysWarn {
		t.Errorf("%+v", a)
	}
}

// TestEmpty: one identity of any kind is not nothing.
func TestEmpty(t *testing.T) {
	for name, a := range map[string]sa.Answer{"AWS": {AWS: &sa.AWS{}}, "GCP": {GCP: &sa.GCP{}}, "Azure": {Azure: &sa.Azure{}}, "OIDC": {OIDC: &sa.OIDC{}}, "kube": {Kube: &sa.Kube{}}} {
		if a.Empty() {
			t.Errorf("%s is nothing", name)
		}
	}
	if !(sa.Answer{}).Empty() {
		t.Error("nothing is something")
	}
}

func TestDefaults(t *testing.T) {
	want := sa.Installation{
		Mode: "broker", TokenExpiration: 3600, BrokerPort: 9911, StaticKeys: "warn", AWS: sa.AWSInstallation{Partition: "aws", Audience: "sts.amazonaws.com"}, GCP: sa.GCPInstallation{GKEAnnotation: "auto"},
		Azure: sa.AzureInstallation{AuthorityHost: "https://login.microsoftonline.com/", Audience: "api://AzureADTokenExchange"},
	}
	if diff := cmp.Diff(want, sa.Installation{}.WithDefaults()); diff != "" {
		t.Errorf("(-want +got)\n%s", diff)
	}
}

// TestDigest: what is kept of a ServiceAccount changes nothing of what Resolve says.
func TestDigest(t *testing.T) {
	long := strings.Repeat("x", 4097)
	for name, test := range map[string]struct {
		key, value, digest string
		ok                 bool
	}{
		"a key":                 {sa.KeyEKSRoleARN, role, role, true},
		"a further role":        {"podpass.io/aws-role-arn.x", role, role, true},
		"the longest value":     {sa.KeyEKSRoleARN, long[:4096], long[:4096], true},
		"a longer one":          {sa.KeyEKSRoleARN, long, strings.Repeat(".", 4097), true},
		"a misspelt key":        {"podpass.io/x", role, "", true},
		"another's":             {"example.com/role", role, "", false},
		"the longest key":       {"podpass.io/" + long[:306], role, "", true},
		"one that cannot be":    {"podpass.io/" + long[:307], role, "", false},
		"a name without a role": {"podpass.io/aws-role-arn", role, role, true},
	} {
		if got, ok := sa.Digest(test.key, test.value); got != test.digest || ok != test.ok {
			t.Errorf("%s: %.20q, %t", name, got, ok)
		}
	}
}

// TestMisspelt: a key two edits away is named, in order; one farther off is another's.
func TestMisspelt(t *testing.T) {
	for key, want := range map[string]string{
		"eks.amazonaws.com/role-arm": sa.KeyEKSRoleARN, "eks.amazonaws.com/role-ar": sa.KeyEKSRoleARN, "eks.amazonaws.com/rolearn2": sa.KeyEKSRoleARN, "eks.amazonaws.com/rloe-arn": sa.KeyEKSRoleARN,
		"podpass.io/gcp-projekt": sa.KeyGCPProject, "podpass.io/modes": sa.KeyMode,
		"eks.amazonaws.com/rolls-arm": "", "eks.amazonaws.com/role-arn-of": "", "eks.amazonaws.com/role-": "",
	} {
		a := resolve(m{key: "x"}, nil, nil, sa.Installation{})
		var fix string
		for _, w := range a.Warnings {
			fix += w.Fix
		}
		if (want == "") != (fix == "") || want != "" && fix != "did you mean "+want+"?" {
			t.Errorf("%s: %q, want %s", key, fix, want)
		}
	}
	a := resolve(m{"podpass.io/modes": "x", "podpass.io/aws-imdsv": "x", "podpass.io/gcp-projekt": "x"}, nil, nil, sa.Installation{})
	if !slices.IsSortedFunc(a.Warnings, func(a, b sa.Problem) int { return strings.Compare(a.Where, b.Where) }) || len(a.Warnings) != 3 {
		t.Errorf("%v", a.Warnings)
	}
}

func TestProblemText(t *testing.T) {
	p := sa.Problem{Code: "WI030", Where: "pod annotation x", Value: "y\n", Message: "is wrong", Fix: "mend it"}
	if got := p.String(); got != `WI030: pod annotation x "y\n": is wrong; fix: mend it` {
		t.Error(got)
	}
	p.Value, p.Fix = "", ""
	if got := p.String(); got != "WI030: pod annotation x: is wrong" {
		t.Error(got)
	}
	x := strings.Repeat("x", 2000)
	if p := sa.AppendProblem(nil, sa.Problem{Where: x, Value: x})[0]; p.Where != x[:1000]+"..." || p.Value != x[:120]+"..." {
		t.Errorf("where of %d bytes, value of %d", len(p.Where), len(p.Value))
	}
	a := resolve(merged(eks, m{sa.KeyTokenExpiration: "1"}), nil, nil, sa.Installation{})
	if len(a.Errors) != 1 || a.Errors[0].Message != "is not a whole number from 600 to 86400" {
		t.Errorf("%v", a.Errors)
	}
}

// TestValidateTakesAll: every setting may be set.
func TestValidateTakesAll(t *testing.T) {
	in := sa.Installation{
		Mode: sa.ModeDirect, TokenExpiration: 7200, BrokerPort: 9000, StaticKeys: sa.StaticKeysDeny,
		AWS: sa.AWSInstallation{Region: "eu-central-1", AccountID: "111122223333", Partition: "aws", STSEndpoints: m{"aws": "https://sts.example.com"}, ClusterARN: "arn:aws:eks:eu-central-1:111122223333:cluster/shop", ClusterName: "shop"},
		GCP: sa.GCPInstallation{
			DefaultProvider: provider, Project: "example-project", GKEAnnotation: "on", Zone: "europe-west3-a", UniverseDomain: "googleapis.com",
			STSEndpoint: "https://sts.example.com", IAMCredentialsEndpoint: "https://iam.example.com",
		},
		Azure: sa.AzureInstallation{TenantID: tenant, AuthorityHost: "https://login.example.com/", Audience: "a", ProbeResource: "https://vault.azure.net"},
		OIDC:  sa.OIDCInstallation{TokenSources: map[string]oidc.Source{"registry": {TokenURL: "https://r.example.com", Audience: "r"}}},
		Kube:  sa.KubeInstallation{Clusters: map[string]kube.Cluster{"prod-us": {Server: "https://us.example.com:6443", Audience: "prod-us", Namespace: "shop"}}},
	}
	if err := in.Validate(); err != nil {
		t.Error(err)
	}
	for want, spoil := range map[string]func(*sa.Installation){
		"azure.probeResource": func(in *sa.Installation) { in.Azure.ProbeResource = "a b" },
		"oidc.tokenSources.registry.name:": func(in *sa.Installation) {
			in.OIDC.TokenSources = map[string]oidc.Source{"registry": {Name: "x", TokenURL: "https://r.example.com", Audience: "r"}}
		},
		"kube.clusters.in-cluster: ": func(in *sa.Installation) {
			in.Kube.Clusters = map[string]kube.Cluster{"in-cluster": {Server: "https://us.example.com", Audience: "us"}}
		},
		"kube.clusters.us: server: ": func(in *sa.Installation) {
			in.Kube.Clusters = map[string]kube.Cluster{"us": {Server: "http://us.example.com", Audience: "us"}}
		},
		"kube.clusters: 51, more than 50": func(in *sa.Installation) {
			in.Kube.Clusters = map[string]kube.Cluster{}
			for i := range 51 {
				in.Kube.Clusters[fmt.Sprint("c", i)] = kube.Cluster{Server: "https://us.example.com", Audience: "us"}
			}
		},
		"aws.clusterARN": func(in *sa.Installation) { in.AWS.ClusterARN = "a\nb" },
		"aws.partition": func(in *sa.Installation) {
			in.AWS.Partition, in.AWS.STSEndpoints = "Min IO", m{"Min IO": "https://m.example.com"}
		},
	} {
		bad := in
		spoil(&bad)
		if err := bad.Validate(); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("want %s named: %v", want, err)
		}
	}
}
