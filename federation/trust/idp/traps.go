package idp

// traps are what goes wrong at the provider, or at an API server for its sake, for this
// setup: texts that stand as comments in all that is rendered.
func (s Setup) traps() []string {
	switch s.Provider {
	case Keycloak:
		return s.keycloakTraps()
	case Okta:
		return oktaTraps
	case Entra:
		return s.entraTraps()
	case Google:
		return s.googleTraps()
	case Auth0:
		return s.auth0Traps()
	}
	return nil
}

func (s Setup) keycloakTraps() []string {
	traps := []string{
		"The issuer is " + s.Issuer + ", to the letter: no slash at its end, and no /auth before /realms since Keycloak 17. Start Keycloak with --hostname, or a token's issuer is whatever name the request came by.",
		"Groups are in the tokens without their path, so that RBAC binds developers rather than /developers. Groups of the same name below different parents are one to the API server: keep names unique.",
		"A group that comes from LDAP or from another provider is in the tokens as one of the realm is. Give groups a prefix at the API server, so that nobody can be in system:masters by a group of that name.",
		"Map the user to sub rather than to email: people can change their address, and email_verified is false for whoever an administrator has made.",
		"Somebody who has left keeps access until the ID token ends, here after 300 seconds. Refreshing fails at once for people who are disabled; a session by offline_access outlives sign-out, and ends after 30 days without use, or when it is revoked.",
		"The audience mapper lets programs send the access token (kubelogin --oidc-use-access-token). An ID token has the client as its audience anyhow.",
	}
	if len(s.Pods) > 0 {
		traps = append(traps,
			"Keycloak takes tokens of ServiceAccounts from 26.6 on; 26.5 does as a preview, by --features=client-auth-federated,kubernetes-service-accounts. A realm that is older has to have \"Signed JWT - Federated\" added to its client authentication flow.",
			"A pod's token must have "+s.Issuer+" as its audience, and live for at most an hour. Keycloak takes it more than once.",
			"Keycloak fetches the keys at the cluster's issuer. Each issuer may be one identity provider's alone, and each subject one client's alone.",
		)
	}
	return traps
}

var oktaTraps = []string{
	"The issuer is the authorization server's, https://ORG.okta.com/oauth2/ID, and not the org's. A custom domain changes it: issuer_mode says by which name tokens are issued.",
	"Authorization servers of one's own are Okta's API Access Management. Without it, take the org's, and groups_claim in okta_app_oauth, which the provider ignores when it is itself signed in by OAuth.",
	"Okta answers with an error instead of a token if more than 100 groups fit the filter: it names those that RBAC binds, and no pattern that grows.",
	"The claim is always in the token. Otherwise an ID token that comes with an access token is a thin one, and has no groups.",
	"Groups are names. Whoever may make groups in Okta, or in a directory that it imports, can make one of the same name: give groups a prefix at the API server, and keep the names to administrators.",
	"Map the user to sub. In an ID token it is Okta's own ID of the person; in an access token of such a server it is the login, which can change hands.",
	"Only people of groups that are assigned to the application can sign in. Somebody who is deactivated cannot refresh any more; an ID token lives on for an hour at most.",
}

func (s Setup) entraTraps() []string {
	traps := []string{
		"The issuer is " + s.issuer() + ", to the letter. Access tokens of version 1 have https://sts.windows.net/ instead: the applications ask for version 2.",
		"groups are object IDs, and RBAC binds these. Names are given for groups of the cloud alone (cloud_displayname), not for those of a directory on premises, and anybody who may rename a group can then take a name.",
		"Of somebody in more than 200 groups the token has _claim_names instead of groups, and the API server sees none. ApplicationGroup leaves all out but those that are assigned to the application; it wants Entra ID P1, and does not see groups within groups.",
		"sub differs in each application, so that one person is another user in each cluster; oid is the same in all of the tenant. email and upn are not verified, and can change: map the user to oid or sub. oid and tid are in ID tokens with the scope profile alone.",
		"Where people may not consent to applications, an administrator grants openid, profile, email and offline_access, once for each.",
		"Demand tid at the API server: " + s.Tenant + ". The applications are for this tenant alone (AzureADMyOrg), and guests of other tenants are in it, too.",
		"The device flow wants fallback_public_client_enabled. Conditional Access often blocks it: see that its policies mean to.",
		"Redirect URIs of public clients are compared without their port on localhost.",
	}
	if len(s.Pods) > 0 {
		traps = append(traps,
			"A pod asks for a token with scope CLIENT_ID/.default, of the cluster that it talks to. Its oid and sub are the object ID of its service principal, and it is in no group: bind that user.",
			"A new application can take some minutes until Entra knows it everywhere.",
		)
	}
	return traps
}

func (s Setup) googleTraps() []string {
	return []string{
		"Google's tokens have no groups. RBAC binds persons, or GKE asks for groups itself (Google Groups for RBAC), or a provider that knows groups, Keycloak for example, stands between.",
		"Demand hd at the API server: " + s.Domain + ". The issuer is https://accounts.google.com for everybody with an account at Google; an address that ends in the domain does not show that the company has it.",
		"Map the user to sub, or to email with email_verified: an address is given to the next person some day, sub never is.",
		"offline_access is refused with invalid_scope. Refresh tokens come for access_type=offline, and for prompt=consent if there was one before; in a project whose consent screen is External and in testing they end after 7 days.",
		"Google gives clients of desktop programs a secret, and wants it back with the code. It keeps nobody out, Google says so itself, and may be in a kubeconfig. PKCE is what protects.",
		"The device flow wants a client of its own, of the type TVs and Limited Input devices: another client ID, which is another audience for the API server.",
	}
}

func (s Setup) auth0Traps() []string {
	return []string{
		"The issuer is " + s.issuer() + ", with the slash at its end. It is the name by which people sign in: a custom domain is another issuer.",
		"Auth0 keeps the claim groups for itself, and roles, too, and leaves a claim of that name out without a word. The API server is told " + s.GroupsClaim + ".",
		"Groups are Auth0's roles here. Whoever has none of them is refused by the Action, and not only by RBAC.",
		"A new application is open to the tenant's connections. Turn sign-ups off in those that it has, and social ones: else anybody in the world has an account, though no role.",
		"Map the user to sub (auth0|..., waad|...), or to email only with email_verified.",
		"Refresh tokens rotate, so that two programs that refresh at the same moment need the leeway.",
	}
}

// forAPIServer is what podpass trust kube reads of the provider for a cluster with that
// audience, in YAML.
func (s Setup) forAPIServer(audience string) []string {
	lines := []string{"issuers:", "- preset: " + string(s.Provider)}
	switch s.Provider {
	case Keycloak, Auth0:
		lines = append(lines, "  url: "+s.issuer())
	case Okta:
		lines = append(lines, "  url: https://ORG.okta.com/oauth2/ID")
	case Entra:
		lines = append(lines, "  tenant: "+s.Tenant)
	case Google:
		lines = append(lines, "  domains: ["+s.Domain+"]")
	}
	lines = append(lines, "  audiences: ["+audience+"]")
	if s.GroupsClaim != "" && s.GroupsClaim != "groups" {
		lines = append(lines, "  groupsClaim: "+s.GroupsClaim)
	}
	return lines
}
