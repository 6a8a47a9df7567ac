package servingcert

import (
	"context"

	admissionregistrationv1 "k8s.io/api/admissionregistration/v1"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/fields"
	"sigs.k8s.io/controller-runtime/pkg/cache"
	"sigs.k8s.io/controller-runtime/pkg/client"
)

// CacheOptions are for a cache that holds what a Source reads and nothing else.
func CacheOptions(namespace, secret, webhook string) cache.Options {
	named := func(name string) fields.Selector { return fields.OneTermEqualSelector("metadata.name", name) }
	return cache.Options{
		ReaderFailOnMissingInformer: true,
		ByObject: map[client.Object]cache.ByObject{
			&corev1.Secret{}: {Namespaces: map[string]cache.Config{namespace: {}}, Field: named(secret)},
			&admissionregistrationv1.MutatingWebhookConfiguration{}:   {Field: named(webhook)},
			&admissionregistrationv1.ValidatingWebhookConfiguration{}: {Field: named(webhook)},
		},
	}
}

// NeedLeaderElection is false: each replica keeps its own certificate.
func (*Source) NeedLeaderElection() bool { return false }

// Start keeps the certificate and the registration until ctx ends.
func (s *Source) Start(ctx context.Context) error { return s.Run(ctx) }
