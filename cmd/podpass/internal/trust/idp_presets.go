package trust

import (
	"github.com/spf13/pflag"

	"github.com/podpass-io/podpass/federation/trust/idp"
)

const idpExamples = `  # The script that makes a realm, with a client for each of two clusters
  podpass trust idp keycloak prod-eu prod-us --issuer https://sso.example.com/realms/prod --group developers --group sre

  # What is done by hand at Google, where there is no API for it
  podpass trust idp google prod-eu --domain example.com`

const idpKeycloakLong = `Print what Keycloak must hold: one realm for the environment, its groups, a public client
for each cluster, and for pods the cluster's issuer and a client each.

-o shell is a script of kcadm.sh, which can be run again on a realm that is there; -o json
is a realm to import; -o steps says in words what to do with either, and what the API
servers are told. Pods want Keycloak 26.6 or newer.`

const idpKeycloakExamples = `  # The script, to read and then to run
  podpass trust idp keycloak prod-eu prod-us --issuer https://sso.example.com/realms/prod --group developers --group sre

  # A realm to import
  podpass trust idp keycloak prod-eu prod-us --issuer https://sso.example.com/realms/prod --group developers --group sre -o json > prod.json

  # Pods of prod-eu, which talk to the API of prod-us
  podpass trust idp keycloak prod-eu prod-us --issuer https://sso.example.com/realms/prod --group sre --pod prod-eu/ci/runner=prod-us --cluster-issuer prod-eu=https://oidc.example.com/prod-eu`

const idpOktaLong = `Print what Okta must hold: an authorization server for the environment, whose ID tokens
have the groups, a native application for each cluster, and a policy for these alone. The
groups are those that are there.`

const idpOktaExamples = `  # Terraform for two clusters
  podpass trust idp okta prod-eu prod-us --environment prod --group developers --group sre > okta.tf

  # The same by hand
  podpass trust idp okta prod-eu prod-us --environment prod --group developers --group sre -o steps`

const idpEntraLong = `Print what Microsoft Entra ID must hold: an application for each cluster, to which the groups
are assigned, and for pods an application each with a federated credential. The groups
are those that are there; tokens have their object IDs.`

const idpEntraExamples = `  # Terraform for two clusters
  podpass trust idp entra prod-eu prod-us --tenant 99999999-8888-7777-6666-555555555555 --group developers --group sre > entra.tf

  # Pods of prod-eu, which talk to the API of prod-us
  podpass trust idp entra prod-eu prod-us --tenant 99999999-8888-7777-6666-555555555555 --group sre --pod prod-eu/ci/runner=prod-us --cluster-issuer prod-eu=https://oidc.example.com/prod-eu`

const idpGoogleLong = `Print what Google must hold. OAuth clients are made by hand, so that steps in words come
first. Google's tokens have no groups: -o terraform is the group of Google Workspace in
which GKE looks for them.`

const idpGoogleExamples = `  # What is done by hand
  podpass trust idp google prod-eu prod-us --domain example.com

  # Groups, for GKE
  podpass trust idp google prod-eu --domain example.com --group developers@example.com --group sre@example.com -o terraform > google.tf`

const idpAuth0Long = `Print what Auth0 must hold: a native application for each cluster, a role for each group, and
an Action that puts a person's roles into the tokens, and refuses whoever has none.`

const idpAuth0Examples = `  # Terraform for two clusters
  podpass trust idp auth0 prod-eu prod-us --domain example.eu.auth0.com --group developers --group sre > auth0.tf

  # The same by hand
  podpass trust idp auth0 prod-eu prod-us --domain example.eu.auth0.com --group developers --group sre -o steps`

// presets in the order in which they are listed.
func presets() []preset {
	return []preset{
		{idp.Keycloak, "Keycloak", help{idpKeycloakLong, idpKeycloakExamples}, func(f *pflag.FlagSet, s *idp.Setup) {
			f.StringVar(&s.Issuer, "issuer", "", "`URL` of the realm, to the letter: https://sso.example.com/realms/prod")
			groupsClaim(f, s, "groups")
		}, true},
		{idp.Okta, "Okta", help{idpOktaLong, idpOktaExamples}, func(f *pflag.FlagSet, s *idp.Setup) {
			environment(f, s)
			groupsClaim(f, s, "groups")
		}, false},
		{idp.Entra, "Microsoft Entra ID", help{idpEntraLong, idpEntraExamples}, func(f *pflag.FlagSet, s *idp.Setup) {
			f.StringVar(&s.Tenant, "tenant", "", "tenant `ID`")
			f.BoolVar(&s.GroupNames, "group-names", false, "tokens have names of groups instead of object IDs, for groups of the cloud alone")
		}, true},
		{idp.Google, "Google", help{idpGoogleLong, idpGoogleExamples}, func(f *pflag.FlagSet, s *idp.Setup) {
			f.StringVar(&s.Domain, "domain", "", "primary `domain` of the company's Google Workspace")
		}, false},
		{idp.Auth0, "Auth0", help{idpAuth0Long, idpAuth0Examples}, func(f *pflag.FlagSet, s *idp.Setup) {
			f.StringVar(&s.Domain, "domain", "", "`domain` of the tenant, or its custom domain: example.eu.auth0.com")
			environment(f, s)
			groupsClaim(f, s, "https://podpass.io/groups")
		}, false},
	}
}

func groupsClaim(f *pflag.FlagSet, s *idp.Setup, preset string) {
	f.StringVar(&s.GroupsClaim, "groups-claim", "", "`claim` of tokens with the groups (default: "+preset+")")
}

func environment(f *pflag.FlagSet, s *idp.Setup) {
	f.StringVar(&s.Environment, "environment", "", "`name` in the names of what the clusters share: prod")
}
