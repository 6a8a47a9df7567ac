package plan

import (
	"slices"
	"strings"

	"github.com/podpass-io/podpass/cmd/podpass/internal/migrate/graph"
	"github.com/podpass-io/podpass/federation/serviceaccount"
)

// accounts chooses ServiceAccounts.
type accounts struct {
	inventory *Inventory
	// keys are those of each workload of the graph, as one text: who has the same may have
	// the same rights.
	workloads []graph.Workload
	keys      []string
	// taken are those that were chosen, and the keys that they stand for.
	taken map[ref]string
}

// choice is a ServiceAccount that a workload shall have.
type choice struct {
	name string
	// from is the one that it takes the place of; empty: it is there already.
	from string
	has  []string // the clouds of which it has an identity already
}

// choose gives one for workload w, which has keys of some clouds: its own, unless others
// would get rights with it that they do not have. Of those that share one it stays with
// whoever has its name.
//
// A new one that is there already, and asks for just what it shall, as fits says, is of an
// earlier plan.
func (a *accounts) choose(w int, clouds []string, fits func(name string, there account) bool) choice {
	work := a.workloads[w]
	missing := slices.ContainsFunc(clouds, func(cloud string) bool { return !slices.Contains(work.Clouds, cloud) })
	own := work.ServiceAccount == work.Name && a.take(work.Namespace, work.Name, a.keys[w])
	if !missing || own || work.ServiceAccount != "default" && !a.shared(w) {
		return choice{name: work.ServiceAccount, has: work.Clouds}
	}
	for _, name := range []string{work.Name, work.Name + "-" + strings.ToLower(work.Kind)} {
		if there, ok := a.inventory.account(work.Namespace, name); a.used(work.Namespace, name) || ok && !fits(name, there) {
			continue
		}
		if a.take(work.Namespace, name, a.keys[w]) {
			return choice{name: name, from: work.ServiceAccount, has: work.Clouds}
		}
	}
	return choice{from: work.ServiceAccount}
}

// take takes a name for some keys; false: it stands for others.
func (a *accounts) take(namespace, name, keys string) bool {
	at := ref{"ServiceAccount", namespace, name}
	if have, ok := a.taken[at]; ok && have != keys {
		return false
	}
	a.taken[at] = keys
	return true
}

// shared: another workload with other keys has the same ServiceAccount.
func (a *accounts) shared(w int) bool {
	for i, other := range a.workloads {
		if other.Namespace == a.workloads[w].Namespace && other.ServiceAccount == a.workloads[w].ServiceAccount && a.keys[i] != a.keys[w] {
			return true
		}
	}
	return false
}

func (a *accounts) used(namespace, name string) bool {
	return slices.ContainsFunc(a.workloads, func(w graph.Workload) bool { return w.Namespace == namespace && w.ServiceAccount == name })
}

// identities are the annotations of a ServiceAccount that ask for some.
func identities(of account) map[string]string {
	asks := map[string]string{}
	for key, value := range of.Metadata.Annotations {
		if _, ok := serviceaccount.Digest(key, value); ok {
			asks[key] = value
		}
	}
	return asks
}
