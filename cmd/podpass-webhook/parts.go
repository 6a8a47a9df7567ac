package main

import (
	"cmp"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"os"
	"runtime/debug"
	"time"

	"github.com/prometheus/client_golang/prometheus/collectors"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/rest"
	"sigs.k8s.io/controller-runtime/pkg/cache"
	"sigs.k8s.io/controller-runtime/pkg/certwatcher"
	"sigs.k8s.io/controller-runtime/pkg/healthz"
	"sigs.k8s.io/controller-runtime/pkg/manager"
	"sigs.k8s.io/controller-runtime/pkg/metrics"

	"github.com/podpass-io/podpass/webhook"
	"github.com/podpass-io/podpass/webhook/audit"
	"github.com/podpass-io/podpass/webhook/limitranges"
	"github.com/podpass-io/podpass/webhook/sastore"
	"github.com/podpass-io/podpass/webhook/servingcert"
)

// leaseTimeout bounds a request for the Lease: one that hangs must neither lose it
// nor hold up the end of the process.
const leaseTimeout = 2 * time.Second

// parts of the webhook, before a manager runs them.
type parts struct {
	server          *webhook.Server
	pods            *webhook.PodHandler
	serviceAccounts *webhook.ServiceAccountHandler
	store           *sastore.Store
	settings        *webhook.SettingsFile
	limits          *limitranges.Store
	auditor         *audit.Auditor
	// certificate is that of one of these two.
	certificate webhook.Certificate
	// now is the time by the clock that judges it: the API server's, where it is read.
	now    func() time.Time
	files  *certwatcher.CertWatcher
	source *servingcert.Source
	log    *slog.Logger
}

func newParts(o *options, config *rest.Config, settings *webhook.SettingsFile, log *slog.Logger) (*parts, error) {
	store, err := sastore.NewForConfig(config)
	if err != nil {
		return nil, err
	}
	client, err := kubernetes.NewForConfig(config)
	if err != nil {
		return nil, err
	}
	p := &parts{store: store, settings: settings, limits: limitranges.New(client, log), log: log}
	if err := p.makeCertificate(&o.certificate, client); err != nil {
		return nil, err
	}
	if err := p.makeServer(&o.serve); err != nil {
		return nil, err
	}
	registry := metrics.Registry // with what the manager's libraries count
	registry.MustRegister(collectors.NewGoCollector(), collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}))
	m := webhook.NewMetrics(registry)
	webhook.RegisterStore(registry, p.store)
	webhook.RegisterSettings(registry, settings)
	webhook.RegisterCertificate(registry, p.certificate)
	room := webhook.NewRoom(debug.SetMemoryLimit(-1))
	p.pods = &webhook.PodHandler{ServiceAccounts: p.store, Cluster: p.limits, Settings: settings.Current, Room: room, Metrics: m, Log: log}
	p.serviceAccounts = &webhook.ServiceAccountHandler{Settings: settings.Current, Deny: o.denyServiceAccounts, Room: room, Metrics: m, Log: log}
	if o.audit.period > 0 {
		auditing, err := audit.NewClient(config)
		if err != nil {
			return nil, err
		}
		p.auditor = &audit.Auditor{
			Client: auditing, ServiceAccounts: p.store, Settings: settings.Current, Excluded: o.audit.excludedNamespaces, NamespaceSelector: o.audit.namespaceSelector, Period: o.audit.period, Log: log,
		}
		webhook.RegisterAudit(registry, p.auditor)
	}
	return p, nil
}

// makeCertificate takes the certificate from files, if there are any, else podpass
// keeps its own.
func (p *parts) makeCertificate(o *certificateOptions, client kubernetes.Interface) error {
	if o.own() {
		p.source = &servingcert.Source{
			Client: client, Namespace: o.namespace, Secret: o.secret, Services: o.services, Replica: o.replica, Webhook: o.webhook, Log: p.log,
		}
		p.certificate, p.now = p.source.Certificate, p.source.Now
		return nil
	}
	var err error
	if p.files, err = certwatcher.New(o.certFile, o.keyFile); err != nil {
		return fmt.Errorf("--tls-cert, --tls-key: %w", err)
	}
	p.certificate, p.now = p.files.GetCertificate, time.Now
	return nil
}

func (p *parts) makeServer(o *serveOptions) error {
	var clients *webhook.ClientAuth
	if o.clientCAFile != "" {
		clients = &webhook.ClientAuth{CAFile: o.clientCAFile, Names: o.clientNames, Log: p.log}
	}
	config, err := webhook.TLS(p.certificate, clients)
	if err != nil {
		return fmt.Errorf("--client-ca: %w", err)
	}
	p.server = webhook.NewServer(webhook.ServerOptions{Listen: o.listen, TLS: config, ShutdownDelay: o.shutdownDelay, Log: p.log})
	return nil
}

// runnables are what feeds the handlers, and the audit.
func (p *parts) runnables(o *options, config *rest.Config, c cache.Cache) ([]manager.Runnable, error) {
	all := []manager.Runnable{p.store, p.settings, p.limits}
	if p.files != nil {
		all = append(all, p.files)
	} else {
		p.source.Cache = c
		all = append(all, p.source)
	}
	switch {
	case p.auditor == nil:
	case o.audit.lease == "":
		all = append(all, manager.RunnableFunc(p.auditor.Run))
	default:
		lock, err := lease(config, &o.certificate, o.audit.lease)
		if err != nil {
			return nil, err
		}
		all = append(all, &audit.Leader{Lock: lock, Audit: p.auditor.Run, Log: p.log})
	}
	return all, nil
}

// ready reports why this replica must not be sent reviews.
func (p *parts) ready() healthz.Checker {
	serving := webhook.Ready(p.server, p.store, p.certificate, p.now)
	return func(r *http.Request) error {
		if err := serving(r); err != nil {
			return err
		}
		if !p.limits.Synced() {
			return errors.New("waiting for the first list of LimitRanges")
		}
		return nil
	}
}

// lease is the Lease in the webhook's namespace, for a replica to hold.
func lease(config *rest.Config, o *certificateOptions, name string) (*audit.Lease, error) {
	hostname, err := os.Hostname()
	if err != nil {
		return nil, fmt.Errorf("name of this replica: %w; set --replica", err)
	}
	config = rest.CopyConfig(config)
	config.Timeout = leaseTimeout
	client, err := kubernetes.NewForConfig(config)
	if err != nil {
		return nil, err
	}
	return audit.NewLease(client, o.namespace, name, o.webhook, cmp.Or(o.replica, hostname)), nil
}
