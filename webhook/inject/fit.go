package inject

import "k8s.io/apimachinery/pkg/api/resource"

// fit makes of what a container would have what it may have, and as little more or less
// as may be; guaranteed: its request is its limit. false: there is none that meets all
// demands.
func (d demand) fit(a allotment, guaranteed bool) (allotment, bool) {
	asked := a.limit
	if a.limit == unset && d.limit {
		a.limit = d.usual.limit
	}
	if a.request == unset && (d.request || d.ratio != nil && a.limit > 0) {
		a.request = d.usual.request
	}
	if a.limit != unset {
		a.limit = min(max(a.limit, d.least), d.most)
		if a.limit > d.room.limit || guaranteed && a.limit > d.room.request {
			a.limit = d.room.limit
			if guaranteed {
				a.limit = min(a.limit, d.room.request)
			}
		}
	}
	if a.request != unset {
		a.request = min(max(a.request, d.least), d.room.request)
		switch {
		case guaranteed && a.limit != unset:
			a.request = a.limit
		case a.limit != unset:
			a.request = min(a.request, a.limit)
		}
	}
	a = d.withinRatio(a)
	if a.limit < min(asked, d.usable, d.most) && d.least == 0 && d.containerRatio == nil {
		// No limit, in the way that a quota takes for one, rather than one with which the
		// broker cannot work.
		return allotment{0, 0}, true
	}
	return a, d.met(a)
}

// withinRatio raises the request to what the limit demands; as far as there is room, and
// then lowers the limit.
func (d demand) withinRatio(a allotment) allotment {
	if d.ratio == nil || a.limit <= 0 {
		return a
	}
	if exceeds(a, d.ratio) {
		a.request = max(a.request, int64(float64(a.limit)*1000/float64(d.ratio.MilliValue())))
		for exceeds(a, d.ratio) && a.request < a.limit {
			a.request++
		}
	}
	if a.request > d.room.request {
		a.request = d.room.request
		a.limit = min(a.limit, int64(float64(a.request)*float64(d.ratio.MilliValue())/1000))
		for exceeds(a, d.ratio) && a.limit > a.request {
			a.limit--
		}
	}
	return a
}

// exceeds reports whether the limit is more times the request than may be, as
// Kubernetes computes it: in floating point.
func exceeds(a allotment, ratio *resource.Quantity) bool {
	return a.request <= 0 || float64(a.limit)/float64(a.request)*1000 > float64(ratio.MilliValue())
}

// met asks for what fit could not heed: it never gives more than there is room for.
func (d demand) met(a allotment) bool {
	switch {
	case a.request == unset && d.request || a.limit == unset && d.limit:
		return false
	case a.request != unset && (a.request < d.least || a.request > d.most):
		return false
	case a.limit != unset && (a.limit < d.least || a.request > a.limit):
		return false
	case d.containerRatio != nil && (a.request <= 0 || a.limit <= 0):
		return false
	}
	return d.ratio == nil || a.limit <= 0 || !exceeds(a, d.ratio)
}
