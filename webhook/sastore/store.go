// Package sastore knows the annotations of every ServiceAccount of the cluster,
// compactly: of an annotated one what podpass reads, of any other that it exists.
//
// What it holds is bounded, whatever people write into ServiceAccounts. What it does
// not hold, or does not know yet, it reads from the API server; these live reads are
// bounded too, and shared out among namespaces.
package sastore

import (
	"context"
	"iter"
	"maps"
	"sync"
	"sync/atomic"
	"time"

	"golang.org/x/sync/singleflight"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/client-go/metadata"
	"k8s.io/client-go/rest"
	"k8s.io/client-go/tools/cache"
)

var serviceAccounts = schema.GroupVersionResource{Version: "v1", Resource: "serviceaccounts"}

// Store is fed by a watch of ServiceAccounts' metadata: the objects themselves
// would bring their secrets' names along. It is safe for concurrent use.
type Store struct {
	client    metadata.Interface
	liveReads atomic.Int64
	lastHeard atomic.Int64 // in nanoseconds since 1970; 0: never
	flight    singleflight.Group
	shares    *shares
	absent    absences

	mu     sync.RWMutex
	index  *index // written by the feed alone
	synced bool
}

// NewForConfig gives an empty store; Start fills it.
func NewForConfig(config *rest.Config) (*Store, error) {
	config = rest.CopyConfig(config)
	config.Wrap(boundAnswers)
	client, err := metadata.NewForConfig(config)
	if err != nil {
		return nil, err
	}
	return New(client), nil
}

// New is NewForConfig for a client that is there: the bytes of a page are not bounded.
func New(client metadata.Interface) *Store {
	return &Store{client: client, shares: newShares(), index: newIndex()}
}

// Start feeds the store until ctx ends.
func (s *Store) Start(ctx context.Context) error {
	f := &feed{store: s}
	cache.NewReflectorWithOptions(f, &metav1.PartialObjectMetadata{}, f, cache.ReflectorOptions{
		Name: "ServiceAccounts", TypeDescription: "ServiceAccount metadata",
	}).RunWithContext(ctx)
	return nil
}

// NeedLeaderElection is false: every replica answers reviews. With Start it makes the
// store a runnable of a controller-runtime manager.
func (*Store) NeedLeaderElection() bool { return false }

// Synced reports whether the store has held all ServiceAccounts once.
func (s *Store) Synced() bool {
	s.mu.RLock()
	defer s.mu.RUnlock()
	return s.synced
}

// LastHeard is when the watch last said anything, be it that nothing has changed, which
// an API server says about once a minute; the zero time: never.
func (s *Store) LastHeard() time.Time {
	if n := s.lastHeard.Load(); n != 0 {
		return time.Unix(0, n)
	}
	return time.Time{}
}

func (s *Store) heard() { s.lastHeard.Store(time.Now().UnixNano()) }

// Len is the number of ServiceAccounts, and of those among them that carry a key
// of the vocabularies.
func (s *Store) Len() (all, annotated int) {
	s.mu.RLock()
	defer s.mu.RUnlock()
	for _, names := range s.index.byName {
		all += len(names)
		for _, r := range names {
			if r != bare {
				annotated++
			}
		}
	}
	return all, annotated
}

// All gives the ServiceAccounts known at the time of the call, in no order. Of those
// whose Record is Large, it says no more.
func (s *Store) All() iter.Seq2[types.NamespacedName, Record] {
	s.mu.RLock()
	namespaces := make([]string, 0, len(s.index.byName))
	for ns := range s.index.byName {
		namespaces = append(namespaces, ns)
	}
	s.mu.RUnlock()
	return func(yield func(types.NamespacedName, Record) bool) {
		for _, ns := range namespaces {
			// A namespace at a time: the caller is slow, and reviews must not wait for it.
			s.mu.RLock()
			names := maps.Clone(s.index.byName[ns])
			s.mu.RUnlock()
			for name, r := range names {
				if !yield(types.NamespacedName{Namespace: ns, Name: name}, *r) {
					return
				}
			}
		}
	}
}

// lookup is what is in memory.
func (s *Store) lookup(namespace, name string) (r *Record, known bool) {
	s.mu.RLock()
	defer s.mu.RUnlock()
	return s.index.get(namespace, name)
}
