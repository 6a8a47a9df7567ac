// Package sastore knows the annotations of every ServiceAccount of the cluster,
// compactly: of an annotated one what podpass reads, of any other that it exists.
package sastore

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"maps"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"golang.org/x/sync/singleflight"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	meta "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/client-go/metadata"
	"k8s.io/client-go/tools/cache"
)

var serviceAccounts = schema.GroupVersionResource{Version: "v1", Resource: "serviceaccounts"}

// Record is what podpass reads of a ServiceAccount: the annotations and labels of
// the vocabularies, no others. Both maps may be nil; neither may be changed.
type Record struct {
	Annotations map[string]string
	Labels      map[string]string
}

// bare is the one Record of all ServiceAccounts that ask for nothing.
var bare = new(Record)

// Store is fed by a watch of ServiceAccounts' metadata: the objects themselves
// would bring their secrets' names and managed fields along. It is safe for
// concurrent use.
type Store struct {
	client metadata.Interface
	// liveReads counts the reads that went to the API server.
	liveReads atomic.Int64
	flight    singleflight.Group
	// reading bounds the reads at one time: a namespace full of pods that opt in and
	// ask for nothing must not become a load on the API server.
	reading chan struct{}

	mu     sync.RWMutex
	byName index
	synced bool
}

// New gives an empty store; Run fills it.
func New(client metadata.Interface) *Store {
	return &Store{client: client, reading: make(chan struct{}, maxLiveReads), byName: index{}}
}

// Run feeds the store until ctx ends.
func (s *Store) Run(ctx context.Context) error {
	f := &feed{store: s}
	cache.NewReflectorWithOptions(f, &meta.PartialObjectMetadata{}, f, cache.ReflectorOptions{
		Name: "ServiceAccounts", TypeDescription: "ServiceAccount metadata",
	}).RunWithContext(ctx)
	return nil
}

// Synced reports whether the store has held all ServiceAccounts once.
func (s *Store) Synced() bool {
	s.mu.RLock()
	defer s.mu.RUnlock()
	return s.synced
}

// Len is the number of ServiceAccounts, and of those among them that carry a key
// of the vocabularies.
func (s *Store) Len() (all, annotated int) {
	s.mu.RLock()
	defer s.mu.RUnlock()
	for _, names := range s.byName {
		all += len(names)
		for _, r := range names {
			if r != bare {
				annotated++
			}
		}
	}
	return all, annotated
}

// All gives the ServiceAccounts known at the time of the call, in no order.
func (s *Store) All() iter.Seq2[types.NamespacedName, Record] {
	s.mu.RLock()
	namespaces := make([]string, 0, len(s.byName))
	for ns := range s.byName {
		namespaces = append(namespaces, ns)
	}
	s.mu.RUnlock()
	return func(yield func(types.NamespacedName, Record) bool) {
		for _, ns := range namespaces {
			// A namespace at a time: the caller is slow, and reviews must not wait for it.
			s.mu.RLock()
			names := maps.Clone(s.byName[ns])
			s.mu.RUnlock()
			for name, r := range names {
				if !yield(types.NamespacedName{Namespace: ns, Name: name}, *r) {
					return
				}
			}
		}
	}
}

// LiveReads is the number of reads that went to the API server.
func (s *Store) LiveReads() int64 { return s.liveReads.Load() }

// liveTimeout bounds a live read: it happens within an admission, which the API
// server gives up after some seconds.
const liveTimeout = 2 * time.Second

// maxLiveReads at one time. Each takes milliseconds.
const maxLiveReads = 16

// ErrNotFound: there is no such ServiceAccount.
var ErrNotFound = errors.New("no such ServiceAccount")

// Get gives a ServiceAccount's record: from memory, or, if it is not there, from
// the API server: a pod often follows its ServiceAccount faster than a watch.
func (s *Store) Get(ctx context.Context, namespace, name string) (Record, error) {
	s.mu.RLock()
	r, ok := s.byName[namespace][name]
	s.mu.RUnlock()
	if ok {
		return *r, nil
	}
	return s.GetLive(ctx, namespace, name)
}

// GetLive asks the API server, concurrent callers for the same ServiceAccount with
// one request.
func (s *Store) GetLive(ctx context.Context, namespace, name string) (Record, error) {
	result := s.flight.DoChan(namespace+"/"+name, func() (any, error) {
		// Not the caller's context: others wait for the same read.
		ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), liveTimeout)
		defer cancel()
		select {
		case s.reading <- struct{}{}:
			defer func() { <-s.reading }()
		case <-ctx.Done():
			return bare, fmt.Errorf("read ServiceAccount %s/%s: %d other reads are under way: %w", namespace, name, maxLiveReads, ctx.Err())
		}
		s.liveReads.Add(1)
		o, err := s.client.Resource(serviceAccounts).Namespace(namespace).Get(ctx, name, meta.GetOptions{})
		if apierrors.IsNotFound(err) {
			return bare, ErrNotFound
		}
		if err != nil {
			return bare, fmt.Errorf("read ServiceAccount %s/%s: %w", namespace, name, err)
		}
		return record(o), nil
	})
	select {
	case r := <-result:
		return *r.Val.(*Record), r.Err
	case <-ctx.Done():
		return Record{}, fmt.Errorf("read ServiceAccount %s/%s: %w", namespace, name, ctx.Err())
	}
}

// record keeps what podpass reads.
func record(o *meta.PartialObjectMetadata) *Record {
	r := &Record{Annotations: concerned(o.Annotations), Labels: concerned(o.Labels)}
	if r.Annotations == nil && r.Labels == nil {
		return bare
	}
	return r
}

func concerned(m map[string]string) map[string]string {
	var kept map[string]string
	for k, v := range m {
		prefix, _, _ := strings.Cut(k, "/")
		switch prefix {
		case "podpass.io", "eks.amazonaws.com", "azure.workload.identity", "cloud.google.com", "iam.gke.io":
			if kept == nil {
				kept = map[string]string{}
			}
			// Cloned: a substring would keep the whole decoded object alive.
			kept[strings.Clone(k)] = strings.Clone(v)
		}
	}
	return kept
}
