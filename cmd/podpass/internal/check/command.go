// Package check is `podpass check`: the ServiceAccounts whose pods podpass would deny.
package check

import (
	"context"
	"errors"
	"fmt"
	"io"
	"slices"
	"time"

	"github.com/spf13/cobra"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/rest"

	"github.com/podpass-io/podpass/cmd/podpass/internal/cluster"
	"github.com/podpass-io/podpass/cmd/podpass/internal/exit"
	"github.com/podpass-io/podpass/cmd/podpass/internal/hint"
	"github.com/podpass-io/podpass/federation/serviceaccount"
)

// timeout of all lists together: somebody waits.
const timeout = 2 * time.Minute

const long = `List the ServiceAccounts whose pods podpass would deny, and why.

All ServiceAccounts of the cluster are read, by your own rights, and their annotations
are looked at as the webhook does, by the settings of the installation that is found in
the cluster. Nothing needs to be installed: run it before podpass is, to know whom it
would deny. You need the right to list ServiceAccounts.

Each problem is one line, with its fix, on standard output; the exit status is 1 if there
is one, and 2 if podpass could not look. What pods themselves may have wrong is not
looked at: see podpass inject and podpass doctor.`

const examples = `  # Whom would podpass deny?
  podpass check

  # One namespace, with what is only suspicious too
  podpass check -n shop --warnings

  # By the settings that are to come
  podpass check --settings settings.yaml

  # Manifests, in continuous integration
  helm template ./chart | podpass check -f -`

type options struct {
	cluster  *cluster.Flags
	files    []string
	warnings bool
}

// Command is the cobra command.
func Command(version string) *cobra.Command {
	o := options{cluster: cluster.New(version)}
	cmd := &cobra.Command{
		Use:     "check",
		Short:   "List the ServiceAccounts whose pods podpass would deny",
		Long:    long,
		Example: examples,
		Args:    cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			ctx, cancel := context.WithTimeout(cmd.Context(), timeout)
			defer cancel()
			return o.run(ctx, cmd.InOrStdin(), cmd.OutOrStdout(), cmd.ErrOrStderr())
		},
	}
	f := cmd.Flags()
	f.StringArrayVarP(&o.files, "filename", "f", nil, "file with ServiceAccounts, - for standard input, instead of the cluster's; may be repeated")
	o.cluster.Add(f, "one namespace; with -f, that of objects that name none (default: all)")
	o.cluster.AddSelection(f)
	f.BoolVar(&o.warnings, "warnings", false, "list what is only warned of too")
	for _, name := range []string{"filename", "settings"} {
		_ = cmd.MarkFlagFilename(name, "yaml", "yml", "json") // completion only
	}
	o.cluster.Complete(cmd)
	return cmd
}

func (o options) run(ctx context.Context, stdin io.Reader, stdout, stderr io.Writer) error {
	var client kubernetes.Interface // none where files are all
	var config *rest.Config
	var err error
	if len(o.files) == 0 {
		if client, config, err = o.cluster.Client("use -f, which needs no cluster"); err != nil {
			return err
		}
	}
	s, _, err := o.cluster.Settings(ctx, client, stderr)
	if err != nil {
		return err
	}
	accounts, err := o.accounts(ctx, config, stdin)
	if err != nil {
		return err
	}
	denied := 0
	for _, a := range accounts {
		answer := serviceaccount.Resolve(serviceaccount.Request{
			Namespace: a.Namespace, Name: a.Name, Annotations: a.Annotations, Labels: a.Labels,
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
