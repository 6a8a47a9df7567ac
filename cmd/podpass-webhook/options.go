package main

import (
	"errors"
	"flag"
	"fmt"
	"log/slog"
	"os"
	"strings"
	"time"

	"k8s.io/apimachinery/pkg/labels"
)

const usage = `Podpass-webhook injects cloud identities into pods, by what their ServiceAccounts'
annotations ask for. The chart runs it; outside a cluster, for a look:

  podpass-webhook --kubeconfig ~/.kube/config --config config.yaml \
    --tls-cert tls.crt --tls-key tls.key --listen 127.0.0.1:9443

`

// options are the command line.
type options struct {
	// config is the file with the installation's settings.
	config string
	// kubeconfig is how to reach Kubernetes; empty: as the pod's own ServiceAccount.
	kubeconfig string
	// version asks for the version and nothing else.
	version bool
	// logLevel is the least level that is logged.
	logLevel slog.Level

	certificate certificateOptions
	serve       serveOptions
	audit       auditOptions

	// denyServiceAccounts refuses ServiceAccounts with which pods would be denied.
	denyServiceAccounts bool
}

// certificateOptions say where the serving certificate comes from. Without files the
// webhook keeps a CA of its own in the Secret, and publishes it in the registration.
type certificateOptions struct {
	// certFile and keyFile hold a certificate that somebody else keeps.
	certFile, keyFile string
	// namespace is the webhook's own, of the Secret, the Services and the Lease.
	namespace string
	// secret is the name of the Secret that keeps the CA.
	secret string
	// services are the names that the certificate is for; the first is that of all
	// replicas.
	services []string
	// webhook is the name of the registrations that the CA is published in.
	webhook string
	// replica is the name of this replica's pod.
	replica string
}

// serveOptions are of the servers.
type serveOptions struct {
	// listen is the address of admission, over TLS.
	listen string
	// probeListen is the address of /healthz, /readyz and /metrics.
	probeListen string
	// shutdownDelay is how long admission goes on after readiness has gone.
	shutdownDelay time.Duration
	// clientCAFile holds the CAs, of which a client's certificate must be one's; empty:
	// whoever reaches the port is answered.
	clientCAFile string
	// clientNames are those of the certificates that are let in; empty: all.
	clientNames []string
}

// auditOptions are of the audit of pods.
type auditOptions struct {
	// period between the starts of two passes; 0: there is no audit.
	period time.Duration
	// lease is the name of the Lease that the auditing replica holds. Outside of a
	// cluster, without a namespace, there is none.
	lease string
	// excludedNamespaces are those that the registration excludes.
	excludedNamespaces []string
	// namespaceSelector is the registration's besides, by label; nil: all.
	namespaceSelector labels.Selector
}

// parse reads the command line. Its error has all that is wrong with it.
func parse(args []string) (*options, error) {
	o := new(options)
	f := flag.NewFlagSet("podpass-webhook", flag.ContinueOnError)
	f.Usage = func() {
		fmt.Fprint(f.Output(), usage)
		f.PrintDefaults()
	}
	o.bind(f)
	if err := f.Parse(args); err != nil {
		return nil, err
	}
	if o.version {
		return o, nil
	}
	o.complete()
	return o, o.validate(f.Args())
}

func (o *options) bind(f *flag.FlagSet) {
	names := func(list *[]string, name, usage string, byDefault ...string) {
		*list = byDefault
		f.Func(name, usage, func(s string) error {
			*list = strings.FieldsFunc(s, func(r rune) bool { return r == ',' || r == ' ' })
			return nil
		})
	}
	f.StringVar(&o.config, "config", "/etc/podpass/config.yaml", "`file` with the installation's settings")
	f.StringVar(&o.kubeconfig, "kubeconfig", "", "`file` to reach Kubernetes by; default: the pod's own ServiceAccount")
	f.BoolVar(&o.version, "version", false, "print the version")
	f.TextVar(&o.logLevel, "log-level", slog.LevelInfo, "debug, info, warn or error")
	f.BoolVar(&o.denyServiceAccounts, "deny-serviceaccounts", false, "refuse ServiceAccounts with which pods would be denied, instead of warning")

	c := &o.certificate
	f.StringVar(&c.certFile, "tls-cert", "", "serving certificate `file`; default: podpass makes its own")
	f.StringVar(&c.keyFile, "tls-key", "", "its key `file`")
	f.StringVar(&c.namespace, "namespace", os.Getenv("POD_NAMESPACE"), "`namespace` of the Secret, the Services and the Lease [POD_NAMESPACE]")
	f.StringVar(&c.secret, "cert-secret", "podpass-webhook-ca", "`name` of the Secret that keeps the CA")
	names(&c.services, "service", "`names` of the Services that the certificate is for, separated by commas; the first is that of all replicas (default podpass-webhook)", "podpass-webhook")
	f.StringVar(&c.webhook, "webhook-name", "podpass", "`name` of the webhook configurations to publish the CA in")
	f.StringVar(&c.replica, "replica", os.Getenv("POD_NAME"), "`name` of this replica's pod [POD_NAME]")

	s := &o.serve
	f.StringVar(&s.listen, "listen", ":9443", "`address` for admission, over TLS")
	f.StringVar(&s.probeListen, "probe-listen", ":8080", "`address` for /healthz, /readyz and /metrics")
	f.DurationVar(&s.shutdownDelay, "shutdown-delay", 8*time.Second, "how long to keep serving after SIGTERM, until no more reviews come")
	f.StringVar(&s.clientCAFile, "client-ca", "", "`file` with the CAs, in PEM, of which one must have signed the certificate of whoever calls; default: no certificate is demanded")
	names(&s.clientNames, "client-names", "common or DNS `names` of the certificates that are let in, separated by commas; default: all that the CAs signed")

	a := &o.audit
	f.DurationVar(&a.period, "audit-period", time.Minute, "how often to look for pods that should have been injected and were not; 0: never")
	f.StringVar(&a.lease, "audit-lease", "podpass-webhook-audit", "`name` of the Lease that the auditing replica holds")
	names(&a.excludedNamespaces, "excluded-namespaces", "`names`, separated by commas, that the registration excludes, so that the audit leaves them out")
	f.Func("namespace-selector", "label `selector` of the namespaces that the registration selects besides, so that the audit leaves out the others; default: all", func(s string) (err error) {
		a.namespaceSelector, err = labels.Parse(s)
		return err
	})
}

// complete fills in what follows from the rest.
func (o *options) complete() {
	c := &o.certificate
	if c.namespace == "" {
		o.audit.lease = "" // outside of a cluster there is nobody to agree with
	}
}

// validate reports all that is wrong.
func (o *options) validate(arguments []string) error {
	var all []error
	wrong := func(is bool, format string, args ...any) {
		if is {
			all = append(all, fmt.Errorf(format, args...))
		}
	}
	wrong(len(arguments) > 0, "unexpected arguments %q: see --help", arguments)
	wrong((o.certificate.certFile == "") != (o.certificate.keyFile == ""), "--tls-cert and --tls-key belong together: set both or none")
	wrong(o.certificate.own() && o.certificate.namespace == "", "--namespace is required: where the CA's Secret is kept; or set --tls-cert and --tls-key")
	wrong(o.certificate.own() && len(o.certificate.services) == 0, "--service is required: what the certificate is for")
	wrong(o.serve.shutdownDelay < 0, "--shutdown-delay %s: it must not be negative", o.serve.shutdownDelay)
	wrong(o.audit.period < 0, "--audit-period %s: it must not be negative; 0 means never", o.audit.period)
	wrong(o.serve.clientCAFile == "" && len(o.serve.clientNames) > 0, "--client-names needs --client-ca: without it no certificate is demanded")
	return errors.Join(all...)
}

// own reports whether podpass makes the certificate.
func (c *certificateOptions) own() bool { return c.certFile == "" && c.keyFile == "" }
