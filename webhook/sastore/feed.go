package sastore

import (
	"fmt"
	"strings"

	meta "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/tools/cache"
)

// feed is the Store as the watch sees it: cache.ReflectorStore.
type feed Store

func (f *feed) Add(o any) error { return f.Update(o) }

func (f *feed) Update(o any) error {
	m, err := metadataOf(o)
	if err != nil {
		return err
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	put(f.byName, m)
	return nil
}

func (f *feed) Delete(o any) error {
	if d, ok := o.(cache.DeletedFinalStateUnknown); ok {
		o = d.Obj
	}
	m, err := metadataOf(o)
	if err != nil {
		return err
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	names := f.byName[m.Namespace]
	delete(names, m.Name)
	if len(names) == 0 {
		delete(f.byName, m.Namespace)
	}
	return nil
}

func (f *feed) Replace(list []any, _ string) error {
	byName := map[string]map[string]*Record{}
	for _, o := range list {
		m, err := metadataOf(o)
		if err != nil {
			return err
		}
		put(byName, m)
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	f.byName, f.synced = byName, true
	return nil
}

func (f *feed) Resync() error { return nil }

func put(byName map[string]map[string]*Record, m *meta.PartialObjectMetadata) {
	names := byName[m.Namespace]
	if names == nil {
		names = map[string]*Record{}
		byName[strings.Clone(m.Namespace)] = names
	}
	names[strings.Clone(m.Name)] = record(m)
}

func metadataOf(o any) (*meta.PartialObjectMetadata, error) {
	m, ok := o.(*meta.PartialObjectMetadata)
	if !ok {
		return nil, fmt.Errorf("watch of ServiceAccounts gave a %T", o)
	}
	return m, nil
}
