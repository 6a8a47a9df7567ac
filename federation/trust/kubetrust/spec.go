package kubetrust

import (
	"fmt"

	"sigs.k8s.io/yaml"
)

// Spec is what an API server is to trust, and who is to have which rights there.
type Spec struct {
	Issuers []Issuer `json:"issuers"`
	Rights  []Right  `json:"rights,omitempty"`
}

// Kinds of issuers.
const (
	Keycloak = "keycloak"
	Okta     = "okta"
	Entra    = "entra"
	Google   = "google"
	Auth0    = "auth0"
	OIDC     = "oidc" // any other provider for people
	GitHub   = "github"
	GitLab   = "gitlab"
	Pods     = "cluster" // another cluster's pods
)

// Presets are the kinds that Issuer.Preset takes.
var Presets = []string{Keycloak, Okta, Entra, Google, Auth0, OIDC, GitHub, GitLab, Pods}

// Issuer is one whose tokens the API server is to take.
type Issuer struct {
	Preset string `json:"preset"`
	// Name comes before each user and group, with a colon, so that no two issuers can
	// speak of the same one. It is a DNS label; of a cluster it is the cluster's name.
	// Default: the preset.
	Name string `json:"name,omitempty"`
	// URL is the iss claim to the letter. Google, GitHub and Entra (of a tenant) have one.
	URL string `json:"url,omitempty"`
	// Audiences: the client IDs of people, or what runs and pods ask their tokens for.
	Audiences []string `json:"audiences"`
	// DiscoveryURL, if the discovery document is elsewhere; CertificateAuthority is PEM.
	DiscoveryURL         string `json:"discoveryURL,omitempty"`
	CertificateAuthority string `json:"certificateAuthority,omitempty"`

	// Tenant of Entra, a GUID.
	Tenant string `json:"tenant,omitempty"`
	// Domains of Google Workspace whose people are let in (hd).
	Domains []string `json:"domains,omitempty"`
	// Owners are the organisations of GitHub, the top-level groups of GitLab.
	Owners []string `json:"owners,omitempty"`

	// UsernameClaim and GroupsClaim, where they are not the preset's.
	UsernameClaim string `json:"usernameClaim,omitempty"`
	GroupsClaim   string `json:"groupsClaim,omitempty"`
	// GroupNames give groups that tokens have as IDs a name for RBAC.
	GroupNames map[string]string `json:"groupNames,omitempty"`
}

// Patterns of rights.
const (
	Developers = "developers" // edit in some namespaces
	Readers    = "readers"    // read everything but Secrets
	Admins     = "admins"     // everything
)

// Right gives a group, with its prefix, one of the usual patterns.
type Right struct {
	Pattern    string   `json:"pattern"`
	Group      string   `json:"group"`
	Namespaces []string `json:"namespaces,omitempty"`
}

// ParseSpec reads a Spec, YAML or JSON. Fields that it does not know are an error.
func ParseSpec(raw []byte) (Spec, error) {
	var s Spec
	if err := yaml.UnmarshalStrict(raw, &s); err != nil {
		return Spec{}, fmt.Errorf("reading the list of issuers: %w", err)
	}
	return s, nil
}
