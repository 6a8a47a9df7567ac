package sastore

import (
	"maps"
	"strings"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/podpass-io/podpass/federation/serviceaccount"
)

// Record is what podpass reads of a ServiceAccount: the annotations and labels of
// the vocabularies, no others. Both maps may be nil; neither may be changed.
type Record struct {
	Annotations map[string]string
	Labels      map[string]string
	// Large: there is more than the store holds, and the maps are nil. GetLive gives
	// all; so does Get, which then asks the API server. Only All yields such a Record.
	Large bool
}

var (
	// bare is the one Record of all ServiceAccounts that ask for nothing.
	bare = new(Record)
	// large is the one Record of all that ask for more than is held.
	large = &Record{Large: true}
)

const (
	// maxRecord bounds what is held of one ServiceAccount, in bytes: several times what
	// three clouds take. The rare one that is larger is read when a pod needs it.
	maxRecord = 4 << 10
	// maxHeld bounds what is held of all, in bytes: a quarter of the chart's memory limit.
	// 30,000 ServiceAccounts with identities in three clouds take as much.
	maxHeld = 32 << 20
	// overhead of an entry of a map, in bytes: the headers of two strings, and room that
	// the map keeps free.
	overhead = 64
)

// newRecord keeps what podpass reads, if that is at most limit bytes; else it is large.
func newRecord(o *metav1.PartialObjectMetadata, limit int) *Record {
	r := new(Record)
	left := limit
	for _, part := range []struct {
		from map[string]string
		to   *map[string]string
	}{{o.Annotations, &r.Annotations}, {o.Labels, &r.Labels}} {
		for k, v := range part.from {
			v, ok := serviceaccount.Digest(k, v)
			if !ok {
				continue
			}
			if left -= cost(k, v); left < 0 {
				return large
			}
			if *part.to == nil {
				*part.to = map[string]string{}
			}
			// Cloned: a substring would keep the whole decoded object alive.
			if len(v) <= maxRecord {
				v = strings.Clone(v)
			}
			(*part.to)[strings.Clone(k)] = v
		}
	}
	if r.Annotations == nil && r.Labels == nil {
		return bare
	}
	return r
}

// size is what a record costs in memory, in bytes.
func (r *Record) size() int {
	n := 0
	for _, m := range []map[string]string{r.Annotations, r.Labels} {
		for k, v := range m {
			n += cost(k, v)
		}
	}
	return n
}

// cost of an entry. A value longer than a record may be is Digest's mark of one that is
// too long, and the same string for all.
func cost(key, value string) int {
	if len(value) > maxRecord {
		value = ""
	}
	return overhead + len(key) + len(value)
}

func (r *Record) equal(other *Record) bool {
	return r.Large == other.Large && maps.Equal(r.Annotations, other.Annotations) && maps.Equal(r.Labels, other.Labels)
}
