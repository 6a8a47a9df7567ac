package idp

import (
	"slices"
	"strings"
)

// Provider is an identity provider, by the name that its preset has everywhere.
type Provider string

// The providers that have a preset.
const (
	Keycloak Provider = "keycloak"
	Okta     Provider = "okta"
	Entra    Provider = "entra"
	Google   Provider = "google"
	Auth0    Provider = "auth0"
)

// Setup is what is wanted of a provider, in one environment.
type Setup struct {
	Provider Provider
	// Environment is in the names of what its clusters share: "prod". Keycloak has a realm
	// for it, whose name is the issuer's; it may be empty.
	Environment string
	// Issuer is Keycloak's: https://sso.example.com/realms/prod, to the letter.
	Issuer string
	// Tenant is Entra's tenant ID, a GUID.
	Tenant string
	// Domain is Google's primary domain of the company, and Auth0's domain of the tenant.
	Domain string
	// Clusters into which people sign in.
	Clusters []Cluster
	// Groups are those that RBAC binds. Where a provider can tell, tokens have no others.
	Groups []string
	// GroupsClaim is the claim with the groups; empty: the preset's.
	GroupsClaim string
	// GroupNames asks Entra for names in the place of object IDs.
	GroupNames bool
	// RedirectURIs of the program that signs people in; empty: kubelogin's.
	RedirectURIs []string
	// Scopes that the program asks for; empty: the preset's.
	Scopes []string
	// Pods that sign in to the provider.
	Pods []Pod
}

// Cluster is one for whose API people sign in.
type Cluster struct {
	// Name is a DNS label.
	Name string
	// ClientID is the audience that its API server takes. Keycloak and Okta let one choose
	// it, kubernetes-NAME by default; the others give it.
	ClientID string
	// Issuer is the iss claim of the cluster's own tokens; it is needed for its pods alone.
	Issuer string
}

// Pod is a ServiceAccount that is a client of the provider, by its token alone.
type Pod struct {
	Cluster, Namespace, ServiceAccount string
	// Audiences are the clusters, by name, whose API it talks to with the provider's token.
	Audiences []string
}

// Subject is the sub claim of the pod's tokens.
func (p Pod) Subject() string {
	return "system:serviceaccount:" + p.Namespace + ":" + p.ServiceAccount
}

// name is the pod's, for the provider's objects: no two pods have the same, since none of
// its parts may hold an underscore.
func (p Pod) name() string { return p.Cluster + "_" + p.Namespace + "_" + p.ServiceAccount }

// user is the ServiceAccount, for comments.
func (p Pod) user() string { return p.Namespace + "/" + p.ServiceAccount + " of " + p.Cluster }

// Title of the provider, in sentences.
func (p Provider) Title() string {
	return map[Provider]string{Keycloak: "Keycloak", Okta: "Okta", Entra: "Entra", Google: "Google", Auth0: "Auth0"}[p]
}

// Forms of what is rendered for the provider, the one that most people want first.
func (p Provider) Forms() []string {
	switch p {
	case Keycloak:
		return []string{"shell", "json", "steps"}
	case Okta, Entra, Auth0:
		return []string{"terraform", "steps"}
	case Google:
		return []string{"steps", "terraform"} // for clients there is no API
	}
	return nil
}

// redirects are kubelogin's: the second is taken where the first's port is in use.
var redirects = []string{"http://localhost:8000", "http://localhost:18000"}

// withDefaults completes the setup by the provider's preset.
func (s Setup) withDefaults() Setup {
	if len(s.RedirectURIs) == 0 {
		s.RedirectURIs = redirects
	}
	if len(s.Scopes) == 0 {
		s.Scopes = s.Provider.Client().scopes()
	}
	if s.GroupsClaim == "" && s.Provider != Google {
		s.GroupsClaim = "groups"
		if s.Provider == Auth0 {
			s.GroupsClaim = "https://podpass.io/groups" // it keeps groups for itself
		}
	}
	s.Clusters = slices.Clone(s.Clusters)
	for n, c := range s.Clusters {
		if c.ClientID == "" && s.choosesClientID() {
			s.Clusters[n].ClientID = "kubernetes-" + c.Name
		}
	}
	return s
}

// choosesClientID reports whether the provider takes a client ID from whoever creates it.
func (s Setup) choosesClientID() bool { return s.Provider == Keycloak || s.Provider == Okta }

// takesPods reports whether a cluster's token authenticates a client at the provider.
func (s Setup) takesPods() bool { return s.Provider == Keycloak || s.Provider == Entra }

// realm is the last part of Keycloak's issuer.
func (s Setup) realm() string { return s.Issuer[strings.LastIndex(s.Issuer, "/")+1:] }

// server is Keycloak's issuer without the realm.
func (s Setup) server() string { return strings.TrimSuffix(s.Issuer, "/realms/"+s.realm()) }

// issuer is the iss claim of what the provider signs; empty: it is known only once the
// provider has made it.
func (s Setup) issuer() string {
	switch s.Provider {
	case Keycloak:
		return s.Issuer
	case Entra:
		return "https://login.microsoftonline.com/" + s.Tenant + "/v2.0"
	case Google:
		return googleIssuer
	case Auth0:
		return "https://" + s.Domain + "/"
	case Okta: // the authorization server's, which Okta makes
	}
	return ""
}

// shared is the name of what the clusters of the environment share.
func (s Setup) shared() string {
	if s.Environment == "" {
		return "kubernetes"
	}
	return "kubernetes-" + s.Environment
}

// names of the clusters, in order.
func (s Setup) names() []string {
	var list []string
	for _, c := range s.Clusters {
		list = append(list, c.Name)
	}
	return list
}

// cluster by name.
func (s Setup) cluster(name string) (Cluster, bool) {
	n := slices.IndexFunc(s.Clusters, func(c Cluster) bool { return c.Name == name })
	if n < 0 {
		return Cluster{}, false
	}
	return s.Clusters[n], true
}

// federated are the clusters that have pods at the provider, in order.
func (s Setup) federated() []Cluster {
	var list []Cluster
	for _, c := range s.Clusters {
		if slices.ContainsFunc(s.Pods, func(p Pod) bool { return p.Cluster == c.Name }) {
			list = append(list, c)
		}
	}
	return list
}
