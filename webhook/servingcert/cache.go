package servingcert

import (
	"context"
	"fmt"

	admissionregistrationv1 "k8s.io/api/admissionregistration/v1"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/fields"
	toolscache "k8s.io/client-go/tools/cache"
	"sigs.k8s.io/controller-runtime/pkg/cache"
	"sigs.k8s.io/controller-runtime/pkg/client"
)

// CacheOptions are for a cache that holds what a Source reads and nothing else: a
// Secret in namespace, and the mutating and the validating registration called
// webhook. It lists and watches by name, so that RBAC may grant it by resourceNames.
func CacheOptions(namespace, secret, webhook string) cache.Options {
	named := func(name string) fields.Selector { return fields.OneTermEqualSelector("metadata.name", name) }
	return cache.Options{
		// To ask it for anything else is an error, rather than a watch of all there is.
		ReaderFailOnMissingInformer: true,
		DefaultTransform:            cache.TransformStripManagedFields(),
		ByObject: map[client.Object]cache.ByObject{
			&corev1.Secret{}: {Namespaces: map[string]cache.Config{namespace: {}}, Field: named(secret)},
			&admissionregistrationv1.MutatingWebhookConfiguration{}:   {Field: named(webhook)},
			&admissionregistrationv1.ValidatingWebhookConfiguration{}: {Field: named(webhook)},
		},
	}
}

// watch gives a channel that has something whenever what is cached has changed since
// it was last received from.
func (s *Source) watch(ctx context.Context) (<-chan struct{}, error) {
	changed := make(chan struct{}, 1)
	notify := func() {
		select {
		case changed <- struct{}{}:
		default:
		}
	}
	handler := toolscache.ResourceEventHandlerFuncs{
		AddFunc:    func(any) { notify() },
		UpdateFunc: func(any, any) { notify() },
		DeleteFunc: func(any) { notify() },
	}
	for _, object := range []client.Object{
		&corev1.Secret{}, &admissionregistrationv1.MutatingWebhookConfiguration{}, &admissionregistrationv1.ValidatingWebhookConfiguration{},
	} {
		informer, err := s.Cache.GetInformer(ctx, object)
		if err != nil {
			return nil, fmt.Errorf("watch %T: %w", object, err)
		}
		if _, err := informer.AddEventHandler(handler); err != nil {
			return nil, fmt.Errorf("watch %T: %w", object, err)
		}
	}
	return changed, nil
}
