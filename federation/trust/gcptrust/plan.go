package gcptrust

import (
	"cmp"
	"slices"
	"strings"

	"github.com/podpass-io/podpass/federation/gcp"
	"github.com/podpass-io/podpass/federation/trust/internal/quote"
)

// Plan is what Google Cloud must hold; it implements trust.Plan.
type Plan struct {
	// Pools are by resource name.
	Pools     []string
	Providers []PlannedProvider
	Grants    []Grant
}

// PlannedProvider is a provider for a cluster.
type PlannedProvider struct {
	Provider
	// Cluster is its name, for comments; it may be empty.
	Cluster string
}

// Grant gives a member a role on a service account, or in a project.
type Grant struct {
	// ServiceAccount is an email; with it, Project is empty.
	ServiceAccount string
	Project        string
	Role           string
	Member         string
	// Users are whom the grant is for, for comments.
	Users []string
}

// parts of a provider's name: projects, <number>, locations, <location>,
// workloadIdentityPools, <pool>, providers, <provider>.
func (p Provider) part(n int) string {
	if parts := strings.Split(p.Name, "/"); n < len(parts) {
		return parts[n]
	}
	return ""
}

func (p Provider) project() string  { return p.part(1) }
func (p Provider) location() string { return p.part(3) }
func (p Provider) poolID() string   { return p.part(5) }
func (p Provider) id() string       { return p.part(7) }

// grant adds a grant, or a user to the one that is there.
func (p *Plan) grant(g Grant) {
	for n, there := range p.Grants {
		if there.ServiceAccount == g.ServiceAccount && there.Project == g.Project && there.Role == g.Role && there.Member == g.Member {
			for _, user := range g.Users {
				if !slices.Contains(there.Users, user) {
					p.Grants[n].Users = append(p.Grants[n].Users, user)
				}
			}
			return
		}
	}
	p.Grants = append(p.Grants, g)
}

// sort makes the plan the same whatever the order of the accounts.
func (p *Plan) sort() {
	slices.Sort(p.Pools)
	slices.SortFunc(p.Providers, func(a, b PlannedProvider) int { return cmp.Compare(a.Name, b.Name) })
	slices.SortFunc(p.Grants, func(a, b Grant) int {
		return cmp.Or(cmp.Compare(a.ServiceAccount, b.ServiceAccount), cmp.Compare(a.Project, b.Project), cmp.Compare(a.Role, b.Role), cmp.Compare(a.Member, b.Member))
	})
	for n := range p.Providers {
		slices.Sort(p.Providers[n].OIDC.AllowedAudiences)
	}
	for n := range p.Grants {
		slices.Sort(p.Grants[n].Users)
	}
}

// Document is what Google Cloud holds once the plan is carried out. Of a policy it has only
// what must be in it: the rest that is there must stay.
func (p *Plan) Document() Document {
	d := Document{Pools: []Pool{}, Providers: []Provider{}, Policies: []Policy{}}
	for _, name := range p.Pools {
		d.Pools = append(d.Pools, Pool{Name: name})
	}
	for _, provider := range p.Providers {
		d.Providers = append(d.Providers, provider.Provider)
	}
	for _, g := range p.Grants {
		name := g.resource()
		if n := len(d.Policies); n == 0 || d.Policies[n-1].Resource != name {
			d.Policies = append(d.Policies, Policy{Resource: name})
		}
		policy := &d.Policies[len(d.Policies)-1]
		if n := len(policy.Bindings); n == 0 || policy.Bindings[n-1].Role != g.Role {
			policy.Bindings = append(policy.Bindings, Binding{Role: g.Role})
		}
		binding := &policy.Bindings[len(policy.Bindings)-1]
		binding.Members = append(binding.Members, g.Member)
	}
	return d
}

// JSON gives pools and providers as the IAM API takes them, and for each policy the
// bindings that it must have.
func (p *Plan) JSON() ([]byte, error) { return quote.JSON(p.Document()) }

// resource is what the grant is on. "-" stands for whichever project a service account is
// in, where its email does not tell.
func (g Grant) resource() string {
	if g.ServiceAccount == "" {
		return "projects/" + g.Project
	}
	return "projects/" + cmp.Or(gcp.ProjectOf(g.ServiceAccount), "-") + "/serviceAccounts/" + g.ServiceAccount
}
