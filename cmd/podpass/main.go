// Podpass is the command line of podpass, for people: it shows what podpass does
// to a pod, and why. Installed as kubectl-podpass it is also a kubectl plugin.
//
// How it speaks: results go to standard output, everything else to standard error.
// A failure is one line "error: ..." and, where there is a next step, one line
// "hint: ...", in lower case and without a full stop. The exit status is 0 if all is
// sound, 1 if something was found, 2 if podpass could not look: see package exit.
package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/signal"
	"syscall"

	"github.com/spf13/cobra"

	"github.com/podpass-io/podpass/cmd/internal/version"
	"github.com/podpass-io/podpass/cmd/podpass/internal/check"
	"github.com/podpass-io/podpass/cmd/podpass/internal/doctor"
	"github.com/podpass-io/podpass/cmd/podpass/internal/exit"
	"github.com/podpass-io/podpass/cmd/podpass/internal/fleet"
	"github.com/podpass-io/podpass/cmd/podpass/internal/inject"
	"github.com/podpass-io/podpass/cmd/podpass/internal/issuer"
	"github.com/podpass-io/podpass/cmd/podpass/internal/kubeconfig"
	"github.com/podpass-io/podpass/cmd/podpass/internal/kubedoctor"
	"github.com/podpass-io/podpass/cmd/podpass/internal/migrate"
	"github.com/podpass-io/podpass/cmd/podpass/internal/token"
	"github.com/podpass-io/podpass/cmd/podpass/internal/trust"
)

func main() { os.Exit(run()) }

func run() int {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	root := newRoot()
	err := root.ExecuteContext(ctx)
	if err != nil {
		report(root.ErrOrStderr(), err)
	}
	return exit.Status(err)
}

// hinter is an error that knows the next step.
type hinter interface {
	error
	Hint() string
}

// report prints err, and each error that it joins, with its hint.
func report(w io.Writer, err error) {
	if joined, ok := err.(interface{ Unwrap() []error }); ok {
		for _, e := range joined.Unwrap() {
			report(w, e)
		}
		return
	}
	fmt.Fprintf(w, "error: %v\n", err)
	if h, ok := errors.AsType[hinter](err); ok && h.Hint() != "" {
		fmt.Fprintf(w, "hint: %s\n", h.Hint())
	}
}

func newRoot() *cobra.Command {
	root := &cobra.Command{
		Use:   "podpass",
		Short: "Give pods cloud identities without static keys",
		Long: `podpass gives every pod a pass into any cloud, with no static key anywhere.

A webhook reads which cloud identity a pod's ServiceAccount asks for, and adds a
sidecar that trades the ServiceAccount's token for short-lived credentials. This
program shows what the webhook does, whether the cloud trusts a ServiceAccount, and
what the cloud must be told so that it does.`,
		Example: `  # What would podpass do to this Deployment?
  podpass inject -f deployment.yaml --service-account sa.yaml

  # Which ServiceAccounts would it deny?
  podpass check

  # Why does this pod get no credentials?
  podpass doctor pod/orders-7c9d -n shop

  # Does AWS trust this ServiceAccount?
  podpass token aws orders -n shop

  # What must AWS be told so that it does, and why does it not?
  podpass trust aws orders -n shop
  aws iam get-role --role-name orders | podpass trust check -n shop --service-account orders`,
		SilenceErrors: true,
		SilenceUsage:  true,
		Version:       version.Get().String(),
	}
	root.SetVersionTemplate("podpass {{.Version}}\n")
	root.SetFlagErrorFunc(func(cmd *cobra.Command, err error) error {
		return usageError{err, fmt.Sprintf("run %q to see the flags", cmd.CommandPath()+" --help")}
	})
	number := version.Number()
	root.AddCommand(
		check.Command(number), doctorCommand(number), inject.Command(number), issuer.Command(number),
		fleet.Command(number), kubeconfig.Command(number), migrate.Command(number), token.Command(number), trust.Command(number), versionCommand(),
	)
	return root
}

// doctorCommand has the doctor of API servers below that of pods.
func doctorCommand(number string) *cobra.Command {
	cmd := doctor.Command(number)
	cmd.AddCommand(kubedoctor.Command(number))
	return cmd
}

type usageError struct {
	error
	hint string
}

func (e usageError) Hint() string { return e.hint }
