package sastore

import (
	"context"
	"errors"
	"fmt"
	"runtime/debug"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/watch"
	"k8s.io/client-go/tools/cache"
)

// feed is the Store as a reflector sees it: what it lists and watches by, and where
// it puts what it gets (cache.ReflectorStore). One goroutine uses it.
//
// A reflector holds all of a list before it hands it over, and so does one that
// streams: in a cluster of 100,000 ServiceAccounts that takes 200 MiB, for a store
// of 10. So the list is read here, page by page, each reduced to its records at
// once; the reflector gets the resource version to watch from, and no items.
type feed struct {
	store  *Store
	listed *index
}

// IsWatchListSemanticsUnSupported tells the reflector not to stream the list.
func (*feed) IsWatchListSemanticsUnSupported() bool { return true }

// List implements cache.Lister.
func (f *feed) List(options metav1.ListOptions) (runtime.Object, error) {
	return f.ListWithContext(context.Background(), options)
}

// ListWithContext implements cache.ListerWithContext.
func (f *feed) ListWithContext(ctx context.Context, _ metav1.ListOptions) (runtime.Object, error) {
	f.listed = newIndex()
	version, err := list(ctx, f.store.client, func(page []metav1.PartialObjectMetadata) {
		for i := range page {
			// Only this goroutine writes to the store's index, and so may read it.
			f.listed.put(&page[i], f.store.index)
		}
	})
	if err != nil {
		return nil, err
	}
	return &metav1.PartialObjectMetadataList{ListMeta: metav1.ListMeta{ResourceVersion: version}}, nil
}

// Watch implements cache.Watcher.
func (f *feed) Watch(options metav1.ListOptions) (watch.Interface, error) {
	return f.WatchWithContext(context.Background(), options)
}

// WatchWithContext implements cache.WatcherWithContext.
func (f *feed) WatchWithContext(ctx context.Context, options metav1.ListOptions) (watch.Interface, error) {
	return f.store.client.Resource(serviceAccounts).Watch(ctx, options)
}

// Replace takes what was listed into use.
func (f *feed) Replace(items []any, _ string) error {
	if len(items) > 0 {
		return errors.New("list of ServiceAccounts not by way of the feed")
	}
	f.store.mu.Lock()
	f.store.index, f.store.synced = f.listed, true
	f.store.mu.Unlock()
	f.store.heard()
	debug.FreeOSMemory() // the pages were most of what was ever needed
	return nil
}

// Add is a ServiceAccount that the watch saw created.
func (f *feed) Add(o any) error { return f.Update(o) }

// Update is one that it saw changed.
func (f *feed) Update(o any) error {
	m, err := metadataOf(o)
	if err != nil {
		return err
	}
	f.store.mu.Lock()
	defer f.store.mu.Unlock()
	f.store.index.put(m, nil)
	f.store.heard()
	return nil
}

// Delete is one that it saw deleted.
func (f *feed) Delete(o any) error {
	m, err := metadataOf(o)
	if err != nil {
		return err
	}
	f.store.mu.Lock()
	defer f.store.mu.Unlock()
	f.store.index.remove(m.Namespace, m.Name)
	f.store.heard()
	return nil
}

// Bookmark is that nothing has changed (cache.ReflectorBookmarkStore).
func (f *feed) Bookmark(string) error {
	f.store.heard()
	return nil
}

// Resync does nothing: there is nobody to tell.
func (*feed) Resync() error { return nil }

func metadataOf(o any) (*metav1.PartialObjectMetadata, error) {
	m, ok := o.(*metav1.PartialObjectMetadata)
	if !ok {
		return nil, fmt.Errorf("watch of ServiceAccounts gave a %T", o)
	}
	return m, nil
}

var _ interface {
	cache.ReflectorStore
	cache.ReflectorBookmarkStore
	cache.ListerWatcherWithContext
} = (*feed)(nil)
