// Podpass-webhook is the mutating admission webhook.
package main

import (
	"cmp"
	"context"
	"errors"
	"flag"
	"fmt"
	"log/slog"
	"os"
	"os/signal"
	"runtime/debug"
	"syscall"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/rest"
	"k8s.io/client-go/tools/clientcmd"

	"github.com/podpass-io/podpass/webhook"
	"github.com/podpass-io/podpass/webhook/audit"
	"github.com/podpass-io/podpass/webhook/inject"
	"github.com/podpass-io/podpass/webhook/sastore"
	"github.com/podpass-io/podpass/webhook/servingcert"
)

var version = "dev" // set by the linker

func main() {
	o := new(options)
	if err := o.parse(os.Args[1:]); err != nil {
		if errors.Is(err, flag.ErrHelp) {
			return
		}
		fmt.Fprintln(os.Stderr, "error:", err)
		os.Exit(1)
	}
	if o.version {
		fmt.Println(version)
		return
	}
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	log := slog.New(slog.NewJSONHandler(os.Stderr, &slog.HandlerOptions{Level: o.logLevel}))
	if err := run(ctx, o, log); err != nil {
		log.Error("Ended", "error", err)
		os.Exit(1) //nolint:gocritic // stop only restores the signals' defaults
	}
}

func run(ctx context.Context, o *options, log *slog.Logger) error {
	raw, err := os.ReadFile(o.config)
	if err != nil {
		return fmt.Errorf("--config: %w", err)
	}
	settings, err := inject.LoadSettings(raw)
	if err != nil {
		return fmt.Errorf("--config %s: %w", o.config, err)
	}
	config, err := kubernetesConfig(o.kubeconfig)
	if err != nil {
		return fmt.Errorf("reach Kubernetes: %w; outside a cluster, set --kubeconfig", err)
	}
	config.UserAgent = "podpass-webhook/" + version
	config.QPS = -1 // one watch, and live reads that are bounded otherwise
	store, err := sastore.NewForConfig(config)
	if err != nil {
		return err
	}

	client, err := kubernetes.NewForConfig(config)
	if err != nil {
		return err
	}
	certificate, err := o.certificate(client, log)
	if err != nil {
		return err
	}

	registry := prometheus.NewRegistry()
	registry.MustRegister(collectors.NewGoCollector(), collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}))
	webhook.RegisterStore(registry, store)
	webhook.RegisterCertificate(registry, certificate.NotAfter)
	metrics := webhook.NewMetrics(registry)
	room := webhook.NewRoom(debug.SetMemoryLimit(-1))
	server := &webhook.Server{
		Listen: o.listen, ProbeListen: o.probeListen, ShutdownDelay: o.shutdownDelay,
		Pods: &webhook.PodHandler{ServiceAccounts: store, Settings: settings, Room: room, Metrics: metrics, Log: log},
		ServiceAccounts: &webhook.ServiceAccountHandler{
			Installation: settings.Installation, Deny: o.denyServiceAccounts, Room: room, Metrics: metrics, Log: log,
		},
		Certificate: certificate, Store: store, Metrics: registry, Log: log,
	}
	if o.auditPeriod > 0 {
		auditor := &audit.Auditor{
			Client: client, ServiceAccounts: store, Settings: settings, Excluded: split(o.excludedNamespaces), Period: o.auditPeriod, Log: log,
		}
		webhook.RegisterAudit(registry, auditor)
		server.Audit = auditor
	}
	log.Info("Starting", "version", cmp.Or(version, "dev"))
	return server.Run(ctx)
}

func kubernetesConfig(kubeconfig string) (*rest.Config, error) {
	if kubeconfig == "" {
		return rest.InClusterConfig()
	}
	return clientcmd.BuildConfigFromFlags("", kubeconfig)
}

// certificate is from files, if there are any, else podpass's own.
func (o *options) certificate(client kubernetes.Interface, log *slog.Logger) (webhook.Certificate, error) {
	if o.tlsCert == "" {
		return &servingcert.Source{
			Client: client, Namespace: o.namespace, Secret: o.secret, Services: split(o.services), Replica: o.replica, Webhook: o.webhook, Log: log,
		}, nil
	}
	files := &servingcert.Files{CertFile: o.tlsCert, KeyFile: o.tlsKey, Log: log}
	return files, files.Load()
}
