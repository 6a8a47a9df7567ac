package serviceaccount_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	sa "github.com/podpass-io/podpass/federation/serviceaccount"
)

// Each limit is allowed, and one more is not.
func TestLimits(t *testing.T) {
	list := func(n int, format string) string {
		items := make([]string, n)
		for i := range items {
			items[i] = fmt.Sprintf(format, i)
		}
		return strings.Join(items, ",")
	}
	aws := func(key string, value string) m { return m{sa.KeyEKSRoleARN: role, key: value} }
	gcp := func(key string, value string) m {
		return m{sa.KeyGoogleProvider: provider, sa.KeyGoogleServiceAccount: account, key: value}
	}
	azure := func(key string, value string) m {
		return m{sa.KeyAzureWIClientID: client, sa.KeyAzureWITenantID: tenant, key: value}
	}
	policy := func(n int) string { return `{"a":"` + strings.Repeat("é", n-8) + `"}` }
	const others = "00000000-0000-0000-0000-%012d"
	for name, test := range map[string]struct{ within, past m }{
		"a value":               {aws(sa.KeyEKSAudience, strings.Repeat("a", 4096)), aws(sa.KeyEKSAudience, strings.Repeat("a", 4097))},
		"chained roles":         {aws(sa.KeyAWSAssumeRoleARN, list(5, role+"%d")), aws(sa.KeyAWSAssumeRoleARN, list(6, role+"%d"))},
		"delegates":             {gcp(sa.KeyGCPDelegates, list(5, "sa-%d-x@example-project.iam.gserviceaccount.com")), gcp(sa.KeyGCPDelegates, list(6, "sa-%d-x@example-project.iam.gserviceaccount.com"))},
		"further clients":       {azure(sa.KeyAzureOtherClients, list(5, others)), azure(sa.KeyAzureOtherClients, list(6, others))},
		"audiences":             {m{sa.KeyOIDCAudiences: list(5, "a%d")}, m{sa.KeyOIDCAudiences: list(6, "a%d")}},
		"session policy":        {aws(sa.KeyAWSSessionPolicy, policy(2048)), aws(sa.KeyAWSSessionPolicy, policy(2049))},
		"shortest session":      {aws(sa.KeyAWSSessionDuration, "900"), aws(sa.KeyAWSSessionDuration, "899")},
		"longest session":       {aws(sa.KeyAWSSessionDuration, "43200"), aws(sa.KeyAWSSessionDuration, "43201")},
		"shortest access token": {gcp(sa.KeyGCPTokenLifetime, "600"), gcp(sa.KeyGCPTokenLifetime, "599")},
		"longest access token":  {gcp(sa.KeyGCPTokenLifetime, "43200"), gcp(sa.KeyGCPTokenLifetime, "43201")},
		"shortest token":        {aws(sa.KeyTokenExpiration, "600"), aws(sa.KeyTokenExpiration, "599")},
		"longest token":         {aws(sa.KeyTokenExpiration, "86400"), aws(sa.KeyTokenExpiration, "86401")},
	} {
		t.Run(name, func(t *testing.T) {
			if a := resolve(test.within, nil, nil, sa.Installation{}); len(a.Errors) > 0 || a.Empty() {
				t.Errorf("refused at the limit: %v", a.Errors)
			}
			if a := resolve(test.past, nil, nil, sa.Installation{}); len(a.Errors) == 0 || !a.Empty() {
				t.Error("allowed past the limit")
			}
		})
	}
	for _, n := range []int{10, 11} {
		annotations := m{sa.KeyEKSRoleARN: role}
		for i := range n {
			annotations[fmt.Sprintf("podpass.io/aws-role-arn.n%d", i)] = role
		}
		if a := resolve(annotations, nil, nil, sa.Installation{}); (len(a.Errors) > 0) != (n > 10) {
			t.Errorf("%d further roles: %v", n, a.Errors)
		}
	}
	for port, ok := range map[string]bool{"1023": false, "1024": true, "65535": true, "65536": false} {
		if a := resolve(m{sa.KeyEKSRoleARN: role}, m{sa.KeyBrokerPort: port}, nil, sa.Installation{}); (len(a.Errors) == 0) != ok {
			t.Errorf("port %s: %v", port, a.Errors)
		}
	}
}

// What is short enough that some SDK would ask again and again is warned of, from the
// figure on that the warning names there is none.
func TestShortLivesAreWarnedOf(t *testing.T) {
	gcp := func(v string) m {
		return m{sa.KeyGoogleProvider: provider, sa.KeyGoogleServiceAccount: account, sa.KeyGCPTokenLifetime: v}
	}
	aws := func(v string) m { return m{sa.KeyEKSRoleARN: role, sa.KeyAWSSessionDuration: v} }
	for name, test := range map[string]struct {
		annotations m
		want        int
	}{
		"AWS, 1799": {aws("1799"), 1}, "AWS, 1800": {aws("1800"), 0}, "GCP, 1199": {gcp("1199"), 1}, "GCP, 1200": {gcp("1200"), 0},
	} {
		if a := resolve(test.annotations, nil, nil, sa.Installation{}); len(a.Errors) > 0 || len(a.Warnings) != test.want {
			t.Errorf("%s: errors %v, warnings %v", name, a.Errors, a.Warnings)
		}
	}
}

// A subject that Google's STS takes, to the byte, is not warned of.
func TestLongSubject(t *testing.T) {
	for n, want := range map[int]int{127: 0, 128: 1} {
		name := strings.Repeat("n", n-len("system:serviceaccount:shop:"))
		a := sa.Resolve(sa.Request{Namespace: "shop", Name: name, Annotations: m{sa.KeyGoogleProvider: provider}}, sa.Installation{})
		if len(a.Warnings) != want {
			t.Errorf("%d bytes: %v", n, a.Warnings)
		}
	}
}

// A mapping's further roles belong to the mapping's role: a ServiceAccount that names
// its own role gets none of them.
func TestMappedRolesGoWithTheMappedRole(t *testing.T) {
	in := mapped(m{sa.KeyAWSRoleARN: role, "podpass.io/aws-role-arn.other": role + "2"})
	if a := resolve(nil, nil, nil, in); len(a.Errors) > 0 || len(a.AWS.Others) != 1 {
		t.Errorf("the mapping's own: %+v, %v", a.AWS, a.Errors)
	}
	a := resolve(m{sa.KeyEKSRoleARN: role + "3"}, nil, nil, in)
	if len(a.Errors) > 0 || a.AWS == nil || a.AWS.RoleARN != role+"3" || len(a.AWS.Others) != 0 {
		t.Errorf("the ServiceAccount's own: %+v, %v", a.AWS, a.Errors)
	}
}

// The client ID's label is about Azure alone: the mapping's other clouds stay.
func TestAzureLabelLeavesOtherMappings(t *testing.T) {
	a := sa.Resolve(sa.Request{Namespace: "shop", Name: "orders", Labels: m{sa.KeyAzureWIClientID: client}, Annotations: m{sa.KeyAzureWITenantID: tenant}},
		mapped(m{sa.KeyAWSRoleARN: role, sa.KeyGCPProvider: provider, sa.KeyAzureClientID: strings.Replace(client, "1", "2", 1), sa.KeyAzureTenantID: tenant}))
	if a.AWS == nil || a.GCP == nil || a.Azure == nil || a.Azure.ClientID != client {
		t.Errorf("AWS %v, GCP %v, Azure %v, errors %v", a.AWS, a.GCP, a.Azure, a.Errors)
	}
}

// An installation's settings are taken to their limits.
func TestValidateLimits(t *testing.T) {
	for name, test := range map[string]struct {
		in sa.Installation
		ok bool
	}{
		"shortest token":       {sa.Installation{TokenExpiration: 600}, true},
		"too short":            {sa.Installation{TokenExpiration: 599}, false},
		"longest token":        {sa.Installation{TokenExpiration: 86400}, true},
		"too long":             {sa.Installation{TokenExpiration: 86401}, false},
		"lowest port":          {sa.Installation{BrokerPort: 1024}, true},
		"a privileged port":    {sa.Installation{BrokerPort: 1023}, false},
		"highest port":         {sa.Installation{BrokerPort: 65535}, true},
		"no port":              {sa.Installation{BrokerPort: 65536}, false},
		"pool and provider":    {sa.Installation{GCP: sa.GCPInstallation{FleetPool: "p.svc.id.goog", FleetIdentityProvider: "https://c.example.com"}}, true},
		"provider alone":       {sa.Installation{GCP: sa.GCPInstallation{FleetIdentityProvider: "https://c.example.com"}}, false},
		"bad fleet provider":   {sa.Installation{GCP: sa.GCPInstallation{FleetPool: "p", FleetIdentityProvider: "x"}}, false},
		"partition of AWS":     {sa.Installation{AWS: sa.AWSInstallation{Partition: "aws-cn"}}, true},
		"unlisted partition":   {sa.Installation{AWS: sa.AWSInstallation{Partition: "minio"}}, false},
		"listed partition":     {sa.Installation{AWS: sa.AWSInstallation{Partition: "minio", STSEndpoints: m{"minio": "https://m.example.com"}}}, true},
		"partition, no URL":    {sa.Installation{AWS: sa.AWSInstallation{STSEndpoints: m{"minio": ""}}}, false},
		"no partition's name":  {sa.Installation{AWS: sa.AWSInstallation{STSEndpoints: m{"a:b": "https://m.example.com"}}}, false},
		"tag":                  {sa.Installation{AWS: sa.AWSInstallation{ClusterName: strings.Repeat("c", 256)}}, true},
		"long tag":             {sa.Installation{AWS: sa.AWSInstallation{ClusterName: strings.Repeat("c", 257)}}, false},
		"authority over http":  {sa.Installation{Azure: sa.AzureInstallation{AuthorityHost: "http://127.0.0.1/"}}, false},
		"no authority":         {sa.Installation{Azure: sa.AzureInstallation{AuthorityHost: "login.example.com"}}, false},
		"authority":            {sa.Installation{Azure: sa.AzureInstallation{AuthorityHost: "https://login.example.com/"}}, true},
		"project":              {sa.Installation{GCP: sa.GCPInstallation{Project: "A"}}, false},
		"region of Google":     {sa.Installation{GCP: sa.GCPInstallation{Region: "Europe West"}}, false},
		"zone":                 {sa.Installation{GCP: sa.GCPInstallation{Zone: "x"}}, false},
		"universe":             {sa.Installation{GCP: sa.GCPInstallation{UniverseDomain: "a b"}}, false},
		"IAM endpoint":         {sa.Installation{GCP: sa.GCPInstallation{IAMCredentialsEndpoint: "x"}}, false},
		"mapping, long value":  {mapped(m{sa.KeyEKSRoleARN: role, sa.KeyEKSAudience: strings.Repeat("a", 4097)}), false},
		"mapping, its longest": {mapped(m{sa.KeyEKSRoleARN: role, sa.KeyEKSAudience: strings.Repeat("a", 4096)}), true},
		"mapping, a pod's key": {mapped(m{sa.KeyEKSRoleARN: role, sa.KeySkipContainers: "a"}), false},
		"mapping, bad value":   {mapped(m{sa.KeyEKSRoleARN: "x"}), false},
		"mapping, no name":     {sa.Installation{Mappings: []sa.Mapping{{Namespace: "*"}}}, false},
		"mapping, bad name":    {sa.Installation{Mappings: []sa.Mapping{{Namespace: "*", ServiceAccount: "["}}}, false},
		"mapping, no space":    {sa.Installation{Mappings: []sa.Mapping{{ServiceAccount: "*"}}}, false},
	} {
		if err := test.in.Validate(); (err == nil) != test.ok {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// A mapping is for ServiceAccounts whose namespace and name both match, and the first counts.
func TestMappingMatches(t *testing.T) {
	in := sa.Installation{Mappings: []sa.Mapping{
		{Namespace: "shop", ServiceAccount: "billing", Annotations: m{sa.KeyAWSRoleARN: role + "1"}},
		{Namespace: "other", ServiceAccount: "orders", Annotations: m{sa.KeyAWSRoleARN: role + "2"}},
		{Namespace: "shop", ServiceAccount: "ord*", Annotations: m{sa.KeyAWSRoleARN: role + "3"}},
		{Namespace: "*", ServiceAccount: "*", Annotations: m{sa.KeyAWSRoleARN: role + "4"}},
	}}
	if a := resolve(nil, nil, nil, in); a.AWS == nil || a.AWS.RoleARN != role+"3" {
		t.Errorf("%+v, %v", a.AWS, a.Errors)
	}
}

// Warnings of options without an identity name the cloud's own options, and no others.
func TestOptionsWithoutIdentity(t *testing.T) {
	a := resolve(m{sa.KeyEKSRoleARN: role, sa.KeyAWSRegion: "eu-west-1", sa.KeyGCPProject: "example-project", sa.KeyAzureTenantID: tenant, sa.KeyGoogleProjectID: "p"}, nil, nil, sa.Installation{})
	var where []string
	for _, w := range a.Warnings {
		where = append(where, w.Code+" "+w.Where)
	}
	want := []string{"WI036 ServiceAccount shop/orders annotation " + sa.KeyGCPProject, "WI036 ServiceAccount shop/orders annotation " + sa.KeyAzureTenantID}
	if !slices.Equal(where, want) || len(a.Errors) > 0 {
		t.Errorf("warnings %q, errors %v", where, a.Errors)
	}
}
