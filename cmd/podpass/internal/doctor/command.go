package doctor

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"
	"k8s.io/apimachinery/pkg/runtime/schema"

	"github.com/podpass-io/podpass/cmd/podpass/internal/cluster"
	"github.com/podpass-io/podpass/cmd/podpass/internal/hint"
	"github.com/podpass-io/podpass/cmd/podpass/internal/manifest"
	"github.com/podpass-io/podpass/cmd/podpass/internal/report"
	"github.com/podpass-io/podpass/cmd/podpass/internal/trust"
)

// timeout of everything: somebody waits.
const timeout = 5 * time.Minute

const long = `Say which link is broken between a ServiceAccount's annotation and a cloud credential.

The links are looked at in order: the cluster and what you may read in it, the
installation, the issuer of the cluster's tokens, the ServiceAccount, the pod, static
keys in the way, the token, NetworkPolicies, the exchange, what the pod's own broker
says, and the trust documents that are given. A broken one tells which later ones it makes pointless, and these are not run.

Without arguments it is about the namespace, with -A about the cluster; name pods,
workloads or ServiceAccounts to have them looked at more closely: a token is then asked
for (its claims are looked at, and it is shown nowhere), and the broker of a running pod
is asked by exec. Nothing is changed. No cloud is asked, unless by --exchange.

The exit status is 0 if all is sound, 1 if something was found, 2 if podpass could not
look. Each code has a heading in docs/errors.md.`

const examples = `  # Why does this pod get no credentials?
  podpass doctor pod/orders-7c9d -n shop

  # The same of a workload or a ServiceAccount, and ask the clouds too
  podpass doctor deployment/orders -n shop --exchange
  podpass doctor sa/orders -n shop --exchange

  # Would AWS let it in, by what its role was told?
  aws iam get-role --role-name orders > role.json
  podpass doctor sa/orders -n shop --trust role.json

  # Is a pod of it injected? A dry run asks the API server, and with it the webhook
  podpass doctor sa/orders -n shop --admission

  # The whole cluster, as a page to attach to a ticket
  podpass doctor -A -o html > podpass.html

  # In a pipeline
  podpass doctor -n shop -o sarif > podpass.sarif`

type options struct {
	cluster   *cluster.Flags
	output    string
	only      []string
	admission bool
	exchange  bool
	explain   bool
	issuerCA  string
	trust     []string
	version   string
}

// Command is the cobra command.
func Command(version string) *cobra.Command {
	o := &options{cluster: cluster.New(version), version: version}
	cmd := &cobra.Command{
		Use:               "doctor [TYPE/NAME...]",
		Short:             "Say which link is broken between a ServiceAccount and its credentials",
		Long:              long,
		Example:           examples,
		ValidArgsFunction: o.complete,
		RunE:              o.run,
	}
	f := cmd.Flags()
	o.cluster.Add(f, "")
	o.cluster.AddSelection(f)
	report.AddFormat(cmd, &o.output, "")
	f.StringSliceVar(&o.only, "only", nil, "`checks` to run, by their names; without installation, --settings has to be given; default: all")
	f.BoolVar(&o.admission, "admission", false, "send a pod of each ServiceAccount to the API server as a dry run, for which you need the right to create pods")
	f.BoolVar(&o.exchange, "exchange", false, "trade the ServiceAccounts' tokens at the clouds, as podpass token does; what they give is not shown")
	f.BoolVar(&o.explain, "explain", true, "ask the brokers of running pods, by exec; of a whole namespace only if it is given")
	f.StringVar(&o.issuerCA, "issuer-ca", "", "`file` with the CA of the issuer, where whoever verifies tokens is on a private network too")
	f.StringArrayVar(&o.trust, "trust", nil, "`file` with what a cloud's command line prints of roles, providers, policies or credentials, as podpass trust check reads it; may be repeated")
	_ = cmd.RegisterFlagCompletionFunc("only", cobra.FixedCompletions(names(chain), cobra.ShellCompDirectiveNoFileComp)) // completion only
	_ = cmd.MarkFlagFilename("settings", "yaml", "yml", "json")
	_ = cmd.MarkFlagFilename("issuer-ca", "crt", "pem")
	o.cluster.Complete(cmd)
	return cmd
}

func (o *options) run(cmd *cobra.Command, args []string) error {
	ctx, cancel := context.WithTimeout(cmd.Context(), timeout)
	defer cancel()
	if err := report.CheckFormat(o.output); err != nil {
		return err
	}
	run, err := o.options(cmd, args)
	if err != nil {
		return err
	}
	client, config, err := o.cluster.Client("run it where there is a cluster; podpass inject and podpass check -f need none")
	if err != nil {
		return err
	}
	progress := report.StartProgress(ctx, cmd.ErrOrStderr())
	run.Say = progress.Say
	r, err := Run(ctx, client, config, run)
	progress.End()
	if err != nil {
		return err
	}
	r.Version, r.Cluster = o.version, o.cluster.ContextName()
	if err := r.Write(cmd.OutOrStdout(), o.output, report.Colour(cmd.OutOrStdout())); err != nil {
		return err
	}
	if Unreachable(r) {
		return hint.New(errors.New("the cluster could not be looked at"), "see the finding "+codeUnreachable)
	}
	return r.Err()
}

// options are what the flags and arguments ask for.
func (o *options) options(cmd *cobra.Command, args []string) (Options, error) {
	targets, err := ParseTargets(args)
	if err != nil {
		return Options{}, err
	}
	if err := o.checkOnly(); err != nil {
		return Options{}, err
	}
	run := Options{Targets: targets, Fleet: len(targets) == 0, Selector: o.cluster.Selector, Only: o.only, PrivateIssuer: o.issuerCA != ""}
	// Who names a check wants it to run.
	run.Admission = o.admission || slices.Contains(o.only, checkAdmission)
	run.Exchange = o.exchange || slices.Contains(o.only, checkExchange)
	switch {
	case len(targets) > 0 && (o.cluster.AllNamespaces || o.cluster.Selector != ""):
		return Options{}, hint.New(errors.New("-A and -l are for what is not named"), "leave them out, or the names")
	case !o.cluster.AllNamespaces:
		if run.Namespace, err = o.cluster.Namespace(); err != nil {
			return Options{}, err
		}
	}
	run.Explain = o.explain && (run.Closely() || cmd.Flags().Changed("explain"))
	if run.Defaults, err = manifest.Settings("", o.version); err != nil {
		return Options{}, err
	}
	if o.cluster.SettingsFile != "" {
		s, err := manifest.Settings(o.cluster.SettingsFile, o.version)
		if err != nil {
			return Options{}, err
		}
		run.Settings = &s
	}
	if len(o.trust) > 0 {
		if run.Trust, err = trust.ReadDocuments(cmd.InOrStdin(), o.trust); err != nil {
			return Options{}, err
		}
	}
	run.Issuer, err = cluster.VerifierClient(o.issuerCA)
	return run, err
}

// checkOnly refuses checks that there are not, and those that would go by settings that
// nobody has read.
func (o *options) checkOnly() error {
	for _, name := range o.only {
		if !slices.Contains(names(chain), name) {
			return hint.New(fmt.Errorf("--only: there is no check %q", name), "take of these: "+strings.Join(names(chain), ", "))
		}
	}
	if len(o.only) > 0 && !slices.Contains(o.only, checkInstallation) && o.cluster.SettingsFile == "" {
		return hint.New(errors.New("--only leaves out the installation, whose settings the other checks need"), "add installation, or give them by --settings")
	}
	return nil
}

// Unreachable reports whether nothing could be looked at.
func Unreachable(r *report.Report) bool {
	for _, f := range r.Findings {
		if f.Code == codeUnreachable {
			return true
		}
	}
	return false
}

// completed are the kinds of which names are completed.
var completed = map[string]schema.GroupVersionResource{
	kindPod: cluster.Pods, kindDeployment: cluster.Deployments, kindAccount: cluster.ServiceAccounts, kindNamespace: cluster.Namespaces,
}

// complete completes TYPE/ and then names from the cluster.
func (o *options) complete(cmd *cobra.Command, _ []string, to string) ([]string, cobra.ShellCompDirective) {
	kind, _, ok := strings.Cut(to, "/")
	if !ok {
		return []string{"pod/", "deployment/", "sa/", "namespace/"}, cobra.ShellCompDirectiveNoSpace | cobra.ShellCompDirectiveNoFileComp
	}
	resource, ok := completed[kinds[strings.ToLower(kind)]]
	if !ok {
		return nil, cobra.ShellCompDirectiveNoFileComp
	}
	var list []string
	for _, name := range o.cluster.Names(cmd.Context(), resource) {
		list = append(list, kind+"/"+name)
	}
	return list, cobra.ShellCompDirectiveNoFileComp
}
