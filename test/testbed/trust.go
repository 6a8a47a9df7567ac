package testbed

import (
	"github.com/podpass-io/podpass/federation/azure"
	"github.com/podpass-io/podpass/federation/gcp"
	"github.com/podpass-io/podpass/test/cloud/trust"
)

// Namespaces whose ServiceAccounts the clouds trust.
var Namespaces = []string{"demo", "e2e"}

// trustOf is what the clouds are configured with: issuer's ServiceAccounts called after a
// cloud, or all-clouds, have the identities of examples/; oidc has a user of the OAuth
// 2.0 server.
func trustOf(issuer, caFile string) trust.Config {
	account := trust.GCPServiceAccount{Email: GCPAccount}
	app := trust.Application{ClientID: AzureClient}
	role := trust.AWSRole{ARN: AWSRole, Issuer: issuer, Audiences: []string{"sts.amazonaws.com"}}
	server := trust.OAuth{Issuer: issuer, Audience: TokenSource, User: OAuthUser, Scopes: []string{"pull"}}
	for _, namespace := range Namespaces {
		subject := func(name string) string { return "system:serviceaccount:" + namespace + ":" + name }
		server.Subjects = append(server.Subjects, subject("oidc"))
		for _, name := range []string{"aws", "all-clouds"} {
			role.Subjects = append(role.Subjects, subject(name))
		}
		for _, name := range []string{"gcp", "all-clouds"} {
			account.Members = append(account.Members, gcp.Principal("//iam.googleapis.com/"+GCPProvider, subject(name)))
		}
		for _, name := range []string{"azure", "all-clouds"} {
			app.FederatedCredentials = append(app.FederatedCredentials, trust.FederatedCredential{
				Issuer: issuer, Subject: subject(name), Audience: azure.DefaultAudience,
			})
		}
	}
	return trust.Config{
		Issuers: []trust.Issuer{{URL: issuer, CAFile: caFile}},
		AWS: trust.AWS{
			Providers: []trust.AWSProvider{{Account: AWSAccount, Issuer: issuer, Audiences: []string{"sts.amazonaws.com"}}},
			Roles:     []trust.AWSRole{role},
		},
		GCP: trust.GCP{
			Providers:       []trust.GCPProvider{{Name: GCPProvider, Issuer: issuer}},
			ServiceAccounts: []trust.GCPServiceAccount{account},
		},
		Azure: trust.Azure{Tenants: []trust.Tenant{{ID: AzureTenant, Applications: []trust.Application{app}}}},
		OAuth: server,
	}
}
