package gcpapi

import (
	"context"
	"strconv"
	"strings"

	"github.com/podpass-io/podpass/federation/gcp"
)

// Instance is what the server says of the machine; what is empty it does not know.
type Instance struct {
	ID   uint64
	Name string
	Zone string // its name, "europe-west3-a"
}

const accountsPath = "instance/service-accounts/"

// tree is what the server knows of the pod. It never changes, but for an account
// that is named after the token's subject.
func (h *Handler) tree(ctx context.Context) *node {
	if h.Identity.PrincipalAsEmail {
		return h.grow(ctx)
	}
	h.once.Do(func() { h.grown = h.grow(ctx) })
	return h.grown
}

func (h *Handler) grow(ctx context.Context) *node {
	instance := []node{}
	if a := attributes(h.Identity.Provider); len(a) > 0 {
		instance = append(instance, directory("attributes", a...))
	}
	if id := h.Instance.ID; id != 0 {
		instance = append(instance, node{name: "id", value: id})
	}
	if name := h.Instance.Name; name != "" {
		instance = append(instance, node{name: "name", value: name})
	}
	accounts := directory("service-accounts", h.accounts(ctx)...)
	accounts.key = "serviceAccounts"
	instance = append(instance, accounts)
	if zone := h.Instance.Zone; zone != "" {
		number := strconv.FormatUint(projectNumber(h.Identity.Provider), 10)
		instance = append(instance, node{name: "zone", value: "projects/" + number + "/zones/" + zone})
	}

	project := []node{{name: "numeric-project-id", key: "numericProjectId", value: projectNumber(h.Identity.Provider)}}
	if id := h.Identity.Project; id != "" {
		project = append(project, node{name: "project-id", key: "projectId", value: id})
	}
	universe := h.Universe
	if universe == "" {
		universe = gcp.DefaultUniverse
	}
	root := directory("",
		directory("instance", instance...),
		directory("project", project...),
		directory("universe",
			node{name: "universe-domain", key: "universeDomain", value: universe},
			node{name: "universe_domain", value: universe, alias: true})) // its name in older clients
	return &root
}

// accounts are one account under its two names.
func (h *Handler) accounts(ctx context.Context) []node {
	email := h.email(ctx)
	properties := []node{
		{name: "aliases", value: []string{"default"}},
		{name: "email", value: email},
		{name: "identity", serve: h.identity},
		{name: "scopes", value: []string{gcp.CloudPlatform}},
		{name: "token", serve: h.accessToken},
	}
	names := []node{directory("default", properties...), directory(email, properties...)}
	if collapsed := strings.ReplaceAll(email, "://", ":/"); collapsed != email {
		// Python's urllib makes one slash of the two in "principal://".
		alias := directory(collapsed, properties...)
		alias.alias = true
		names = append(names, alias)
	}
	return names
}

// email is the account's name: the service account's; under direct access the
// principal, if that was annotated, or a name like GKE's. Never "default", with
// which gcloud finds no account.
func (h *Handler) email(ctx context.Context) string {
	switch {
	case h.Identity.ServiceAccount != "":
		return h.Identity.ServiceAccount
	case h.Identity.PrincipalAsEmail:
		return h.Principal(ctx)
	}
	if pool, _, ok := gcp.IdentityNamespace(h.Identity.Provider); ok {
		return pool // on GKE, this is what the name is like
	}
	if h.Identity.Project != "" {
		return h.Identity.Project + ".svc.id.goog"
	}
	return strconv.FormatUint(projectNumber(h.Identity.Provider), 10) + ".svc.id.goog"
}

// projectNumber is the number in the provider's name; 0 where it has none, since
// gcloud wants digits to believe that it is on GCE.
func projectNumber(provider string) uint64 {
	_, rest, _ := strings.Cut(provider, "/projects/")
	text, _, _ := strings.Cut(rest, "/")
	number, err := strconv.ParseUint(text, 10, 64)
	if err != nil {
		return 0
	}
	return number
}

// attributes are a GKE cluster's name and location, which its identity provider
// tells: https://container.googleapis.com/v1/projects/<project>/locations/
// <location>/clusters/<name>. Logging and tracing libraries label with them.
func attributes(provider string) []node {
	_, issuer, _ := gcp.IdentityNamespace(provider)
	_, path, _ := strings.Cut(issuer, "/locations/")
	location, name, _ := strings.Cut(path, "/clusters/")
	if location == "" || name == "" || strings.Contains(location+name, "/") {
		return nil
	}
	return []node{{name: "cluster-location", value: location}, {name: "cluster-name", value: name}}
}
