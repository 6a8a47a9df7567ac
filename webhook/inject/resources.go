package inject

import (
	"regexp"

	"k8s.io/apimachinery/pkg/api/resource"
)

// ownResources are those of podpass's containers, such that the pod keeps what it
// had from its own.
//
// A pod whose every container has requests equal to limits is of QoS class
// Guaranteed: last to be evicted, and with CPUs of its own. One container that is
// not takes that away from all, so in such a pod ours requests its limits.
//
// A pod with resources of its own (pod-level resources) shares these among its
// containers. What ours would add to the sum might exceed them and get the pod
// refused; and a ResourceQuota then looks at the pod's.
func (pl *planner) ownResources() resources {
	if r := pl.pod.Spec.Resources; r != nil && len(r.Requests)+len(r.Limits) > 0 {
		return resources{}
	}
	r := pl.settings.Broker.resources()
	if pl.guaranteed() {
		return resources{Requests: r.Limits, Limits: r.Limits}
	}
	return resources(r)
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
		if request, ok := r.Requests[name]; ok && !sameQuantity(request, limit) {
			return false
		}
	}
	return true
}

// decimal is what quantities look like that are compared as numbers. Comparing
// 1e999999999 with 1 would compute it.
var decimal = regexp.MustCompile(`^[0-9.]{1,30}([a-zA-Z]{0,2}|[eE][0-9]{1,2})$`)

func sameQuantity(a, b quantity) bool {
	if a == b {
		return true
	}
	if !decimal.MatchString(string(a)) || !decimal.MatchString(string(b)) {
		return false
	}
	qa, errA := resource.ParseQuantity(string(a))
	qb, errB := resource.ParseQuantity(string(b))
	return errA == nil && errB == nil && qa.Cmp(qb) == 0
}
