package idp

import (
	"slices"

	"github.com/podpass-io/podpass/federation/trust/internal/quote"
)

// The types below are Keycloak's representations, as its admin API and its import take
// them, reduced to the fields that are used. Keycloak refuses a field that it does not
// know, so that a test holds each against the published ones.
// https://www.keycloak.org/docs-api/latest/rest-api/index.html

type realm struct {
	Realm               string `json:"realm"`
	Enabled             bool   `json:"enabled"`
	DisplayName         string `json:"displayName"`
	SSLRequired         string `json:"sslRequired"`
	RegistrationAllowed bool   `json:"registrationAllowed"`
	BruteForceProtected bool   `json:"bruteForceProtected"`
	// AccessTokenLifespan is in seconds, and that of ID tokens, too: for as long somebody
	// who has left still has access.
	AccessTokenLifespan int                `json:"accessTokenLifespan"`
	Groups              []group            `json:"groups,omitempty"`
	IdentityProviders   []identityProvider `json:"identityProviders,omitempty"`
	Clients             []client           `json:"clients,omitempty"`
}

type group struct {
	Name string `json:"name"`
}

type identityProvider struct {
	Alias       string            `json:"alias"`
	DisplayName string            `json:"displayName"`
	ProviderID  string            `json:"providerId"`
	Enabled     bool              `json:"enabled"`
	HideOnLogin bool              `json:"hideOnLogin"`
	Config      map[string]string `json:"config"`
}

type client struct {
	ClientID                  string            `json:"clientId"`
	Name                      string            `json:"name"`
	Description               string            `json:"description"`
	Enabled                   bool              `json:"enabled"`
	Protocol                  string            `json:"protocol"`
	PublicClient              bool              `json:"publicClient"`
	ClientAuthenticatorType   string            `json:"clientAuthenticatorType,omitempty"`
	StandardFlowEnabled       bool              `json:"standardFlowEnabled"`
	ImplicitFlowEnabled       bool              `json:"implicitFlowEnabled"`
	DirectAccessGrantsEnabled bool              `json:"directAccessGrantsEnabled"`
	ServiceAccountsEnabled    bool              `json:"serviceAccountsEnabled"`
	FullScopeAllowed          bool              `json:"fullScopeAllowed"`
	RedirectURIs              []string          `json:"redirectUris"`
	Attributes                map[string]string `json:"attributes"`
	// Both lists of scopes are given: where one is, Keycloak takes no default for the
	// other.
	DefaultClientScopes  []string         `json:"defaultClientScopes"`
	OptionalClientScopes []string         `json:"optionalClientScopes"`
	ProtocolMappers      []protocolMapper `json:"protocolMappers"`
}

type protocolMapper struct {
	Name           string            `json:"name"`
	Protocol       string            `json:"protocol"`
	ProtocolMapper string            `json:"protocolMapper"`
	Config         map[string]string `json:"config"`
}

const openidConnect = "openid-connect"

// keycloakRealm is the realm without what is in it.
func (p *Plan) keycloakRealm() realm {
	return realm{
		Realm: p.setup.realm(), Enabled: true, DisplayName: p.setup.realm(), SSLRequired: "external",
		BruteForceProtected: true, AccessTokenLifespan: 300,
	}
}

// keycloakJSON is a realm as Keycloak imports it. It has no clientScopes: where an import
// has some, Keycloak makes none of its own, which the clients need.
func (p *Plan) keycloakJSON() ([]byte, error) {
	r := p.keycloakRealm()
	for _, name := range p.setup.Groups {
		r.Groups = append(r.Groups, group{name})
	}
	for _, c := range p.setup.federated() {
		r.IdentityProviders = append(r.IdentityProviders, p.clusterIssuer(c))
	}
	r.Clients = p.keycloakClients()
	return quote.JSON(r)
}

func (p *Plan) keycloakClients() []client {
	var list []client
	for _, c := range p.setup.Clusters {
		list = append(list, p.peoplesClient(c))
	}
	for _, pod := range p.setup.Pods {
		list = append(list, p.podsClient(pod))
	}
	return list
}

// peoplesClient is a public one: a program on people's own machines can keep no secret.
func (p *Plan) peoplesClient(c Cluster) client {
	s := p.setup
	defaults, optional := []string{"basic"}, []string{}
	for _, name := range s.Scopes {
		switch name {
		case "openid", "basic": // no client scope, and there already
		case "offline_access":
			optional = append(optional, name)
		default:
			defaults = append(defaults, name)
		}
	}
	return client{
		ClientID: c.ClientID, Name: "Kubernetes " + c.Name, Description: "People who sign in to the API of cluster " + c.Name,
		Enabled: true, Protocol: openidConnect, PublicClient: true, StandardFlowEnabled: true, RedirectURIs: s.RedirectURIs,
		Attributes: map[string]string{
			"pkce.code.challenge.method":                "S256",
			"oauth2.device.authorization.grant.enabled": "true",
		},
		DefaultClientScopes: defaults, OptionalClientScopes: optional,
		ProtocolMappers: []protocolMapper{audienceMapper(c.ClientID), {
			Name: "groups", Protocol: openidConnect, ProtocolMapper: "oidc-group-membership-mapper",
			Config: map[string]string{
				"claim.name": s.GroupsClaim, "full.path": "false",
				"id.token.claim": "true", "access.token.claim": "true", "userinfo.token.claim": "false", "introspection.token.claim": "true",
			},
		}},
	}
}

// audienceMapper puts a client into the audience of access tokens. An ID token has its own
// client there without it.
func audienceMapper(id string) protocolMapper {
	return protocolMapper{
		Name: "audience " + id, Protocol: openidConnect, ProtocolMapper: "oidc-audience-mapper",
		Config: map[string]string{
			"included.client.audience": id,
			"id.token.claim":           "false", "access.token.claim": "true", "introspection.token.claim": "true",
		},
	}
}

// alias of a cluster's issuer among the realm's identity providers.
func alias(cluster string) string { return "kubernetes-" + cluster }

// clusterIssuer is a cluster as an identity provider of Keycloak: for clients, not for
// people.
// https://www.keycloak.org/docs/latest/server_admin/#_identity_broker_kubernetes
func (p *Plan) clusterIssuer(c Cluster) identityProvider {
	return identityProvider{
		Alias: alias(c.Name), DisplayName: "Pods of cluster " + c.Name, ProviderID: "kubernetes", Enabled: true, HideOnLogin: true,
		// Keycloak allows for no difference between clocks by itself.
		Config: map[string]string{"issuer": c.Issuer, "allowedClockSkew": "10"},
	}
}

// podsClient is a pod's, whose secret is a token of its own cluster.
func (p *Plan) podsClient(pod Pod) client {
	mappers := []protocolMapper{}
	for _, name := range slices.Sorted(slices.Values(pod.Audiences)) {
		if c, ok := p.setup.cluster(name); ok {
			mappers = append(mappers, audienceMapper(c.ClientID))
		}
	}
	return client{
		ClientID: pod.name(), Name: pod.user(), Description: "Pods with ServiceAccount " + pod.user(),
		Enabled: true, Protocol: openidConnect, ClientAuthenticatorType: "federated-jwt", ServiceAccountsEnabled: true, RedirectURIs: []string{},
		Attributes: map[string]string{
			"jwt.credential.issuer": alias(pod.Cluster),
			"jwt.credential.sub":    pod.Subject(),
		},
		DefaultClientScopes: []string{"basic"}, OptionalClientScopes: []string{},
		ProtocolMappers: mappers,
	}
}
