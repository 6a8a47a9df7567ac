package trust

import (
	"context"
	"fmt"
	"io"

	"github.com/spf13/cobra"

	"github.com/podpass-io/podpass/cmd/podpass/internal/cluster"
	"github.com/podpass-io/podpass/cmd/podpass/internal/hint"
	"github.com/podpass-io/podpass/federation/finding"
	"github.com/podpass-io/podpass/federation/trust"
)

// renderOptions are those of `podpass trust aws` and its like.
type renderOptions struct {
	source
	names   []string
	issuers []string
	output  string
}

// formats by the name that -o has.
var formats = map[string]func(trust.Plan) ([]byte, error){
	"shell":     trust.Plan.Shell,
	"terraform": trust.Plan.Terraform,
	"json":      trust.Plan.JSON,
}

func renderCommand(c cloud, version string) *cobra.Command {
	o := renderOptions{source: source{cluster: cluster.New(version)}}
	cmd := &cobra.Command{
		Use:     c.name + " [SERVICEACCOUNT...]",
		Short:   "Print what " + c.title + " must hold for ServiceAccounts",
		Long:    c.render.long,
		Example: c.render.examples,
		ValidArgsFunction: func(cmd *cobra.Command, _ []string, _ string) ([]string, cobra.ShellCompDirective) {
			return o.cluster.Names(cmd.Context(), cluster.ServiceAccounts), cobra.ShellCompDirectiveNoFileComp
		},
	}
	f := cmd.Flags()
	o.cluster.AddContexts(f)
	o.cluster.AddSelection(f)
	o.flags(cmd)
	f.StringArrayVar(&o.issuers, "issuer", nil, "the issuer of the cluster, `[NAME=]URL`, instead of asking the cluster; may be repeated: several clusters with the same ServiceAccounts")
	f.StringVarP(&o.output, "output", "o", "shell", "shell, terraform or json")
	_ = cmd.RegisterFlagCompletionFunc("output", cobra.FixedCompletions([]string{"shell", "terraform", "json"}, cobra.ShellCompDirectiveNoFileComp)) // completion only
	render := c.renderer(f)
	cmd.RunE = func(cmd *cobra.Command, args []string) error {
		ctx, cancel := context.WithTimeout(cmd.Context(), timeout)
		defer cancel()
		o.names = args
		return o.run(ctx, c, render, cmd.InOrStdin(), cmd.OutOrStdout(), cmd.ErrOrStderr())
	}
	return cmd
}

func (o renderOptions) run(ctx context.Context, c cloud, render func([]trust.Account) (trust.Plan, []finding.Finding), stdin io.Reader, stdout, stderr io.Writer) error {
	format, ok := formats[o.output]
	if !ok {
		return hint.New(fmt.Errorf("unknown output format %q", o.output), "use shell, terraform or json")
	}
	accounts, err := o.accounts(ctx, c, stdin, stderr)
	if err != nil {
		return err
	}
	plan, found := render(accounts)
	if err := tell(stderr, found); err != nil {
		return err
	}
	b, err := format(plan)
	if err != nil {
		return err
	}
	_, err = stdout.Write(b)
	return err
}
