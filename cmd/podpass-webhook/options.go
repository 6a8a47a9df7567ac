package main

import (
	"errors"
	"flag"
	"fmt"
	"log/slog"
	"os"
	"strings"
	"time"
)

const usage = `Podpass-webhook injects cloud identities into pods, by what their ServiceAccounts'
annotations ask for. The chart runs it; outside a cluster, for a look:

  podpass-webhook --kubeconfig ~/.kube/config --config config.yaml \
    --tls-cert tls.crt --tls-key tls.key --listen 127.0.0.1:9443

`

// options are the command line.
type options struct {
	config, kubeconfig string

	// Without tlsCert the webhook keeps a CA of its own, in the Secret, and publishes
	// it in the registration.
	tlsCert, tlsKey                      string
	namespace, secret, services, webhook string
	replica                              string

	denyServiceAccounts bool
	auditPeriod         time.Duration
	excludedNamespaces  string

	listen, probeListen string
	shutdownDelay       time.Duration
	logLevel            slog.Level
	version             bool
}

func (o *options) parse(args []string) error {
	f := flag.NewFlagSet("podpass-webhook", flag.ContinueOnError)
	f.Usage = func() {
		fmt.Fprint(f.Output(), usage)
		f.PrintDefaults()
	}
	f.StringVar(&o.config, "config", "/etc/podpass/config.yaml", "`file` with the installation's settings")
	f.StringVar(&o.kubeconfig, "kubeconfig", "", "`file` to reach Kubernetes by; default: the pod's own ServiceAccount")
	f.StringVar(&o.tlsCert, "tls-cert", "", "serving certificate `file`; default: podpass makes its own")
	f.StringVar(&o.tlsKey, "tls-key", "", "its key `file`")
	f.StringVar(&o.namespace, "namespace", os.Getenv("POD_NAMESPACE"), "`namespace` of the Secret and the Service [POD_NAMESPACE]")
	f.StringVar(&o.secret, "cert-secret", "podpass-webhook-ca", "`name` of the Secret that keeps the CA")
	f.StringVar(&o.services, "service", "podpass-webhook", "`names` of the Services that the certificate is for, separated by commas; the first is that of all replicas")
	f.StringVar(&o.webhook, "webhook-name", "podpass", "`name` of the webhook configurations to publish the CA in")
	f.StringVar(&o.replica, "replica", os.Getenv("POD_NAME"), "`name` of this replica's pod [POD_NAME]")
	f.BoolVar(&o.denyServiceAccounts, "deny-serviceaccounts", false, "refuse ServiceAccounts with which pods would be denied, instead of warning")
	f.DurationVar(&o.auditPeriod, "audit-period", time.Minute, "how often to look for pods that should have been injected and were not; 0: never")
	f.StringVar(&o.excludedNamespaces, "excluded-namespaces", "", "`names`, separated by commas, that the registration excludes, so that the audit leaves them out")
	f.StringVar(&o.listen, "listen", ":9443", "`address` for admission, over TLS")
	f.StringVar(&o.probeListen, "probe-listen", ":8080", "`address` for /healthz, /readyz and /metrics")
	f.DurationVar(&o.shutdownDelay, "shutdown-delay", 8*time.Second, "how long to keep serving after SIGTERM, until no more reviews come")
	f.TextVar(&o.logLevel, "log-level", slog.LevelInfo, "debug, info, warn or error")
	f.BoolVar(&o.version, "version", false, "print the version")
	if err := f.Parse(args); err != nil {
		return err
	}
	switch {
	case f.NArg() > 0:
		return fmt.Errorf("unexpected argument %q: see --help", f.Arg(0))
	case (o.tlsCert == "") != (o.tlsKey == ""):
		return errors.New("--tls-cert and --tls-key belong together: set both or none")
	case o.tlsCert == "" && o.namespace == "" && !o.version:
		return errors.New("--namespace is required: where the CA's Secret is kept; or set --tls-cert and --tls-key")
	}
	return nil
}

// split takes a list of names apart.
func split(list string) []string {
	return strings.FieldsFunc(list, func(r rune) bool { return r == ',' || r == ' ' })
}
