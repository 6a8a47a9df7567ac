package trust

import (
	"context"
	"errors"
	"fmt"
	"io"

	"github.com/spf13/cobra"

	"github.com/podpass-io/podpass/cmd/podpass/internal/cluster"
	"github.com/podpass-io/podpass/cmd/podpass/internal/exit"
	"github.com/podpass-io/podpass/cmd/podpass/internal/hint"
	"github.com/podpass-io/podpass/cmd/podpass/internal/report"
	"github.com/podpass-io/podpass/federation/finding"
	"github.com/podpass-io/podpass/federation/trust"
)

const checkLong = `Say whether what a cloud was told lets a ServiceAccount's token in: by which
statement, or why not, with what is expected and what the token has. Trust that is
broader than it need be is found, too.

What is read, of files or of standard input, is what the cloud's own command line
prints: of a role, a provider, a policy, a credential, as JSON or YAML, one or many.
Roles and providers that are given together are judged together.

The token is described by its ServiceAccount (-n, --service-account), whose issuer
the cluster tells unless it is given; or by its claims (--issuer, --subject,
--audience); or it is read of a file (--token-file), and not shown. Its signature and
its end are not looked at.

The exit status is 0 if all is sound, 1 if something was found, and 2 if podpass could
not look.`

const checkExamples = `  # Would AWS let pods of this ServiceAccount have the role?
  aws iam get-role --role-name orders | podpass trust check -n shop --service-account orders

  # The provider, too, and without a cluster
  aws iam get-open-id-connect-provider --open-id-connect-provider-arn arn:aws:iam::111122223333:oidc-provider/oidc.example.com > provider.json
  podpass trust check role.json provider.json -n shop --service-account orders --issuer https://oidc.example.com

  # A token as a pod has it, in continuous integration
  podpass trust check role.json --token-file token -o json
  podpass trust check role.json --token-file token -o sarif > trust.sarif`

// checkOptions are those of `podpass trust check`.
type checkOptions struct {
	source
	account   string
	issuer    string
	subject   string
	audience  string
	tokenFile string
	request   map[string]string
	output    string
	version   string
}

func checkCommand(version string) *cobra.Command {
	o := checkOptions{source: source{cluster: cluster.New(version)}, version: version}
	cmd := &cobra.Command{
		Use:     "check [FILE...]",
		Short:   "Say whether what a cloud was told lets a token in, or why not",
		Long:    checkLong,
		Example: checkExamples,
		RunE: func(cmd *cobra.Command, args []string) error {
			ctx, cancel := context.WithTimeout(cmd.Context(), timeout)
			defer cancel()
			return o.run(ctx, args, cmd.InOrStdin(), cmd.OutOrStdout(), cmd.ErrOrStderr())
		},
	}
	f := cmd.Flags()
	o.flags(cmd)
	f.StringVar(&o.account, "service-account", "", "`name` of the ServiceAccount whose token it is")
	f.StringVar(&o.issuer, "issuer", "", "issuer of the token (default: the cluster's)")
	f.StringVar(&o.subject, "subject", "", "subject of the token (default: that of the ServiceAccount)")
	f.StringVar(&o.audience, "audience", "", "audience of the token (default: the one that podpass asks for)")
	f.StringVar(&o.tokenFile, "token-file", "", "file with a token, whose claims are taken")
	f.StringToStringVar(&o.request, "request", nil, "what a request has besides the token, `KEY=VALUE` (aws:SourceIp=198.51.100.7); may be repeated")
	report.AddFormat(cmd, &o.output, "; wide shows fixes")
	cmd.MarkFlagsMutuallyExclusive("token-file", "service-account")
	cmd.MarkFlagsMutuallyExclusive("token-file", "subject")
	cmd.MarkFlagsMutuallyExclusive("service-account", "subject")
	_ = cmd.RegisterFlagCompletionFunc("service-account", func(cmd *cobra.Command, _ []string, _ string) ([]string, cobra.ShellCompDirective) {
		return o.cluster.Names(cmd.Context(), cluster.ServiceAccounts), cobra.ShellCompDirectiveNoFileComp
	})
	return cmd
}

// result is what came of one document.
type result struct {
	Document string `json:"document"`
	Cloud    string `json:"cloud"`
	trust.Verdict
}

func (o checkOptions) run(ctx context.Context, files []string, stdin io.Reader, stdout, stderr io.Writer) error {
	if err := report.CheckFormat(o.output); err != nil {
		return err
	}
	pieces, err := readPieces(stdin, files)
	if err != nil {
		return err
	}
	byCloud, err := sortPieces(pieces)
	if err != nil {
		return err
	}
	describe, err := o.tokens(ctx, stdin, stderr)
	if err != nil {
		return err
	}
	var results []result
	for _, c := range clouds() {
		if byCloud[c.name] == nil {
			continue
		}
		documents, err := c.documents(byCloud[c.name])
		if err != nil {
			return fmt.Errorf("%s: %w", c.title, err)
		}
		t := describe(c)
		for _, d := range documents {
			results = append(results, result{d.name, c.name, d.evaluate(t)})
		}
	}
	if err := o.write(stdout, results); err != nil {
		return err
	}
	return summary(results)
}

// summary is the error that decides the exit status; nil: all is sound.
func summary(results []result) error {
	refused, broad := 0, 0
	for _, r := range results {
		if !r.Allowed {
			refused++
		} else if worst := finding.Worst(r.Findings); worst == finding.Warning || worst == finding.Error {
			broad++
		}
	}
	switch {
	case refused > 0:
		return exit.Found(hint.New(fmt.Errorf("the token is not let in by %d of %d documents", refused, len(results)),
			"docs/errors.md explains each code; -o wide shows the fixes"))
	case broad > 0:
		return exit.Found(hint.New(errors.New("the token is let in, and so would be others"), "docs/errors.md explains each code; -o wide shows the fixes"))
	}
	return nil
}
