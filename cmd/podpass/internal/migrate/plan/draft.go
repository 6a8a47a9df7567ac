package plan

import (
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"slices"

	"github.com/podpass-io/podpass/cmd/podpass/internal/hint"
	"github.com/podpass-io/podpass/cmd/podpass/internal/migrate/edit"
	"github.com/podpass-io/podpass/cmd/podpass/internal/migrate/graph"
	"github.com/podpass-io/podpass/cmd/podpass/internal/migrate/workload"
	"github.com/podpass-io/podpass/federation/serviceaccount"
)

// draft is a step and what its files are made of.
type draft struct {
	Step
	object      []byte
	changes     []edit.Change // one for each removal
	credentials []graph.Credential
	// places that hold the same keys and are no objects of a cluster: files, releases.
	values      []graph.Place
	pullSecrets []pullSecret
	answer      serviceaccount.Answer
	asked       []string // clouds in which it gets an identity
	application bool
	turn, users int
}

// draft of the step for one object, of which the graph has the workloads from first to
// end: one for each pod template; nil: it uses no key.
func (m *maker) draft(first, end int) (*draft, error) {
	w := m.graph.Workloads[first]
	d := &draft{Step: Step{Workload: w.Object, Manager: w.Owner}}
	m.takes(d, first, end)
	if len(d.credentials) == 0 {
		return nil, nil
	}
	var clouds []string
	var replaced []graph.Credential
	for i := first; i < end; i++ {
		for _, c := range d.credentials {
			if usersOf(c)[i] && federated(c.Kind) {
				replaced, clouds = append(replaced, narrow(c, i)), append(clouds, c.Cloud)
			}
		}
		if m.graph.Workloads[i].ServiceAccount != w.ServiceAccount {
			d.ByHand = append(d.ByHand, fmt.Sprintf("its pod templates have the ServiceAccounts %s and %s: a step knows one", w.ServiceAccount, m.graph.Workloads[i].ServiceAccount))
		}
	}
	m.account(d, first, replaced, clouds)
	return d, m.removals(d, first, end)
}

// takes decides which credentials a workload is taken off: those that an identity takes the
// place of. The others stay then, so that they do not keep it from that; if there are only
// such, a person has to do it.
func (m *maker) takes(d *draft, first, end int) {
	var stays []graph.Credential
	for i := first; i < end; i++ {
		for _, c := range m.used[i] {
			list := &d.credentials
			if !federated(c.Kind) {
				list = &stays
			}
			if !slices.ContainsFunc(*list, func(have graph.Credential) bool { return have.Fingerprint == c.Fingerprint }) {
				*list = append(*list, c)
			}
		}
	}
	for _, c := range stays {
		if len(d.credentials) > 0 {
			d.Notes = append(d.Notes, "stays: "+other(c))
		} else {
			d.ByHand = append(d.ByHand, other(c))
		}
	}
	if len(d.credentials) == 0 {
		d.credentials = stays
	}
	for _, c := range d.credentials {
		d.users = max(d.users, users(c))
		for _, p := range c.Places {
			d.place(c, p, first, end)
		}
	}
}

// place adds one in which a credential of the step is kept.
func (d *draft) place(c graph.Credential, p graph.Place, first, end int) {
	switch {
	case slices.ContainsFunc(p.Uses, func(u graph.Use) bool { return first <= u.Workload && u.Workload < end }):
		d.Keys = append(d.Keys, Key{Cloud: c.Cloud, Kind: c.Kind, ID: c.ID, Object: p.Object, Keys: p.Keys})
		if p.From != nil {
			d.Notes = append(d.Notes, fmt.Sprintf("%s is made by %s, and it is this that has to go in the end", p.Object, p.From))
		}
	case len(p.Uses) == 0:
		d.values = append(d.values, p)
	}
}

// account chooses the ServiceAccount and what it asks for.
func (m *maker) account(d *draft, w int, replaced []graph.Credential, clouds []string) {
	work := m.graph.Workloads[w]
	d.ServiceAccount = ServiceAccount{Namespace: work.Namespace, Name: work.ServiceAccount, Annotations: map[string]string{}}
	if len(replaced) == 0 {
		return
	}
	c := m.accounts.choose(w, clouds, func(name string, there account) bool {
		asked := m.options.identity(replaced, work.Clouds, work.Namespace, name).annotations
		return len(asked) > 0 && maps.Equal(asked, identities(there))
	})
	if c.name == "" {
		d.ByHand = append(d.ByHand, "there are ServiceAccounts of all names that it could have: make one, and give it to the workload first")
		return
	}
	asked := m.options.identity(replaced, c.has, work.Namespace, c.name)
	d.application = asked.application
	d.asked = slices.DeleteFunc(clouds, func(cloud string) bool { return slices.Contains(c.has, cloud) })
	d.ByHand = append(d.ByHand, asked.byHand...)
	d.ServiceAccount.Name, d.ServiceAccount.Annotations = c.name, asked.annotations
	have, _ := m.inventory.account(work.Namespace, work.ServiceAccount)
	all := identities(have)
	if c.from != "" {
		d.ServiceAccount.New, d.ServiceAccount.From = true, c.from
		d.pullSecrets = have.ImagePullSecrets
		d.Notes = append(d.Notes, fmt.Sprintf("ServiceAccount %s is new: RoleBindings of %s do not count for it; see what those allow with kubectl auth can-i --list -n %s --as system:serviceaccount:%s:%s",
			c.name, c.from, work.Namespace, work.Namespace, c.from))
		for key, value := range all {
			d.ServiceAccount.Annotations[key] = cmp.Or(d.ServiceAccount.Annotations[key], value)
		}
	}
	if beside := m.inventory.beside(d.Workload, c.name); beside != "" && c.from == "" && len(asked.annotations) > 0 {
		d.Notes = append(d.Notes, fmt.Sprintf("ServiceAccount %s is also that of %s: the identity is theirs, too, as long as they run as it", c.name, beside))
	}
	maps.Copy(all, d.ServiceAccount.Annotations)
	d.answer = serviceaccount.Resolve(serviceaccount.Request{
		Namespace: work.Namespace, Name: c.name, Annotations: all, Labels: have.Metadata.Labels, AnyPod: true,
	}, m.options.Installation)
	for _, p := range d.answer.Errors {
		d.ByHand = append(d.ByHand, denied(p, m.options.Defaults))
	}
}

// denied says why the webhook would deny the pods, and what to do.
func denied(p serviceaccount.Problem, defaults bool) string {
	err := hint.Problems([]serviceaccount.Problem{p}, defaults)
	if next, ok := errors.AsType[interface {
		error
		Hint() string
	}](err); ok {
		return err.Error() + ": " + next.Hint()
	}
	return err.Error()
}

// removals of all pod templates, and the changes that they make.
func (m *maker) removals(d *draft, first, end int) error {
	d.object = m.inventory.workloads[refOf(d.Workload)]
	if d.object == nil {
		d.ByHand = append(d.ByHand, d.Workload.String()+" makes pods without a pod template of its own: change what it makes them of")
		return nil
	}
	var object map[string]any
	if err := json.Unmarshal(d.object, &object); err != nil {
		return err
	}
	d.turn = turn(d.Workload.Kind, replicas(object))
	templates := workload.Templates(object)
	for i := first; i < end; i++ {
		w := m.graph.Workloads[i]
		at := slices.IndexFunc(templates, func(t workload.Template) bool { return t.Pointer == w.Template })
		if at < 0 {
			continue
		}
		r := newRemover(w.Object, templates[at], annotations(object), m.options.Fingerprint)
		for _, c := range d.credentials {
			for _, p := range narrow(c, i).Places {
				r.take(c, p)
			}
		}
		removal, ok := r.removal()
		d.Notes, d.ByHand = append(d.Notes, r.said...), append(d.ByHand, r.byHand...)
		if !ok {
			continue
		}
		change, err := edit.Patch(d.object, removal)
		if err != nil {
			return fmt.Errorf("%s: %w", d.Workload, err)
		}
		d.Removals, d.changes = append(d.Removals, removal), append(d.changes, change)
		d.ByHand, d.Notes = append(d.ByHand, change.Left...), append(d.Notes, change.Dangling...)
	}
	d.Notes, d.ByHand = graph.Names(d.Notes), graph.Names(d.ByHand)
	var err error
	d.From, err = Digest(object, d.Removals)
	return err
}

// annotations of an object itself.
func annotations(object map[string]any) map[string]string {
	meta, _ := object["metadata"].(map[string]any)
	list, _ := meta["annotations"].(map[string]any)
	all := map[string]string{}
	for name, v := range list {
		all[name], _ = v.(string)
	}
	return all
}
