package idp

import (
	"net/url"
	"regexp"
	"slices"
	"strings"

	"github.com/podpass-io/podpass/federation/finding"
	"github.com/podpass-io/podpass/federation/trust"
)

// checker looks at a setup that has its defaults.
type checker struct {
	setup    Setup
	findings []finding.Finding
}

func (c *checker) find(f finding.Finding) { c.findings = append(c.findings, f) }

func (c *checker) all() {
	c.address()
	c.clusters()
	c.groups()
	c.scopes()
	c.claim()
	c.redirects()
	c.pods()
}

var (
	// guid and domain are lower case, as the providers write them into issuers.
	guid   = regexp.MustCompile(`^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$`)
	domain = regexp.MustCompile(`^([a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?\.)+[a-z][a-z0-9-]*[a-z0-9]$`)
	// realmName: Keycloak refuses what URLs give a meaning to; what would have to be
	// escaped in the issuer is left out besides.
	realmName = regexp.MustCompile(`^[A-Za-z0-9._-]{1,255}$`)
	// label of DNS, shorter than it may be: user names on other clusters begin with it.
	label = regexp.MustCompile(`^[a-z0-9]([a-z0-9-]{0,30}[a-z0-9])?$`)
	// clientID as Okta takes it; Keycloak takes more.
	clientID = regexp.MustCompile(`^[A-Za-z0-9._-]{6,100}$`)
	// namespace and serviceAccount are Kubernetes' own: a label, and a subdomain.
	namespace      = regexp.MustCompile(`^[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?$`)
	serviceAccount = regexp.MustCompile(`^[a-z0-9]([a-z0-9.-]{0,251}[a-z0-9])?$`)
	// scope is RFC 6749's scope-token, less what has to be quoted somewhere.
	scope = regexp.MustCompile(`^[A-Za-z0-9._:/-]+$`)
	// claimName is a name, or a URI as Auth0 wants it.
	claimName = regexp.MustCompile(`^[A-Za-z0-9._:/-]{1,200}$`)
	email     = regexp.MustCompile(`^[^@\s]+@[^@\s]+$`)
)

// maxPodName leaves room within 255 characters, which is Keycloak's bound for client IDs and
// near to Entra's for display names.
const maxPodName = 240

// address is the provider's: what the issuer is made of.
func (c *checker) address() {
	s := c.setup
	switch s.Provider {
	case Keycloak:
		u, err := url.Parse(s.Issuer)
		if err != nil || u.Scheme != "https" || u.Host == "" || u.RawQuery != "" || u.Fragment != "" || u.User != nil ||
			!strings.HasSuffix(s.Issuer, "/realms/"+s.realm()) || !realmName.MatchString(s.realm()) {
			c.find(finding.Fix(bad(CodeAddress, "Keycloak", "the issuer is not that of a realm", "https://sso.example.com/realms/prod", s.Issuer),
				"take issuer of the realm's /.well-known/openid-configuration, to the letter: https, and without a slash at its end"))
		} else if s.realm() == "master" {
			c.find(finding.Fix(bad(CodeAddress, "Keycloak", "the realm master is Keycloak's own: who may administer it may administer every realm", "", s.Issuer),
				"give the environment a realm of its own"))
		}
	case Entra:
		if !guid.MatchString(s.Tenant) {
			c.find(finding.Fix(bad(CodeAddress, "Entra", "the tenant is not a tenant ID, in lower case", "a GUID", s.Tenant),
				"az account show --query tenantId; common and organizations let people of any tenant in"))
		}
	case Google, Auth0:
		if !domain.MatchString(s.Domain) {
			c.find(finding.Fix(bad(CodeAddress, s.Provider.Title(), "the domain is not a name of DNS, in lower case and without https://", "", s.Domain),
				"%s", map[Provider]string{
					Google: "give the company's primary domain, which is the claim hd: example.com",
					Auth0:  "give the tenant's domain, or its custom domain if people sign in by that: example.eu.auth0.com",
				}[s.Provider]))
		}
	case Okta: // its authorization server is made, and has its issuer from Okta
	}
	if s.Environment != "" && !label.MatchString(s.Environment) {
		c.find(finding.Fix(bad(CodeName, "environment", "is not a DNS label of at most 32 characters", "", s.Environment), "give it a short name: prod"))
	}
}

func (c *checker) clusters() {
	if len(c.setup.Clusters) == 0 {
		c.find(finding.Fix(bad(CodeName, "clusters", "there is none", "", ""), "name those that people sign in to"))
	}
	names, clients := map[string]bool{}, map[string]string{}
	for _, k := range c.setup.Clusters {
		where := "cluster " + k.Name
		if !label.MatchString(k.Name) {
			c.find(finding.Fix(bad(CodeName, where, "the name is not a DNS label of at most 32 characters", "", k.Name), "name it as your contexts do, shortly: prod-eu"))
		}
		if names[k.Name] {
			c.find(finding.Fix(bad(CodeTwice, where, "is named twice", "", ""), "name each cluster once"))
		}
		names[k.Name] = true
		switch {
		case k.ClientID == "":
		case !c.setup.choosesClientID():
			c.find(finding.Fix(bad(CodeName, where, c.setup.Provider.Title()+" chooses client IDs itself", "", k.ClientID), "leave the client ID out, and tell the API server the one that you get"))
		case !clientID.MatchString(k.ClientID):
			c.find(finding.Fix(bad(CodeName, where, "the client ID has other than letters, digits, dots, hyphens and underscores, or not 6 to 100 of them", "", k.ClientID), "use kubernetes-%s", k.Name))
		case clients[k.ClientID] != "":
			c.find(finding.Fix(bad(CodeTwice, where, "has the client ID of "+clients[k.ClientID]+": each takes the other's tokens, so that who gets at a token for one is let into both", "", k.ClientID),
				"give each cluster a client of its own"))
		default:
			clients[k.ClientID] = where
		}
	}
}

func (c *checker) groups() {
	if len(c.setup.Groups) == 0 && c.setup.Provider != Google {
		c.find(finding.Fix(bad(CodeName, "groups", "there is none, so that RBAC has nobody to bind but single persons", "", ""), "name the groups that RBAC binds: developers, sre, platform-admins"))
	}
	seen := map[string]bool{}
	for _, g := range c.setup.Groups {
		where := "group " + g
		switch {
		case strings.HasPrefix(strings.ToLower(g), "system:"):
			c.find(finding.Fix(bad(CodeSystem, where, "is one of Kubernetes' own: without a prefix its members are what the cluster's own parts are", "", ""), "give it another name"))
		case strings.TrimSpace(g) != g || g == "" || len(g) > 255 || strings.ContainsFunc(g, func(r rune) bool { return r < ' ' || r == 0x7f }):
			c.find(finding.Fix(bad(CodeName, where, "is empty, longer than 255 characters, or has white space around it or control characters in it", "", g), "give it another name"))
		case strings.Contains(g, "/") && c.setup.Provider == Keycloak:
			c.find(finding.Fix(bad(CodeName, where, "is a path, and tokens have the group's own name alone", "", ""), "name the group itself: %s", g[strings.LastIndex(g, "/")+1:]))
		case c.setup.Provider == Google && !email.MatchString(g):
			c.find(finding.Fix(bad(CodeName, where, "is not a group's address, by which Google knows it", "", ""), "write %s@%s", g, c.setup.Domain))
		case seen[g]:
			c.find(finding.Fix(bad(CodeTwice, where, "is named twice", "", ""), "name each group once"))
		}
		seen[g] = true
	}
}

func (c *checker) scopes() {
	for _, name := range c.setup.Scopes {
		switch {
		case !scope.MatchString(name):
			c.find(finding.Fix(bad(CodeName, "scope "+name, "is not a scope", "", name), "use openid, email and offline_access"))
		case name == "offline_access" && c.setup.Provider == Google:
			c.find(finding.Fix(bad(CodeClaim, "scope offline_access", "is unknown to Google, which answers invalid_scope", "", ""), "leave it out: Google gives refresh tokens for the parameter access_type=offline"))
		}
	}
	if !slices.Contains(c.setup.Scopes, "openid") {
		c.find(finding.Fix(bad(CodeName, "scopes", "openid is not among them, so that there is no ID token", "openid", strings.Join(c.setup.Scopes, " ")), "add it"))
	}
}

// claim is looked at for what the provider would leave out in silence: Auth0 keeps groups
// and roles for itself, and all that is a URI of its own.
// https://auth0.com/docs/secure/tokens/json-web-tokens/create-custom-claims
func (c *checker) claim() {
	s := c.setup
	switch {
	case s.Provider == Google && s.GroupsClaim != "":
		c.find(finding.Fix(bad(CodeClaim, "groups claim", "Google's tokens have no groups, whatever they are asked for", "", s.GroupsClaim), "leave it out; bind persons, use GKE's own groups, or put a provider in between that knows groups"))
	case s.Provider == Google:
	case !claimName.MatchString(s.GroupsClaim):
		c.find(finding.Fix(bad(CodeClaim, "groups claim", "is not the name of a claim", "groups", s.GroupsClaim), "use %s", Setup{Provider: s.Provider}.withDefaults().GroupsClaim))
	case s.Provider == Auth0 && (!strings.HasPrefix(s.GroupsClaim, "https://") || strings.Contains(s.GroupsClaim, ".auth0.com/")):
		c.find(finding.Fix(bad(CodeClaim, "groups claim", "Auth0 keeps the name for itself, and leaves the claim out without a word", "a URI of your own", s.GroupsClaim), "use https://podpass.io/groups"))
	case s.Provider == Entra && s.GroupsClaim != "groups":
		c.find(finding.Fix(bad(CodeClaim, "groups claim", "Entra has them in groups, and cannot rename it", "groups", s.GroupsClaim), "leave it out"))
	}
	if s.GroupNames && s.Provider != Entra {
		c.find(finding.Fix(bad(CodeClaim, "group names", s.Provider.Title()+" has no other than names", "", ""), "leave it out"))
	}
}

func (c *checker) redirects() {
	for _, text := range c.setup.RedirectURIs {
		u, err := url.Parse(text)
		if err != nil || u.Scheme != "http" || u.Hostname() != "localhost" && u.Hostname() != "127.0.0.1" && u.Hostname() != "::1" ||
			u.User != nil || u.RawQuery != "" || u.Fragment != "" || strings.Contains(text, "*") {
			c.find(finding.Fix(bad(CodeRedirect, "redirect URI", "does not lead to the person's own machine, so that a code could go elsewhere: a public client has no secret to keep others from using it", "http://localhost:8000", text),
				"use http://localhost with a port, and no pattern"))
		}
	}
}

func (c *checker) pods() {
	s := c.setup
	if len(s.Pods) > 0 && !s.takesPods() {
		c.find(finding.Fix(bad(CodePods, s.Provider.Title(), "takes no token of a cluster in the place of a client's secret", "", ""), "%s", map[Provider]string{
			Okta:   "let API servers trust the pods' own clusters, as podpass trust kube does; Okta wants an assertion that the client itself has signed (private_key_jwt)",
			Google: "podpass trust gcp lets pods into Google Cloud; let API servers trust the pods' own clusters, as podpass trust kube does",
			Auth0:  "let API servers trust the pods' own clusters, as podpass trust kube does; Auth0's custom token exchange still wants a client with a secret or a key",
		}[s.Provider]))
		return
	}
	seen := map[string]bool{}
	for _, k := range s.Clusters {
		seen[k.ClientID] = true
	}
	for _, p := range s.Pods {
		where := "pod " + p.user()
		if _, ok := s.cluster(p.Cluster); !ok {
			c.find(finding.Fix(bad(CodeName, where, "its cluster is not among the clusters", "", p.Cluster), "name the cluster, too"))
		}
		if !namespace.MatchString(p.Namespace) || !serviceAccount.MatchString(p.ServiceAccount) {
			c.find(finding.Fix(bad(CodeName, where, "is not a namespace and the name of a ServiceAccount", "shop/orders", p.Namespace+"/"+p.ServiceAccount), "write prod-eu/shop/orders"))
		}
		if len(p.name()) > maxPodName {
			c.find(finding.Fix(bad(CodeName, where, "cluster, namespace and ServiceAccount have more characters together than a name there", "", ""), "use a ServiceAccount with a shorter name"))
		}
		for _, a := range p.Audiences {
			if _, ok := s.cluster(a); !ok {
				c.find(finding.Fix(bad(CodeName, where, "the cluster that it talks to is not among the clusters", "", a), "name the cluster, too"))
			}
		}
		if seen[p.name()] {
			c.find(finding.Fix(bad(CodeTwice, where, "is named twice", "", ""), "name it once, with all clusters that it talks to"))
		}
		seen[p.name()] = true
	}
	issuers := map[string]string{}
	for _, k := range s.federated() {
		c.podIssuer(k)
		if other := issuers[k.Issuer]; other != "" && k.Issuer != "" {
			c.find(finding.Fix(bad(CodeTwice, "cluster "+k.Name, "has the issuer of "+other+": a ServiceAccount of one is that of the other", "", k.Issuer), "give each cluster an issuer of its own: --service-account-issuer"))
		}
		issuers[k.Issuer] = "cluster " + k.Name
	}
}

// podIssuer is a cluster's, whose keys the provider fetches.
func (c *checker) podIssuer(k Cluster) {
	where := "cluster " + k.Name
	why := trust.Unreachable(k.Issuer)
	switch {
	case k.Issuer == "":
		c.find(finding.Fix(bad(CodePodIssuer, where, "has pods, and its issuer is not known", "", ""), "kubectl get --raw /.well-known/openid-configuration shows it"))
	case !strings.HasPrefix(k.Issuer, "https://"):
		c.find(finding.Fix(bad(CodePodIssuer, where, "its issuer is not an https URL", "", k.Issuer), "let the API server issue for one: --service-account-issuer"))
	case why != "" && c.setup.Provider == Keycloak:
		// A Keycloak in that cluster, or on that network, reaches it.
		c.find(finding.Fix(warn(bad(CodePodIssuer, where, "its issuer can be fetched from within alone: it "+why, "", k.Issuer)), "run Keycloak in this cluster, or publish the cluster's discovery document and keys"))
	case why != "":
		c.find(finding.Fix(bad(CodePodIssuer, where, "has an issuer that exists only in the cluster, so that "+c.setup.Provider.Title()+" cannot fetch its keys: it "+why, "", k.Issuer), "publish the cluster's discovery document and keys, and let the API server issue for that URL: --service-account-issuer"))
	}
}
