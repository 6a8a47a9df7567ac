package inject

import (
	"iter"
	"strconv"
)

// containers are the user's, by their place in the pod: init containers (native
// sidecars among them) and containers. Ephemeral containers are added to pods that
// run, whose volumes and sidecars can no longer change: they get nothing. A container
// without a name is passed over: validation, which comes after admission, refuses it
// with a better message than podpass has.
func (pl *planner) containers() iter.Seq2[place, *podContainer] {
	return func(yield func(place, *podContainer) bool) {
		for i := range pl.pod.Spec.InitContainers {
			c := &pl.pod.Spec.InitContainers[i]
			if c.Name != "" && !pl.ours(c.Name) && !yield(place{"initContainers", i}, c) {
				return
			}
		}
		for i := range pl.pod.Spec.Containers {
			// One that is called like ours is the user's: ours are init containers.
			if c := &pl.pod.Spec.Containers[i]; c.Name != "" && !yield(place{"containers", i}, c) {
				return
			}
		}
	}
}

// names are those of containers.
func (pl *planner) names() map[string]bool {
	names := map[string]bool{}
	for _, c := range pl.containers() {
		names[c.Name] = true
	}
	return names
}

// place is where a container is in the pod.
type place struct {
	list  string
	index int
}

// path is the place as a JSON pointer.
func (p place) path() string { return "/spec/" + p.list + "/" + strconv.Itoa(p.index) }
