package inject

import (
	"slices"

	"github.com/podpass-io/podpass/federation/serviceaccount"
)

// ownResources are those of one of podpass's containers, such that the pod keeps what it
// had from its own: that it is admitted, and its QoS class.
//
// A pod whose every container has requests equal to limits is of QoS class
// Guaranteed: last to be evicted, and with CPUs of its own. One container that is
// not takes that away from all, so in such a pod ours requests its limits.
//
// A pod with resources of its own (pod-level resources) shares these among its
// containers. What ours would add to the sum might exceed them and get the pod
// refused; and a ResourceQuota then looks at the pod's. There ours says no more than
// what a LimitRange would otherwise say for it.
func (pl *planner) ownResources() resources {
	want, guaranteed := pl.wantedResources(), pl.guaranteed()
	if guaranteed {
		want.Requests = want.Limits
	}
	if len(pl.pod.Around.Limits) == 0 {
		if pl.podLevel() {
			return resources{}
		}
		return resources{Requests: want.Requests, Limits: want.Limits}
	}
	own := resources{Requests: map[string]string{}, Limits: map[string]string{}}
	for _, name := range limitable(want) {
		a := allotment{unset, unset}
		if !pl.podLevel() {
			a = allotment{wanted(name, want.Requests), wanted(name, want.Limits)}
		}
		fitted, ok := pl.demand(name, want).fit(a, guaranteed)
		switch {
		case !ok:
			pl.warnNoRoom(name)
		case guaranteed && a.limit > 0 && fitted.limit == 0:
			pl.warnNotGuaranteed(name)
		}
		say(own.Requests, name, fitted.request, want.Requests)
		say(own.Limits, name, fitted.limit, want.Limits)
		pl.given[name] = pl.given[name].plus(fitted)
	}
	return own
}

// wantedResources are the installation's for the pod's namespace, with what the pod or
// its ServiceAccount asks for.
func (pl *planner) wantedResources() Resources {
	asked := Resources{Requests: map[string]string{}, Limits: map[string]string{}}
	for of, text := range pl.answer.BrokerResources {
		if of.Limit {
			asked.Limits[of.Name] = text
		} else {
			asked.Requests[of.Name] = text
		}
	}
	return asked.over(pl.settings.Broker.resources(pl.pod.Metadata.Namespace))
}

// limitable are the resources of want, and those that a LimitRange may demand of any
// container.
func limitable(want Resources) []string {
	names := []string{"cpu", "memory", "ephemeral-storage"}
	for _, list := range []map[string]string{want.Requests, want.Limits} {
		for name := range list {
			if !slices.Contains(names, name) {
				names = append(names, name)
			}
		}
	}
	return names
}

// wanted is a quantity in units.
func wanted(name string, list map[string]string) int64 {
	n, ok := units(name, quantity(list[name]))
	if !ok {
		return unset
	}
	return n
}

// say puts n into list, in the administrator's own spelling if it is what that says.
func say(list map[string]string, name string, n int64, spelled map[string]string) {
	switch {
	case n == unset:
	case n == wanted(name, spelled):
		list[name] = spelled[name]
	default:
		list[name] = inUnits(name, n)
	}
}

// warnNoRoom does not make the pod direct by itself, as it does where a broker cannot be:
// whether the application may have the tokens is not for a LimitRange to say, which
// somebody may change the next day.
func (pl *planner) warnNoRoom(name string) {
	fix := "give the pod's containers less, or ask whoever keeps the namespace's LimitRange or the pod's own resources to allow for one more container"
	if pl.answer.GCP == nil && pl.answer.Kube == nil { // whose direct mode has a container, too
		fix += "; or set podpass.io/mode: direct on the pod, by which it gets no container, and the application the tokens"
	}
	pl.warnOnce(serviceaccount.Problem{
		Code: codeLimitRange, Where: pl.where(), Value: name,
		Message: "the limits of its namespace leave nothing of this resource for podpass's container, so that Kubernetes will refuse the pod",
		Fix:     fix,
	})
}

func (pl *planner) warnNotGuaranteed(name string) {
	pl.warnOnce(serviceaccount.Problem{
		Code: codeLimitRange, Where: pl.where(), Value: name,
		Message: "the pod's containers use up what its namespace's LimitRange allows a pod, so that podpass's has no limit, and the pod is Burstable where it was Guaranteed",
		Fix:     "give the pod's containers less, or ask whoever keeps the LimitRange to allow for one more container",
	})
}

// podLevel reports whether the pod has resources of its own.
func (pl *planner) podLevel() bool {
	r := pl.pod.Spec.Resources
	return r != nil && len(r.Requests)+len(r.Limits) > 0
}

// guaranteed reports whether the user's containers make the pod Guaranteed.
func (pl *planner) guaranteed() bool {
	for _, c := range pl.containers() {
		if !c.Resources.guaranteed() {
			return false
		}
	}
	return true
}

func (r podResources) guaranteed() bool {
	for _, name := range []string{"cpu", "memory"} {
		limit, ok := r.Limits[name]
		if !ok {
			return false
		}
		// A request that is missing defaults to the limit.
		if request, ok := r.Requests[name]; ok && !sameQuantity(name, request, limit) {
			return false
		}
	}
	return true
}

func sameQuantity(name string, a, b quantity) bool {
	if a == b {
		return true
	}
	na, okA := units(name, a)
	nb, okB := units(name, b)
	return okA && okB && na == nb
}
