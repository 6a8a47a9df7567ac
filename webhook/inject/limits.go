package inject

import (
	"cmp"
	"math"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/resource"
)

// unset is a request or limit that a container does not name.
const unset = -1

// unbounded is a bound that there is not.
const unbounded = math.MaxInt64

// allotment is a container's request and limit of one resource, in units; or the sum of
// several.
type allotment struct{ request, limit int64 }

// plus adds, as LimitRanges do: what is not named counts nothing.
func (a allotment) plus(b allotment) allotment {
	return allotment{a.request + max(b.request, 0), a.limit + max(b.limit, 0)}
}

func (a allotment) orMore(b allotment) allotment {
	return allotment{max(a.request, b.request), max(a.limit, b.limit)}
}

// demand is what LimitRanges, and resources of the pod itself, demand of one more
// container, of one resource.
type demand struct {
	// least of the request and the limit, and most.
	least, most int64
	// ratio of limit to request, at most; nil: any. Of containers: both must be there.
	ratio, containerRatio *resource.Quantity
	// request and limit must be named, or Kubernetes names them.
	request, limit bool
	// room is what the pod may have besides its other containers.
	room allotment
	// usual is what the container has where it must have something.
	usual allotment
	// usable is the limit below which none is better.
	usable int64
}

// usable limits of the broker.
var usable = map[string]int64{"cpu": 10, "memory": 32 << 20}

func (pl *planner) demand(name string, want Resources) demand {
	d := demand{most: unbounded, room: allotment{unbounded, unbounded}, usable: usable[name]}
	byDefault := DefaultResources()
	if name == "ephemeral-storage" { // its logs, which kubelet keeps some of
		byDefault = Resources{Requests: map[string]string{name: "16Mi"}, Limits: map[string]string{name: "128Mi"}}
	}
	d.usual.request = wanted(name, map[string]string{name: cmp.Or(want.Requests[name], byDefault.Requests[name])})
	d.usual.limit = wanted(name, map[string]string{name: cmp.Or(want.Limits[name], byDefault.Limits[name])})
	others := pl.allotted(name).plus(pl.given[name])
	ofPod := pl.ofPod(name)
	for _, l := range pl.pod.Around.Limits {
		switch l.Type {
		case corev1.LimitTypeContainer:
			d.ofContainer(name, l)
		case corev1.LimitTypePod:
			// What the pod itself has stands for the sum of its containers.
			q, ok := l.Max[corev1.ResourceName(name)]
			if ok && ofPod.request == unset {
				d.room.request = min(d.room.request, max(0, unitsOf(name, q)-others.request))
			}
			if ok && ofPod.limit == unset {
				d.room.limit = min(d.room.limit, max(0, unitsOf(name, q)-others.limit))
			}
			ratio, ok := l.MaxLimitRequestRatio[corev1.ResourceName(name)]
			switch {
			case !ok || ofPod.limit != unset:
			case ofPod.request != unset: // which ours does not add to
				most := int64(float64(ofPod.request) * float64(ratio.MilliValue()) / 1000)
				d.room.limit = min(d.room.limit, max(0, most-others.limit))
			default:
				d.ratio = lower(d.ratio, ratio)
			}
		default: // of volumes
		}
	}
	if ofPod.limit != unset {
		d.most = min(d.most, ofPod.limit)
	}
	if ofPod.request != unset {
		d.room.request = min(d.room.request, max(0, ofPod.request-others.request))
	}
	return d
}

func (d *demand) ofContainer(name string, l corev1.LimitRangeItem) {
	key := corev1.ResourceName(name)
	if q, ok := l.Min[key]; ok {
		d.least, d.request = max(d.least, unitsOf(name, q)), true
	}
	if q, ok := l.Max[key]; ok {
		d.most, d.limit = min(d.most, unitsOf(name, q)), true
	}
	if ratio, ok := l.MaxLimitRequestRatio[key]; ok {
		d.request, d.limit = true, true
		d.ratio, d.containerRatio = lower(d.ratio, ratio), lower(d.containerRatio, ratio)
	}
	if _, ok := l.DefaultRequest[key]; ok {
		d.request = true
	}
	if _, ok := l.Default[key]; ok {
		d.request, d.limit = true, true // a limit alone is also the request
	}
}

// lower is the stricter of two ratios, of which there may be only the second.
func lower(have *resource.Quantity, ratio resource.Quantity) *resource.Quantity {
	if have != nil && have.Cmp(ratio) <= 0 {
		return have
	}
	return &ratio
}

// ofPod is what the pod itself has of a resource.
func (pl *planner) ofPod(name string) allotment {
	a := allotment{unset, unset}
	if !pl.podLevel() || name != "cpu" && name != "memory" {
		return a
	}
	r := pl.pod.Spec.Resources
	if n, ok := units(name, r.Limits[name]); ok {
		a = allotment{n, n} // the request's default
	}
	if n, ok := units(name, r.Requests[name]); ok {
		a.request = n
	}
	return a
}

// allotted is what the pod's own containers have in all, as Kubernetes counts: init
// containers run one after the other, native sidecars from their turn on.
func (pl *planner) allotted(name string) allotment {
	var running, sidecars, initial allotment
	for at, c := range pl.containers() {
		a := allotment{unset, unset}
		if n, ok := units(name, c.Resources.Requests[name]); ok {
			a.request = n
		}
		if n, ok := units(name, c.Resources.Limits[name]); ok {
			a.limit = n
		}
		switch {
		case at.list == "containers":
			running = running.plus(a)
		case c.RestartPolicy == "Always":
			running, sidecars = running.plus(a), sidecars.plus(a)
		default:
			initial = initial.orMore(sidecars.plus(a))
		}
	}
	return running.orMore(initial)
}
