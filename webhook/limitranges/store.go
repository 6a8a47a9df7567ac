// Package limitranges knows the LimitRanges of all namespaces, from memory: what they
// demand of containers decides what podpass's own request.
package limitranges

import (
	"context"
	"log/slog"
	"sync/atomic"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/watch"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/tools/cache"

	"github.com/podpass-io/podpass/webhook/inject"
)

// maxItems of a namespace are looked at, for each pod. Nobody has use for more than a few.
const maxItems = 64

// Store is safe for concurrent use.
type Store struct {
	client kubernetes.Interface
	log    *slog.Logger
	known  cache.Indexer
	// tried: listed once, or not to be had for now.
	tried atomic.Bool
}

// New gives a Store that knows nothing until it is started.
func New(client kubernetes.Interface, log *slog.Logger) *Store {
	return &Store{
		client: client, log: log,
		known: cache.NewIndexer(cache.MetaNamespaceKeyFunc, cache.Indexers{cache.NamespaceIndex: cache.MetaNamespaceIndexFunc}),
	}
}

// Start feeds the store until ctx ends.
func (s *Store) Start(ctx context.Context) error {
	cache.NewReflectorWithOptions(source{s}, &corev1.LimitRange{}, target{s.known, s}, cache.ReflectorOptions{Name: "LimitRanges"}).RunWithContext(ctx)
	return nil
}

// NeedLeaderElection is false: every replica answers reviews.
func (*Store) NeedLeaderElection() bool { return false }

// Synced reports whether the store has held all LimitRanges once, or could not list
// them: then pods are planned as if there were none, which is better than not at all.
func (s *Store) Synced() bool { return s.tried.Load() }

// Around gives what is known of a namespace. Its parts must not be changed.
func (s *Store) Around(namespace string) inject.Around {
	var a inject.Around
	all, err := s.known.ByIndex(cache.NamespaceIndex, namespace)
	if err != nil {
		s.log.Error("Look-up of LimitRanges failed", "namespace", namespace, "error", err) // a misnamed index
		return a
	}
	for _, o := range all {
		if l, ok := o.(*corev1.LimitRange); ok {
			a.Limits = within(a.Limits, l.Spec.Limits)
		}
	}
	return a
}

// Of is what a Store would give of a namespace that has these LimitRanges.
func Of(list []corev1.LimitRange) inject.Around {
	var a inject.Around
	for _, l := range list {
		reduce(&l)
		a.Limits = within(a.Limits, l.Spec.Limits)
	}
	return a
}

// within adds those of one more LimitRange, if they are not too many.
func within(limits, more []corev1.LimitRangeItem) []corev1.LimitRangeItem {
	if len(limits)+len(more) > maxItems {
		return limits
	}
	return append(limits, more...)
}

// source is what the reflector lists and watches by.
type source struct{ *Store }

// IsWatchListSemanticsUnSupported tells the reflector not to stream the list: whether
// there is an answer to one is to be known.
func (source) IsWatchListSemanticsUnSupported() bool { return true }

// ListWithContext implements cache.ListerWithContext.
func (s source) ListWithContext(ctx context.Context, o metav1.ListOptions) (runtime.Object, error) {
	list, err := s.client.CoreV1().LimitRanges(metav1.NamespaceAll).List(ctx, o)
	if err != nil {
		if ctx.Err() == nil {
			s.log.Warn("LimitRanges cannot be listed; pods are planned without", "error", err)
		}
		s.tried.Store(true)
		return nil, err
	}
	for i := range list.Items {
		reduce(&list.Items[i])
	}
	return list, nil
}

// WatchWithContext implements cache.WatcherWithContext.
func (s source) WatchWithContext(ctx context.Context, o metav1.ListOptions) (watch.Interface, error) {
	return s.client.CoreV1().LimitRanges(metav1.NamespaceAll).Watch(ctx, o)
}

// List implements cache.Lister.
func (s source) List(o metav1.ListOptions) (runtime.Object, error) {
	return s.ListWithContext(context.Background(), o)
}

// Watch implements cache.Watcher.
func (s source) Watch(o metav1.ListOptions) (watch.Interface, error) {
	return s.WatchWithContext(context.Background(), o)
}

// target is where the reflector puts what it gets.
type target struct {
	cache.Indexer
	store *Store
}

// Add is a LimitRange that the watch saw created.
func (t target) Add(o any) error { return t.Indexer.Add(reduced(o)) }

// Update is one that it saw changed.
func (t target) Update(o any) error { return t.Indexer.Update(reduced(o)) }

// Replace takes what was listed into use.
func (t target) Replace(list []any, version string) error {
	err := t.Indexer.Replace(list, version)
	t.store.tried.Store(true)
	return err
}

func reduced(o any) any {
	if l, ok := o.(*corev1.LimitRange); ok {
		reduce(l)
	}
	return o
}

// reduce leaves of a LimitRange what is of pods and containers.
func reduce(l *corev1.LimitRange) {
	l.ObjectMeta = metav1.ObjectMeta{Namespace: l.Namespace, Name: l.Name, UID: l.UID, ResourceVersion: l.ResourceVersion}
	var kept []corev1.LimitRangeItem
	for _, item := range l.Spec.Limits {
		if item.Type == corev1.LimitTypeContainer || item.Type == corev1.LimitTypePod {
			kept = append(kept, item)
		}
	}
	l.Spec.Limits = kept
}
