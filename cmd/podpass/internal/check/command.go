// Package check is `podpass check`: the ServiceAccounts whose pods podpass would deny.
package check

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/podpass-io/podpass/cmd/podpass/internal/exit"
	"github.com/podpass-io/podpass/cmd/podpass/internal/hint"
	"github.com/podpass-io/podpass/cmd/podpass/internal/manifest"
	"github.com/podpass-io/podpass/federation/serviceaccount"
)

// timeout of all lists together: somebody waits.
const timeout = 2 * time.Minute

const long = `List the ServiceAccounts whose pods podpass would deny, and why.

All ServiceAccounts of the cluster are read, by your own rights, and their annotations
are looked at as the webhook does. Nothing needs to be installed: run it before podpass
is, to know whom it would deny. You need the right to list ServiceAccounts.

Each problem is one line, with its fix, on standard output; the exit status is 1 if there
is one, and 2 if podpass could not look. What pods themselves may have wrong is not looked at: see podpass inject.`

const examples = `  # Whom would podpass deny?
  podpass check

  # One namespace, with what is only suspicious too, by the installation's own settings
  kubectl get configmap -n podpass-system podpass-webhook -o jsonpath='{.data.config\.yaml}' > settings.yaml
  podpass check -n shop --warnings --settings settings.yaml

  # Manifests, in continuous integration
  helm template ./chart | podpass check -f -`

type options struct {
	files      []string
	namespace  string
	settings   string
	kubeconfig string
	context    string
	warnings   bool
	version    string
}

// Command is the cobra command.
func Command(version string) *cobra.Command {
	o := options{version: version}
	cmd := &cobra.Command{
		Use:     "check",
		Short:   "List the ServiceAccounts whose pods podpass would deny",
		Long:    long,
		Example: examples,
		Args:    cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			ctx, cancel := context.WithTimeout(cmd.Context(), timeout)
			defer cancel()
			return o.run(ctx, cmd.InOrStdin(), cmd.OutOrStdout())
		},
	}
	f := cmd.Flags()
	f.StringArrayVarP(&o.files, "filename", "f", nil, "file with ServiceAccounts, - for standard input, instead of the cluster's; may be repeated")
	f.StringVarP(&o.namespace, "namespace", "n", "", "one namespace; with -f, that of objects that name none (default: all)")
	f.StringVar(&o.settings, "settings", "", "the webhook's configuration file (default: podpass's defaults)")
	f.StringVar(&o.kubeconfig, "kubeconfig", "", "kubeconfig file (default: KUBECONFIG, ~/.kube/config, or the pod's own)")
	f.StringVar(&o.context, "context", "", "context of the kubeconfig")
	f.BoolVar(&o.warnings, "warnings", false, "list what is only warned of too")
	for _, name := range []string{"filename", "settings"} {
		_ = cmd.MarkFlagFilename(name, "yaml", "yml", "json") // completion only
	}
	return cmd
}

// account is what decides of a ServiceAccount.
type account struct {
	namespace, name     string
	annotations, labels map[string]string
}

func (o options) run(ctx context.Context, stdin io.Reader, stdout io.Writer) error {
	s, err := manifest.Settings(o.settings, o.version)
	if err != nil {
		return err
	}
	accounts, err := o.accounts(ctx, stdin)
	if err != nil {
		return err
	}
	slices.SortFunc(accounts, func(a, b account) int {
		return cmp.Or(strings.Compare(a.namespace, b.namespace), strings.Compare(a.name, b.name))
	})
	denied := 0
	for _, a := range accounts {
		answer := serviceaccount.Resolve(serviceaccount.Request{
			Namespace: a.namespace, Name: a.name, Annotations: a.annotations, Labels: a.labels,
			// Where the installation demands the label, a pod may have it.
			PodLabels: map[string]string{serviceaccount.KeyAzureWIUse: "true"},
		}, s.Installation)
		if len(answer.Errors) > 0 {
			denied++
		}
		if err := write(stdout, "", answer.Errors); err != nil {
			return err
		}
		if !o.warnings {
			continue
		}
		if err := write(stdout, "warning: ", concerning(answer.Warnings)); err != nil {
			return err
		}
	}
	if denied > 0 {
		return exit.Found(hint.New(fmt.Errorf("pods of %d of %d ServiceAccounts would be denied", denied, len(accounts)),
			"mend them first; or install with userErrors: warn, so that they run as they do now"))
	}
	return nil
}

// concerning leaves out the warning of the label that run has put on a pod.
func concerning(warnings []serviceaccount.Problem) []serviceaccount.Problem {
	return slices.DeleteFunc(slices.Clone(warnings), func(p serviceaccount.Problem) bool {
		return p.Code == serviceaccount.CodeNoIdentity || p.Code == serviceaccount.CodeAzureNoClient
	})
}

func write(w io.Writer, prefix string, problems []serviceaccount.Problem) error {
	var errs []error
	for _, p := range problems {
		_, err := fmt.Fprintln(w, prefix+p.String())
		errs = append(errs, err)
	}
	return errors.Join(errs...)
}
