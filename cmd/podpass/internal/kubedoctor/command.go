package kubedoctor

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"slices"
	"strings"
	"text/tabwriter"
	"time"

	"github.com/spf13/cobra"

	"github.com/podpass-io/podpass/cmd/podpass/internal/access"
	"github.com/podpass-io/podpass/cmd/podpass/internal/cluster"
	"github.com/podpass-io/podpass/cmd/podpass/internal/hint"
	"github.com/podpass-io/podpass/cmd/podpass/internal/manifest"
	"github.com/podpass-io/podpass/cmd/podpass/internal/report"
	"github.com/podpass-io/podpass/federation"
)

const (
	// timeout of everything: somebody waits.
	timeout = 2 * time.Minute
	// maxConfiguration and maxToken bound what is read, in bytes.
	maxConfiguration = 1 << 20
	maxToken         = 32 << 10
)

const long = `Say which link is broken between a token and what its bearer may do at an API server.

The links are looked at in order: the API server, the token, the configuration and
whether the API server runs it, the issuer's address, certificate, discovery document
and keys, the claims and the user that comes out, the API server's own answer, and
RBAC. A broken one tells which later ones it makes pointless, and these are not run.

The token is that of the kubeconfig's user, whose program is run as kubectl runs it; or
somebody else's, with --token-file, looked at by an administrator. It is shown nowhere.
CONFIGURATION is the file of the API server's --authentication-config, which it shows to
nobody: without it the API server's answer is all that is known of its rules.

The issuer is asked from here, and API servers may have another way to it. Nothing is
changed. The exit status is 0 if all is sound, 1 if something was found, 2 if podpass
could not look. Each code has a heading in docs/errors.md.`

const examples = `  # Why does this cluster not take my login?
  podpass doctor kube

  # Why does it not take hers? As an administrator, with the API server's configuration
  podpass doctor kube authentication.yaml --token-file token

  # She is let in, and may not list pods
  podpass doctor kube authentication.yaml --token-file token --verb list --resource pods -n shop`

type options struct {
	cluster   *cluster.Flags
	wanted    access.Flags
	tokenFile string
	issuerCA  string
	output    string
	version   string
}

// Command is the cobra command.
func Command(version string) *cobra.Command {
	o := &options{cluster: cluster.New(version), version: version}
	cmd := &cobra.Command{
		Use:     "kube [CONFIGURATION]",
		Short:   "Say which link is broken between a token and an API server that should take it",
		Long:    long,
		Example: examples,
		Args:    cobra.MaximumNArgs(1),
		RunE:    o.run,
	}
	f := cmd.Flags()
	o.cluster.Add(f, "namespace of the resource (default: the kubeconfig's)")
	f.StringVar(&o.tokenFile, "token-file", "", "`file` with the token, - for standard input (default: that of the kubeconfig's user)")
	f.StringVar(&o.issuerCA, "issuer-ca", "", "`file` with the CA of the issuer, where no CONFIGURATION says it")
	o.wanted.Add(cmd)
	report.AddFormat(cmd, &o.output, "")
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
	config, err := o.cluster.REST("look at a token by itself with podpass trust check kube")
	if err != nil {
		return err
	}
	progress := report.StartProgress(ctx, cmd.ErrOrStderr())
	run.Say = progress.Say
	r, err := Run(ctx, config, run)
	progress.End()
	if err != nil {
		return err
	}
	r.Version, r.Cluster = o.version, o.cluster.ContextName()
	if err := o.write(cmd.OutOrStdout(), r); err != nil {
		return err
	}
	if slices.ContainsFunc(r.Findings, func(f report.Finding) bool { return f.Code == codeUnreachable }) {
		return hint.New(errors.New("the API server could not be asked"), "see the finding "+codeUnreachable)
	}
	return r.Err()
}

// write prints the report; in a table who the bearer is comes before it.
func (o *options) write(w io.Writer, r *Result) error {
	if u := r.User; u != nil && (o.output == "table" || o.output == "wide") {
		columns := tabwriter.NewWriter(w, 0, 8, 3, ' ', 0)
		fmt.Fprintf(columns, "USERNAME\t%s\nGROUPS\t%s\n", u.Username, strings.Join(u.Groups, ", "))
		if len(r.Bindings) > 0 {
			fmt.Fprintf(columns, "BOUND BY\t%s\n", strings.Join(r.Bindings, ", "))
		}
		fmt.Fprintln(columns)
		if err := columns.Flush(); err != nil {
			return err
		}
	}
	return r.Write(w, o.output, report.Colour(w))
}

// options are what the flags and arguments ask for.
func (o *options) options(cmd *cobra.Command, args []string) (Options, error) {
	var run Options
	if err := manifest.Once(append(args, o.tokenFile)...); err != nil {
		return run, err
	}
	namespace, err := o.cluster.Namespace()
	if err != nil {
		return run, err
	}
	if run.Wanted, err = o.wanted.Wanted(namespace); err != nil {
		return run, err
	}
	if len(args) > 0 {
		if run.Configuration, err = manifest.ReadFile(cmd.InOrStdin(), args[0], maxConfiguration); err != nil {
			return run, err
		}
	}
	if o.tokenFile != "" {
		raw, err := manifest.ReadFile(cmd.InOrStdin(), o.tokenFile, maxToken)
		if err != nil {
			return run, fmt.Errorf("--token-file: %w", err)
		}
		if run.Token = federation.Secret(strings.TrimSpace(string(raw))); run.Token == "" {
			return run, hint.New(fmt.Errorf("--token-file %s is empty", o.tokenFile), "give it the token, or leave the flag out for the kubeconfig's own")
		}
	}
	if o.issuerCA != "" {
		if run.IssuerCA, err = os.ReadFile(o.issuerCA); err != nil {
			return run, fmt.Errorf("--issuer-ca: %w", err)
		}
	}
	return run, nil
}
