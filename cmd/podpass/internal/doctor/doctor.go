// Package doctor is `podpass doctor`: it follows the chain from a ServiceAccount's
// annotation to a cloud credential, link by link, and says which one is broken, with both
// sides shown.
//
// The chain is a list of checks (chain.go), each of which looks at the cluster, at one
// ServiceAccount or at one pod. What a check finds has a code (codes.go), and the code
// tells which later checks it makes pointless for the same object: these are said as
// skipped rather than run, so that what is reported is what has to be mended.
//
// It decides by the same functions as the webhook and the broker, so that what it says is
// what will happen; it reads, and changes nothing. Its requests that make something are
// for a ServiceAccount's token, of which only the claims are shown, and a dry run's pod.
package doctor

import (
	"context"
	"net/http"
	"slices"
	"sync"
	"time"

	"k8s.io/apimachinery/pkg/labels"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/rest"

	"github.com/podpass-io/podpass/cmd/podpass/internal/cluster"
	"github.com/podpass-io/podpass/cmd/podpass/internal/report"
	"github.com/podpass-io/podpass/cmd/podpass/internal/trust"
	"github.com/podpass-io/podpass/webhook/inject"
)

// Options are what a run looks at, and how far it goes.
type Options struct {
	// Targets are what was named; with Fleet there are none.
	Targets []Target
	// Fleet: a whole namespace, or all of them if Namespace is empty.
	Fleet bool
	// Namespace of the targets, and of the fleet.
	Namespace string
	// Selector is that of the fleet's pods.
	Selector string

	// Only are the checks to run besides that of the objects, which finds what the others
	// look at; nil: all. Without that of the installation Settings are to be given.
	Only []string
	// Admission sends pods to the API server, as dry runs.
	Admission bool
	// Exchange asks the clouds, with the ServiceAccounts' tokens.
	Exchange bool
	// Explain asks the brokers of running pods, by exec.
	Explain bool

	// Trust are documents of what clouds were told; nil: none.
	Trust *trust.Documents

	// Settings are the installation's if they were given; nil: those in the cluster.
	Settings *inject.Settings
	// Defaults are taken where the cluster has none.
	Defaults inject.Settings
	// Issuer fetches what the issuer publishes.
	Issuer *http.Client
	// PrivateIssuer: whoever verifies is on this network too.
	PrivateIssuer bool

	// Say tells what is under way; nil: nobody listens.
	Say func(format string, args ...any)
}

// Closely reports whether something was named besides whole namespaces: it is looked at
// more closely, by a token for each ServiceAccount.
func (o Options) Closely() bool {
	return slices.ContainsFunc(o.Targets, func(t Target) bool { return t.Kind != kindNamespace })
}

// run is one run of the chain.
type run struct {
	Options
	client kubernetes.Interface
	config *rest.Config
	broker asker

	settings      inject.Settings
	installations []cluster.Installation
	accounts      map[string]*account // by namespace/name
	lists         []podList
	namespaces    map[string]labels.Set // that were looked up
	policies      map[string]policies   // by namespace
	arounds       map[string]inject.Around

	all  *subject // the cluster
	only []string // checks to run; nil: all
	// counted is given each pod with what was found of it, which is then not kept; nil: it is kept.
	counted func(*pod, []report.Finding)
	mu      sync.Mutex
	results map[string]*result // by check
	found   []report.Finding
	pods    int
}

// Run follows the chain. Its error is that something stood in the way which is no finding:
// a cancelled context, an API server that fails. A cluster that cannot be reached is a
// finding, of CodeUnreachable.
func Run(ctx context.Context, client kubernetes.Interface, config *rest.Config, o Options) (*report.Report, error) {
	r := newRun(client, config, o)
	if err := r.follow(ctx); err != nil {
		return nil, err
	}
	return r.report(), nil
}

func newRun(client kubernetes.Interface, config *rest.Config, o Options) *run {
	if o.Say == nil {
		o.Say = func(string, ...any) {}
	}
	only := o.Only
	if only != nil {
		only = append(slices.Clone(only), checkObjects)
	}
	settings := o.Defaults
	if o.Settings != nil {
		settings = *o.Settings
	}
	return &run{
		Options: o, settings: settings, only: only, client: client, config: config, broker: execer{client, config}, all: &subject{blocked: map[string][]string{}},
		accounts: map[string]*account{}, policies: map[string]policies{}, arounds: map[string]inject.Around{}, namespaces: map[string]labels.Set{}, results: map[string]*result{},
	}
}

// follow runs the checks of the cluster, then those of each ServiceAccount and pod.
func (r *run) follow(ctx context.Context) error {
	steps := []func(context.Context) error{
		func(ctx context.Context) error { return r.check(ctx, r.all, checkCluster, r.reach) },
		func(ctx context.Context) error { return r.check(ctx, r.all, checkInstallation, r.installation) },
		func(ctx context.Context) error { return r.check(ctx, r.all, checkObjects, r.objects) },
		func(ctx context.Context) error { return r.check(ctx, r.all, checkIssuer, r.issuer) },
		r.eachAccount,
		r.eachPod,
	}
	for _, step := range steps {
		if err := step(ctx); err != nil {
			return err
		}
	}
	return nil
}

// report puts together what was found.
func (r *run) report() *report.Report {
	out := &report.Report{
		Tool: "podpass doctor", Time: time.Now().UTC().Truncate(time.Second), Findings: r.found,
		Looked: []report.Count{{What: "ServiceAccounts", N: len(r.accounts)}, {What: "pods", N: r.pods}},
	}
	for _, c := range chain {
		out.Checks = append(out.Checks, r.results[c.name].report(c, r.Options, r.all.blocked[c.name]))
	}
	out.Sort()
	return out
}
