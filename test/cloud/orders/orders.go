// Package orders is the ServiceAccount shop/orders, which most tests are about: what
// each cloud calls it, what the clouds trust, and its tokens.
package orders

import (
	"path/filepath"
	"testing"

	"github.com/podpass-io/podpass/federation/aws"
	"github.com/podpass-io/podpass/federation/azure"
	"github.com/podpass-io/podpass/federation/gcp"
	"github.com/podpass-io/podpass/federation/serviceaccount"
	"github.com/podpass-io/podpass/test/cloud/issuer"
	"github.com/podpass-io/podpass/test/cloud/trust"
)

// The ServiceAccount and its identities.
const (
	Subject = "system:serviceaccount:shop:orders"

	AWSAccount = "111122223333"
	AWSRole    = "arn:aws:iam::111122223333:role/orders"

	GCPProvider = "projects/123456789012/locations/global/workloadIdentityPools/clusters/providers/demo"
	GCPAudience = "//iam.googleapis.com/" + GCPProvider
	GCPMember   = "principal://iam.googleapis.com/projects/123456789012/locations/global/workloadIdentityPools/clusters/subject/" + Subject
	GCPAccount  = "orders@example-project.iam.gserviceaccount.com"
	GCPProject  = "example-project"

	OAuthAudience = "registry"
	OAuthUser     = "orders-robot"

	AzureTenant = "99999999-8888-7777-6666-555555555555"
	AzureClient = "11111111-2222-3333-4444-555555555555"
)

// Audiences of its tokens, by cloud, or token source.
var Audiences = map[string]string{"aws": aws.DefaultAudience, "gcp": GCPAudience, "azure": azure.DefaultAudience, "oidc-registry": OAuthAudience}

// Trust is clouds that trust it, by the issuer.
func Trust(i *issuer.Issuer) trust.Config {
	return trust.Config{
		Issuers: []trust.Issuer{i.Trust()},
		AWS: trust.AWS{
			Providers: []trust.AWSProvider{{Account: AWSAccount, Issuer: i.URL, Audiences: []string{aws.DefaultAudience}}},
			Roles:     []trust.AWSRole{{ARN: AWSRole, Issuer: i.URL, Audiences: []string{aws.DefaultAudience}, Subjects: []string{Subject}}},
		},
		GCP: trust.GCP{
			Providers:       []trust.GCPProvider{{Name: GCPProvider, Issuer: i.URL}},
			ServiceAccounts: []trust.GCPServiceAccount{{Email: GCPAccount, Members: []string{GCPMember}}},
		},
		Azure: trust.Azure{Tenants: []trust.Tenant{{ID: AzureTenant, Applications: []trust.Application{{
			ClientID:             AzureClient,
			FederatedCredentials: []trust.FederatedCredential{{Issuer: i.URL, Subject: Subject, Audience: azure.DefaultAudience}},
		}}}}},
		OAuth: trust.OAuth{Issuer: i.URL, Audience: OAuthAudience, Subjects: []string{Subject}, User: OAuthUser, Scopes: []string{"pull"}},
	}
}

// Identities are what the webhook hands to the broker.
func Identities() serviceaccount.Identities {
	return serviceaccount.Identities{
		AWS:   &aws.Identity{RoleARN: AWSRole, Audience: aws.DefaultAudience, Region: "eu-central-1"},
		GCP:   &gcp.Identity{Provider: GCPAudience, Audience: GCPAudience, ServiceAccount: GCPAccount, Project: GCPProject},
		Azure: &azure.Identity{ClientID: AzureClient, TenantID: AzureTenant, Audience: azure.DefaultAudience},
	}
}

// WriteTokens writes its tokens to files in dir called as the broker looks for them;
// change, if not nil, may spoil each.
func WriteTokens(t testing.TB, i *issuer.Issuer, dir string, change func(*issuer.Claims)) {
	t.Helper()
	for cloud, audience := range Audiences {
		claims := issuer.Claims{Namespace: "shop", ServiceAccount: "orders", Pod: "orders-1", Audience: audience}
		if change != nil {
			change(&claims)
		}
		i.Write(t, filepath.Join(dir, cloud), claims)
	}
}
