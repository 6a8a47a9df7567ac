package sastore

import (
	"context"
	"errors"
	"fmt"
	"runtime/debug"
	"strings"

	meta "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/watch"
	"k8s.io/client-go/tools/cache"
)

// index holds records by namespace and name.
type index map[string]map[string]*Record

func (x index) put(m *meta.PartialObjectMetadata) {
	names := x[m.Namespace]
	if names == nil {
		names = map[string]*Record{}
		x[strings.Clone(m.Namespace)] = names
	}
	names[strings.Clone(m.Name)] = record(m)
}

// feed is the Store as a reflector sees it: what it lists and watches by, and where
// it puts what it gets (cache.ReflectorStore). One goroutine uses it.
//
// A reflector holds all of a list before it hands it over, and so does one that
// streams: in a cluster of 100,000 ServiceAccounts that takes 200 MiB, for a store
// of 10. So the list is read here, page by page, each reduced to its records at
// once; the reflector gets the resource version to watch from, and no items.
type feed struct {
	store  *Store
	listed index
}

// pageSize bounds what of a list is in memory at one time.
const pageSize = 2000

// IsWatchListSemanticsUnSupported tells the reflector not to stream the list.
func (*feed) IsWatchListSemanticsUnSupported() bool { return true }

// List implements cache.Lister.
func (f *feed) List(options meta.ListOptions) (runtime.Object, error) {
	return f.ListWithContext(context.Background(), options)
}

// ListWithContext implements cache.ListerWithContext.
func (f *feed) ListWithContext(ctx context.Context, _ meta.ListOptions) (runtime.Object, error) {
	f.listed = index{}
	options := meta.ListOptions{Limit: pageSize}
	for {
		page, err := f.store.client.Resource(serviceAccounts).List(ctx, options)
		if err != nil {
			return nil, err
		}
		for i := range page.Items {
			f.listed.put(&page.Items[i])
		}
		if options.Continue = page.Continue; options.Continue == "" {
			return &meta.PartialObjectMetadataList{ListMeta: meta.ListMeta{ResourceVersion: page.ResourceVersion}}, nil
		}
	}
}

// Watch implements cache.Watcher.
func (f *feed) Watch(options meta.ListOptions) (watch.Interface, error) {
	return f.WatchWithContext(context.Background(), options)
}

// WatchWithContext implements cache.WatcherWithContext.
func (f *feed) WatchWithContext(ctx context.Context, options meta.ListOptions) (watch.Interface, error) {
	return f.store.client.Resource(serviceAccounts).Watch(ctx, options)
}

// Replace takes what was listed into use.
func (f *feed) Replace(items []any, _ string) error {
	if len(items) > 0 {
		return errors.New("list of ServiceAccounts not by way of the feed")
	}
	f.store.mu.Lock()
	f.store.byName, f.store.synced = f.listed, true
	f.store.mu.Unlock()
	f.listed = nil
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
	f.store.byName.put(m)
	return nil
}

// Delete is one that it saw deleted.
func (f *feed) Delete(o any) error {
	if d, ok := o.(cache.DeletedFinalStateUnknown); ok {
		o = d.Obj
	}
	m, err := metadataOf(o)
	if err != nil {
		return err
	}
	f.store.mu.Lock()
	defer f.store.mu.Unlock()
	names := f.store.byName[m.Namespace]
	delete(names, m.Name)
	if len(names) == 0 {
		delete(f.store.byName, m.Namespace)
	}
	return nil
}

// Resync does nothing: there is nobody to tell.
func (*feed) Resync() error { return nil }

func metadataOf(o any) (*meta.PartialObjectMetadata, error) {
	m, ok := o.(*meta.PartialObjectMetadata)
	if !ok {
		return nil, fmt.Errorf("watch of ServiceAccounts gave a %T", o)
	}
	return m, nil
}
