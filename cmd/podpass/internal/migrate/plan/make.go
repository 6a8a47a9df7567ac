package plan

import (
	"slices"
	"time"

	"github.com/podpass-io/podpass/cmd/podpass/internal/migrate/graph"
	"github.com/podpass-io/podpass/federation/serviceaccount"
	"github.com/podpass-io/podpass/federation/statickey"
	"github.com/podpass-io/podpass/federation/trust"
)

// Options of Make.
type Options struct {
	Identities
	// Installation decides what the webhook makes of annotations.
	Installation serviceaccount.Installation
	// Defaults: the installation's settings are podpass's own, and not known.
	Defaults bool
	// Issuers whose tokens the clouds are to take: the cluster's, or several with the same
	// manifests.
	Issuers []trust.Cluster
	// Wanted is whether a workload is to be taken off its keys; nil: all are.
	Wanted func(graph.Object) bool
	// Fingerprint is the one that the graph was made with.
	Fingerprint func(statickey.Key) string
	// File and Release give the values of a file that the scan has read, and of a Helm
	// release; nil, or what they give is: they cannot be read.
	File    func(name string) any
	Release func(namespace, name string) any
	// Cluster, Context, Tool and Now are what the plan says of itself.
	Cluster, Context, Tool string
	Now                    time.Time
}

// Folder is a plan with the files beside it.
type Folder struct {
	Plan  *Plan
	Files map[string][]byte // by their paths within it
}

// Make plans the way of the workloads in a graph off their static keys.
func Make(g *graph.Graph, inventory *Inventory, o Options) (*Folder, error) {
	g = withUnread(g, inventory)
	m := maker{graph: g, inventory: inventory, options: o, used: used(g)}
	m.accounts = accounts{inventory: inventory, workloads: g.Workloads, keys: make([]string, len(g.Workloads)), taken: map[ref]string{}}
	for i := range g.Workloads {
		for _, c := range m.used[i] {
			if federated(c.Kind) {
				m.accounts.keys[i] += c.Fingerprint + " "
			}
		}
	}
	var drafts []*draft
	for i := 0; i < len(g.Workloads); {
		n := i + 1
		for n < len(g.Workloads) && refOf(g.Workloads[n].Object) == refOf(g.Workloads[i].Object) {
			n++
		}
		if o.Wanted == nil || o.Wanted(g.Workloads[i].Object) {
			d, err := m.draft(i, n)
			if err != nil {
				return nil, err
			}
			if d != nil {
				drafts = append(drafts, d)
			}
		}
		i = n
	}
	sortSteps(drafts)
	nameSteps(drafts)
	return m.folder(drafts)
}

type maker struct {
	graph     *graph.Graph
	inventory *Inventory
	options   Options
	accounts  accounts
	used      [][]graph.Credential // by each workload
}

// used are the credentials that each workload of a graph uses.
func used(g *graph.Graph) [][]graph.Credential {
	list := make([][]graph.Credential, len(g.Workloads))
	for _, c := range g.Credentials {
		for w := range usersOf(c) {
			list[w] = append(list[w], c)
		}
	}
	return list
}

// narrow leaves of a credential's places those that a workload uses.
func narrow(c graph.Credential, w int) graph.Credential {
	c.Places = slices.DeleteFunc(slices.Clone(c.Places), func(p graph.Place) bool {
		return !slices.ContainsFunc(p.Uses, func(u graph.Use) bool { return u.Workload == w })
	})
	return c
}

// usersOf are the workloads that use a credential.
func usersOf(c graph.Credential) map[int]bool {
	all := map[int]bool{}
	for _, p := range c.Places {
		for _, u := range p.Uses {
			all[u.Workload] = true
		}
	}
	return all
}

// users is how many they are.
func users(c graph.Credential) int { return len(usersOf(c)) }
