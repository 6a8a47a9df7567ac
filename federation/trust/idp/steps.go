package idp

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
)

// words is a page of numbered steps.
type words struct {
	strings.Builder
	n int
}

// step is a numbered one, of one sentence or a few; lines below it are what is entered.
func (w *words) step(text string, lines ...string) {
	w.n++
	w.paragraph(fmt.Sprintf("%2d. ", w.n), text)
	for _, line := range lines {
		w.WriteString("      " + line + "\n")
	}
}

// paragraph is a text with a mark before its first line.
func (w *words) paragraph(mark, text string) {
	for _, line := range wrap(text, 86) {
		w.WriteString(mark + line + "\n")
		mark = strings.Repeat(" ", len(mark))
	}
}

// steps are words, for who does it by hand, or before and after the other forms: what has
// no API is here alone.
func (p *Plan) steps() string {
	s := p.setup
	w := &words{}
	title := s.Provider.Title() + ": people sign in to clusters"
	if s.Environment != "" {
		title += " of " + s.Environment
	}
	w.WriteString(title + "\n\n")
	switch s.Provider {
	case Keycloak:
		p.keycloakSteps(w)
	case Okta:
		p.oktaSteps(w)
	case Entra:
		p.entraSteps(w)
	case Google:
		p.googleSteps(w)
	case Auth0:
		p.auth0Steps(w)
	}
	w.WriteString("\nWhat API servers are told, as podpass trust kube reads it\n\n")
	for _, c := range s.Clusters {
		w.WriteString("  # cluster " + c.Name + "\n")
		for _, line := range s.forAPIServer(cmp.Or(c.ClientID, "CLIENT_ID")) {
			w.WriteString("  " + line + "\n")
		}
	}
	w.WriteString("\nPeople's kubeconfigs, which may ask for the scopes " + strings.Join(s.Scopes, " ") + "\n\n")
	for _, c := range s.Clusters {
		w.WriteString("  " + s.kubeconfig(c) + "\n")
	}
	w.WriteString("\nTraps\n\n")
	for _, trap := range s.traps() {
		w.paragraph("  - ", trap)
	}
	return w.String()
}

func (p *Plan) keycloakSteps(w *words) {
	s := p.setup
	w.step("A realm that is new: import it, before Keycloak runs or in the console (Create realm). An import leaves a realm alone that is there.",
		"podpass trust idp keycloak ... -o json > "+s.realm()+".json", "kc.sh import --file "+s.realm()+".json")
	w.step("A realm that is there: read the script, sign in, and run it. It can be run again.",
		"podpass trust idp keycloak ... -o shell > realm.sh", "kcadm.sh config credentials --server "+s.server()+" --realm master --user admin", "sh realm.sh")
	w.step("Put people into the groups, or let LDAP do it: Users, NAME, Groups.", s.Groups...)
	w.step("See what a token will have: Clients, NAME, Client scopes, Evaluate, Generated ID token. It must have aud, groups and email.")
	for _, pod := range s.Pods {
		w.step("Pods of "+pod.user()+" send a token with the realm's issuer as audience to the token endpoint, as client_assertion. podpass does so by a token source of its chart's values:",
			"oidc:", "  tokenSources:", "    NAME:", "      tokenURL: "+s.Issuer+"/protocol/openid-connect/token",
			"      audience: "+s.Issuer, "      grant: client-credentials", "      clientID: "+pod.name())
	}
}

func (p *Plan) oktaSteps(w *words) {
	s := p.setup
	w.step("Applications, Create App Integration, OIDC, Native Application: one for each cluster. Client authentication none, PKCE required; grants Authorization Code, Device Authorization and Refresh Token. Assign the groups.", p.asked()...)
	w.step("Security, API, Add Authorization Server, with the audience " + s.shared() + ".")
	w.step("Claims, Add Claim: name "+s.GroupsClaim+", ID Token, Always, value type Groups, filter Matches regex.", exactly(s.Groups))
	w.step("Access Policies: one policy for these clients, one rule for the grants Authorization Code and Device Authorization, the groups, and the scopes.", strings.Join(s.Scopes, " "))
	w.step("Token Preview shows what a token will have. Metadata URI, without /.well-known/..., is the issuer.")
	w.WriteString("\n-o terraform does 1 to 4.\n")
}

func (p *Plan) entraSteps(w *words) {
	s := p.setup
	w.step("App registrations, New registration: one for each cluster, in this organizational directory only, public client (mobile and desktop). Authentication: allow public client flows.", p.asked()...)
	w.step("Manifest: requestedAccessTokenVersion (accessTokenAcceptedVersion) 2, groupMembershipClaims ApplicationGroup.")
	w.step("Enterprise applications, NAME, Properties: assignment required. Users and groups: assign the groups. Their object IDs are what RBAC binds.", s.Groups...)
	if slices.ContainsFunc(s.Clusters, func(c Cluster) bool { return p.talked(c.Name) }) {
		w.step("App roles of the clusters to which pods talk: " + podsRole + " for applications, and " + peoplesRole + " for users and groups, by which these are then assigned.")
	}
	if s.GroupNames {
		w.step("Token configuration, Add groups claim, Customize: emit names of cloud groups.")
	}
	for _, pod := range s.Pods {
		c, _ := s.cluster(pod.Cluster)
		w.step("Pods of "+pod.user()+": App registrations, New registration, without redirect URI; Certificates and secrets, Federated credentials, Kubernetes.", "issuer    "+c.Issuer, "subject   "+pod.Subject(), "audience  api://AzureADTokenExchange")
	}
	w.WriteString("\n-o terraform does all of it.\n")
}

func (p *Plan) googleSteps(w *words) {
	s := p.setup
	w.step("Google Cloud console, Google Auth Platform, Branding and Audience: an app of the type Internal, so that only people of " + s.Domain + " can sign in. There is no API for it.")
	var names []string
	for _, c := range s.Clusters {
		names = append(names, "Kubernetes "+c.Name)
	}
	w.step("Clients, Create client, Desktop app: one for each cluster. Redirect URIs on localhost need not be told. Note client ID and secret.", names...)
	w.step("For the device flow besides: Create client, TVs and Limited Input devices.")
	w.step("Put the secret, which Google wants and which keeps nobody out, into a file for podpass kubeconfig, below.")
	if len(s.Groups) > 0 {
		w.step("On GKE, groups: podpass trust idp google ... -o terraform puts them into gke-security-groups@"+s.Domain+", in which GKE looks. Elsewhere bind persons.", s.Groups...)
	}
}

func (p *Plan) auth0Steps(w *words) {
	s := p.setup
	w.step("Applications, Create Application, Native: one for each cluster. Grant types Authorization Code, Device Code and Refresh Token, rotating; application metadata kubernetes = the cluster's name.", p.asked()...)
	w.step("Applications, NAME, Connections: only those of the company. Authentication, Database: disable sign-ups.")
	w.step("User Management, Roles: one for each group. Assign people.", s.Groups...)
	w.step("Actions, Library, Create Action, Login / Post Login; deploy it, and add it to the trigger.", strings.Split(strings.TrimSuffix(s.auth0Code(), "\n"), "\n")...)
	w.WriteString("\n-o terraform does all but 2.\n")
}

// asked are redirect URIs and names of what is created for clusters.
func (p *Plan) asked() []string {
	var lines []string
	for _, c := range p.setup.Clusters {
		name := "name      Kubernetes " + c.Name
		if c.ClientID != "" {
			name += ", client ID " + c.ClientID
		}
		lines = append(lines, name)
	}
	return append(lines, "redirect  "+strings.Join(p.setup.RedirectURIs, " "))
}
