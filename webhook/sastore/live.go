package sastore

import (
	"context"
	"errors"
	"fmt"
	"time"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
)

// liveTimeout bounds a live read, with the time that it waits for its turn: it happens
// within an admission, which the API server gives up after some seconds.
const liveTimeout = 2 * time.Second

// ErrNotFound: there is no such ServiceAccount.
var ErrNotFound = errors.New("no such ServiceAccount")

type optedInKey struct{}

// OptedIn marks the context of a pod that opted in: its reads go first, and nothing that
// was remembered answers them.
func OptedIn(ctx context.Context) context.Context { return context.WithValue(ctx, optedInKey{}, true) }

// IsOptedIn reports whether ctx is marked so.
func IsOptedIn(ctx context.Context) bool { return ctx.Value(optedInKey{}) != nil }

// LiveReads is the number of reads that went to the API server.
func (s *Store) LiveReads() int64 { return s.liveReads.Load() }

// Get gives a ServiceAccount's record: from memory, or, if it is not there, from
// the API server: a pod often follows its ServiceAccount faster than a watch. That
// there is none (ErrNotFound) is remembered for some seconds. Any other error means
// that it is not known whether there is.
func (s *Store) Get(ctx context.Context, namespace, name string) (Record, error) {
	r, known := s.lookup(namespace, name)
	if known && !r.Large {
		return *r, nil
	}
	if !known && !IsOptedIn(ctx) && s.absent.has(types.NamespacedName{Namespace: namespace, Name: name}) {
		return Record{}, ErrNotFound
	}
	live, shared, err := s.live(ctx, namespace, name, false)
	if shared && errors.Is(err, ErrNotFound) {
		live, err = s.GetLive(ctx, namespace, name) // it may have been created since that read began
	}
	if err != nil && !errors.Is(err, ErrNotFound) {
		// Where reads wait for their turn, the watch may have been faster.
		if r, known := s.lookup(namespace, name); known && !r.Large {
			return *r, nil
		}
	}
	return live, err
}

// GetLive asks the API server; the errors are Get's. The answer is never older than the
// call, so that a ServiceAccount mended a moment ago is seen: callers share a read that
// begins after all of them have come. However many they are, a namespace's reads are
// bounded.
func (s *Store) GetLive(ctx context.Context, namespace, name string) (Record, error) {
	r, _, err := s.live(ctx, namespace, name, true)
	return r, err
}

// live is one read for all who call while it waits for its turn, and, unless they want a
// fresh answer, while it is under way. shared: there was more than one of them.
func (s *Store) live(ctx context.Context, namespace, name string, fresh bool) (_ Record, shared bool, err error) {
	_, known := s.lookup(namespace, name)
	group := s.group(ctx, namespace, known)
	key := fmt.Sprintf("%s/%s/%t/%t", namespace, name, group.optedIn, fresh)
	result := s.flight.DoChan(key, func() (any, error) {
		// Not the caller's context: others wait for the same read.
		ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), liveTimeout)
		defer cancel()
		release, err := s.shares.acquire(ctx, group)
		if fresh {
			s.flight.Forget(key) // who comes from now on gets the next read
		}
		if err != nil {
			return bare, err
		}
		defer release()
		return s.read(ctx, namespace, name)
	})
	select {
	case r := <-result:
		if r.Err == nil || errors.Is(r.Err, ErrNotFound) {
			return *r.Val.(*Record), r.Shared, r.Err
		}
		err = r.Err
	case <-ctx.Done():
		err = ctx.Err()
	}
	return Record{}, false, fmt.Errorf("read ServiceAccount %s/%s: %w", namespace, name, err)
}

// group is whose share a read is taken from.
func (s *Store) group(ctx context.Context, namespace string, known bool) group {
	s.mu.RLock()
	defer s.mu.RUnlock()
	if len(s.index.byName[namespace]) == 0 {
		namespace = "" // every namespace has a ServiceAccount: this one is new, or invented
	}
	return group{namespace: namespace, known: known, optedIn: IsOptedIn(ctx)}
}

func (s *Store) read(ctx context.Context, namespace, name string) (*Record, error) {
	s.liveReads.Add(1)
	o, err := s.client.Resource(serviceAccounts).Namespace(namespace).Get(ctx, name, metav1.GetOptions{})
	if apierrors.IsNotFound(err) {
		s.absent.add(types.NamespacedName{Namespace: namespace, Name: name})
		return bare, ErrNotFound
	}
	if err != nil {
		return bare, err
	}
	return newRecord(o, whole), nil
}
