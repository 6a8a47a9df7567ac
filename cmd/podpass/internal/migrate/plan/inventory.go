package plan

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"

	"github.com/podpass-io/podpass/cmd/podpass/internal/migrate/graph"
	"github.com/podpass-io/podpass/cmd/podpass/internal/migrate/workload"
)

// Inventory keeps what a plan needs to know of objects beside the graph: its See is a
// collector's Seen.
type Inventory struct {
	// Workloads by what they are, as JSON, which is smaller than decoded.
	workloads map[ref][]byte
	accounts  map[ref]account
	// runs are the workloads that run as a ServiceAccount, with keys and without.
	runs map[ref][]graph.Object
}

// ref names an object, whatever the version of its API and the file that it is in.
type ref struct{ kind, namespace, name string }

func refOf(o graph.Object) ref { return ref{o.Kind, o.Namespace, o.Name} }

// account is a ServiceAccount as it is.
type account struct {
	Metadata struct {
		Annotations map[string]string `json:"annotations"`
		Labels      map[string]string `json:"labels"`
	} `json:"metadata"`
	ImagePullSecrets []pullSecret `json:"imagePullSecrets"`
}

type pullSecret struct {
	Name string `json:"name"`
}

// NewInventory gives an empty one.
func NewInventory() *Inventory {
	return &Inventory{map[ref][]byte{}, map[ref]account{}, map[ref][]graph.Object{}}
}

// See keeps an object.
func (i *Inventory) See(o graph.Object, content map[string]any) {
	b, err := json.Marshal(content)
	if err != nil {
		return // it has been JSON a moment ago
	}
	if o.Kind != "ServiceAccount" {
		i.workloads[refOf(o)] = b
		for _, t := range workload.Templates(content) {
			at := ref{"ServiceAccount", o.Namespace, t.ServiceAccount()}
			i.runs[at] = append(i.runs[at], o)
		}
		return
	}
	var a account
	if json.Unmarshal(b, &a) == nil {
		i.accounts[refOf(o)] = a
	}
}

// account of a name; ok: there is one.
func (i *Inventory) account(namespace, name string) (a account, ok bool) {
	a, ok = i.accounts[ref{"ServiceAccount", namespace, name}]
	return a, ok
}

// beside are the other workloads that run as the ServiceAccount of one, a few of them by
// name; empty: there are none.
func (i *Inventory) beside(o graph.Object, serviceAccount string) string {
	const few = 3
	var names []string
	for _, other := range i.runs[ref{"ServiceAccount", o.Namespace, serviceAccount}] {
		if name := other.Kind + " " + other.Name; refOf(other) != refOf(o) && !slices.Contains(names, name) {
			names = append(names, name)
		}
	}
	slices.Sort(names)
	if more := len(names) - few; more > 0 {
		return fmt.Sprintf("%s and %d more", strings.Join(names[:few], ", "), more)
	}
	return strings.Join(names, ", ")
}
