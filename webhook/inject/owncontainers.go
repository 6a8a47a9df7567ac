package inject

import (
	"slices"
	"strings"

	"github.com/podpass-io/podpass/federation/serviceaccount"
	"github.com/podpass-io/podpass/webhook/rawjson"
)

// slot is an init container of podpass's, and its place in the pod that is planned.
type slot struct {
	at    int
	value appender
}

// putContainers puts list among the pod's init containers, in place of what an earlier
// plan has put there. One that is there and does the same is kept as it is: another
// webhook may have given it another image, from the registry that it demands.
func (pl *planner) putContainers(list []container) {
	have := pl.pod.Spec.InitContainers
	slots, same := make([]slot, 0, len(list)), true
	for _, s := range pl.slots(list) {
		c := s.value.(container)
		i := named(have, c.Name)
		switch {
		case named(pl.pod.Spec.Containers, c.Name) >= 0, i >= 0 && !have[i].podpass():
			pl.fail(serviceaccount.Problem{
				Code: codeContainerName, Where: pl.whereContainer(c.Name),
				Message: "the pod has a container of that name that is not podpass's",
				Fix:     "rename it: podpass adds its own to each new pod",
			})
			return
		case i >= 0 && c.sameConfiguration(have[i]):
			s.value = rawJSON(pl.pod.rawInitContainer(i))
		default:
			i = -1
			pl.lackContainer(c.Name)
		}
		same = same && i == s.at
		slots = append(slots, s)
	}
	old := func(c podContainer) bool { return c.podpass() }
	there := 0
	for _, c := range have {
		if old(c) {
			there++
		}
	}
	switch {
	case same && there == len(slots):
	case have == nil:
		addAll(&pl.patch, "/spec/initContainers", list)
	default:
		removeStale(&pl.patch, "/spec/initContainers/", have, old)
		for _, s := range slots {
			pl.patch.add(s.value, place{"initContainers", s.at}.path())
		}
	}
}

// lackContainer notes that there was no broker, or nothing that wrote a file.
func (pl *planner) lackContainer(name string) {
	for _, d := range pl.deliveries {
		if name == brokerContainer && d.Mode == serviceaccount.ModeBroker || d.setup != nil && d.setup.Name == name {
			pl.lacking[d.Cloud] = true
		}
	}
}

// slots gives each of list its place. The broker starts where its network is there; what
// writes a file needs none, and starts first of all, but for a broker that does.
func (pl *planner) slots(list []container) []slot {
	var slots []slot
	at := 0
	for _, c := range list {
		if c.Name == brokerContainer && pl.place > 0 {
			continue
		}
		slots = append(slots, slot{at, c})
		at++
	}
	if len(slots) < len(list) { // the broker is the first of list, and not of the pod
		slots = append(slots, slot{pl.place + at, list[0]})
	}
	return slots
}

// sameConfiguration reports whether have, a container of podpass's, does what c would:
// what decides is in the environment. Its image and resources may differ, from a release
// to the next.
func (c container) sameConfiguration(have podContainer) bool {
	for _, v := range c.Env {
		if e, ok := have.env(v.Name); !ok || !v.same(e) {
			return false
		}
	}
	for _, e := range have.Env {
		if strings.HasPrefix(e.Name, "PODPASS_") && !slices.ContainsFunc(c.Env, func(v envVar) bool { return v.Name == e.Name }) {
			return false
		}
	}
	for _, m := range c.VolumeMounts {
		if !slices.Contains(have.VolumeMounts, podMount{m.Name, m.MountPath}) {
			return false
		}
	}
	return c.RestartPolicy == have.RestartPolicy
}

// rawJSON is a value of the pod, as it is there.
type rawJSON []byte

func (j rawJSON) appendJSON(b []byte) []byte { return append(b, j...) }

// rawInitContainer is the JSON of an init container.
func (p *Pod) rawInitContainer(index int) []byte {
	var raw []byte
	r := rawjson.NewReader(p.raw)
	for name := range r.Members {
		if string(name) != "spec" {
			continue
		}
		for name := range r.Members {
			if string(name) != "initContainers" {
				continue
			}
			i := 0
			for range r.Elements {
				if i == index {
					raw = r.Raw()
				}
				i++
			}
		}
	}
	return raw
}
