package main

import (
	"context"
	"fmt"
	"log/slog"
	"net/http"
	"time"

	admissionregistrationv1 "k8s.io/api/admissionregistration/v1"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/meta"
	"k8s.io/client-go/rest"
	"k8s.io/client-go/tools/clientcmd"
	"sigs.k8s.io/controller-runtime/pkg/cache"
	"sigs.k8s.io/controller-runtime/pkg/manager"
	"sigs.k8s.io/controller-runtime/pkg/metrics"
	metricsserver "sigs.k8s.io/controller-runtime/pkg/metrics/server"

	"github.com/podpass-io/podpass/cmd/internal/version"
	"github.com/podpass-io/podpass/webhook"
	"github.com/podpass-io/podpass/webhook/servingcert"
)

// endTimeout is how long the runnables may take to end once admission has: they hold
// nothing that must be saved.
const endTimeout = 4 * time.Second

// run serves until ctx ends, then goes down without losing a review.
func run(ctx context.Context, o *options, log *slog.Logger) error {
	settings, err := webhook.OpenSettings(o.config, log)
	if err != nil {
		return fmt.Errorf("--config: %w", err)
	}
	config, err := kubernetesConfig(o.kubeconfig)
	if err != nil {
		return fmt.Errorf("reach Kubernetes: %w; outside a cluster, set --kubeconfig", err)
	}
	w, err := newParts(o, config, settings, log)
	if err != nil {
		return err
	}
	m, err := newManager(o, config, w)
	if err != nil {
		return err
	}
	runnables, err := w.runnables(o, config, m.GetCache())
	if err != nil {
		return err
	}
	for _, r := range runnables {
		if err := m.Add(r); err != nil {
			return err
		}
	}
	ctx, end := w.server.Lifetime(ctx)
	defer end()
	return m.Start(ctx)
}

// newManager makes the manager, with all that it serves.
func newManager(o *options, config *rest.Config, p *parts) (manager.Manager, error) {
	end := endTimeout
	m, err := manager.New(config, manager.Options{
		MapperProvider:          mapper,
		Cache:                   cacheOptions(&o.certificate),
		WebhookServer:           p.server,
		GracefulShutdownTimeout: &end,
		Metrics:                 metricsserver.Options{BindAddress: "0"}, // see webhook.NewProbeServer
		// No leader election: to lose it would end the process. See audit.Leader.
	})
	if err != nil {
		return nil, fmt.Errorf("make the manager: %w", err)
	}
	server := m.GetWebhookServer()
	server.Register("/mutate", p.pods)
	server.Register("/mutate/opted-in", p.pods)
	server.Register("/validate-serviceaccounts", p.serviceAccounts)
	ready := p.ready()
	return m, m.Add(&manager.Server{
		Name: "probes", Server: webhook.NewProbeServer(o.serve.probeListen, ready, metrics.Registry, p.log), ShutdownTimeout: &end,
	})
}

// mapper knows the kinds that are cached. If it asked the API server for them, a
// replica could not start while that is away.
func mapper(*rest.Config, *http.Client) (meta.RESTMapper, error) {
	m := meta.NewDefaultRESTMapper(nil)
	m.Add(corev1.SchemeGroupVersion.WithKind("Secret"), meta.RESTScopeNamespace)
	m.Add(admissionregistrationv1.SchemeGroupVersion.WithKind("MutatingWebhookConfiguration"), meta.RESTScopeRoot)
	m.Add(admissionregistrationv1.SchemeGroupVersion.WithKind("ValidatingWebhookConfiguration"), meta.RESTScopeRoot)
	return m, nil
}

// cacheOptions are for what podpass's own certificate needs, if it makes one.
func cacheOptions(c *certificateOptions) cache.Options {
	if !c.own() {
		return cache.Options{ReaderFailOnMissingInformer: true}
	}
	return servingcert.CacheOptions(c.namespace, c.secret, c.webhook)
}

func kubernetesConfig(kubeconfig string) (*rest.Config, error) {
	config, err := rest.InClusterConfig()
	if kubeconfig != "" {
		config, err = clientcmd.BuildConfigFromFlags("", kubeconfig)
	}
	if err != nil {
		return nil, err
	}
	config.UserAgent = "podpass-webhook/" + version.Number()
	config.QPS = -1 // a few watches, and live reads that are bounded otherwise
	return config, nil
}
