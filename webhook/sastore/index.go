package sastore

import (
	"math"
	"strings"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

// index holds records by namespace and name, and how many bytes they are.
type index struct {
	byName map[string]map[string]*Record
	held   int
}

func newIndex() *index { return &index{byName: map[string]map[string]*Record{}} }

func (x *index) get(namespace, name string) (*Record, bool) {
	r, ok := x.byName[namespace][name]
	return r, ok
}

// put takes a ServiceAccount in. before, if not nil, is an index whose records are used
// again where nothing has changed: while all are listed anew, both are in memory.
func (x *index) put(o *metav1.PartialObjectMetadata, before *index) {
	r := newRecord(o, min(maxRecord, maxHeld-x.held))
	if before != nil {
		if old, ok := before.get(o.Namespace, o.Name); ok && old.equal(r) {
			r = old
		}
	}
	names := x.byName[o.Namespace]
	if names == nil {
		names = map[string]*Record{}
		x.byName[strings.Clone(o.Namespace)] = names
	}
	if old, ok := names[o.Name]; ok {
		x.held -= old.size()
	}
	names[strings.Clone(o.Name)] = r
	x.held += r.size()
}

func (x *index) remove(namespace, name string) {
	names := x.byName[namespace]
	if r, ok := names[name]; ok {
		x.held -= r.size()
	}
	delete(names, name)
	if len(names) == 0 {
		delete(x.byName, namespace)
	}
}

// whole is the limit of a record that is not held.
const whole = math.MaxInt
