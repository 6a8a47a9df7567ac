// Package token is `podpass token`: cloud credentials as a ServiceAccount's, by the
// exchanges that the broker makes.
package token

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"time"

	"github.com/spf13/cobra"

	"github.com/podpass-io/podpass/cmd/podpass/internal/accounts"
	"github.com/podpass-io/podpass/cmd/podpass/internal/cluster"
	"github.com/podpass-io/podpass/cmd/podpass/internal/exchange"
	"github.com/podpass-io/podpass/cmd/podpass/internal/exit"
	"github.com/podpass-io/podpass/cmd/podpass/internal/hint"
	"github.com/podpass-io/podpass/federation/serviceaccount"
)

// timeout of everything: a cluster and a cloud have to answer, somebody waits.
const timeout = 30 * time.Second

const long = `Print short-lived credentials of the cloud identity of a ServiceAccount.

The ServiceAccount's annotations are read from the cluster, and a token for it is
asked of the cluster, as kubelet does for a pod; podpass trades it at the cloud by
the same exchange as the broker, with the settings of the installation that it finds
in the cluster. So it shows, without a pod, whether the cloud trusts the
ServiceAccount, and why not. You need the right to get the ServiceAccount, and to
create serviceaccounts/token; to read the installation's ConfigMap, or --settings.

The token is not bound to a pod, so the cloud sees no pod's name in it. The
credentials are printed to standard output: they are secret.`

const examples = `  # Does AWS trust the ServiceAccount orders?
  podpass token aws orders -n shop

  # With other settings than the installation's
  podpass token oidc orders -n shop --settings settings.yaml

  # As credential_process of a profile, in ~/.aws/config
  aws configure set credential_process "podpass token aws orders -n shop" --profile orders

  # A call of Google's API as the ServiceAccount would make it
  curl -H "Authorization: Bearer $(podpass token gcp orders -n shop -o token)" https://storage.googleapis.com/storage/v1/b/orders

  # Without a cluster: in a pod that has a token, say
  podpass token azure orders -n shop -f sa.yaml --token-file token`

type options struct {
	cluster   *cluster.Flags
	files     []string
	tokenFile string
	output    string
}

// Command is the cobra command.
func Command(version string) *cobra.Command {
	o := &options{cluster: cluster.New(version)}
	cmd := &cobra.Command{
		Use:     "token",
		Short:   "Get cloud credentials as a ServiceAccount, to see whether the cloud trusts it",
		Long:    long,
		Example: examples,
		Args:    cobra.NoArgs,
		RunE:    func(cmd *cobra.Command, _ []string) error { return cmd.Help() },
	}
	f := cmd.PersistentFlags()
	o.cluster.Add(f, "namespace of the ServiceAccount (default: the kubeconfig's)")
	f.StringArrayVarP(&o.files, "filename", "f", nil, "file with the ServiceAccount, - for standard input, instead of the cluster's; may be repeated")
	f.StringVar(&o.tokenFile, "token-file", "", "file with a token of the ServiceAccount, instead of asking the cluster for one")
	for _, name := range []string{"filename", "settings"} {
		_ = cmd.MarkPersistentFlagFilename(name, "yaml", "yml", "json") // completion only
	}
	o.cluster.Complete(cmd)
	cmd.AddCommand(awsCommand(o), gcpCommand(o), azureCommand(o), oidcCommand(o), kubeCommand(o))
	return cmd
}

// outputs adds -o to a command whose credentials are one token.
func (o *options) outputs(cmd *cobra.Command) {
	cmd.Flags().StringVarP(&o.output, "output", "o", "json", "json, or token: the token alone")
	_ = cmd.RegisterFlagCompletionFunc("output", cobra.FixedCompletions([]string{"json", "token"}, cobra.ShellCompDirectiveNoFileComp)) // completion only
}

// subcommand has what those of all clouds share.
func subcommand(o *options, cloud, name, long string, run func(context.Context, *session) error) *cobra.Command {
	return &cobra.Command{
		Use:   cloud + " SERVICEACCOUNT",
		Short: "Get " + name + " as a ServiceAccount",
		Long:  long,
		Args: func(_ *cobra.Command, args []string) error {
			if len(args) != 1 {
				return hint.New(fmt.Errorf("want the name of one ServiceAccount, got %d", len(args)), "podpass token "+cloud+" SERVICEACCOUNT -n NAMESPACE")
			}
			return nil
		},
		ValidArgsFunction: o.accountNames,
		RunE: func(cmd *cobra.Command, args []string) error {
			ctx, cancel := context.WithTimeout(cmd.Context(), timeout)
			defer cancel()
			if o.output != "" && o.output != "json" && o.output != "token" {
				return hint.New(fmt.Errorf("unknown output format %q", o.output), "use json or token")
			}
			s, err := o.open(ctx, cmd, args[0])
			if err != nil {
				return err
			}
			return run(ctx, s)
		},
	}
}

// accountNames completes the one ServiceAccount.
func (o *options) accountNames(cmd *cobra.Command, args []string, _ string) ([]string, cobra.ShellCompDirective) {
	if len(args) > 0 {
		return nil, cobra.ShellCompDirectiveNoFileComp
	}
	return o.cluster.Names(cmd.Context(), cluster.ServiceAccounts), cobra.ShellCompDirectiveNoFileComp
}

// session is a ServiceAccount, what podpass makes of it, and the way to the clouds.
type session struct {
	account accounts.Account
	answer  serviceaccount.Answer
	clouds  *exchange.Clouds
	output  string
	stdout  io.Writer
}

func (o *options) open(ctx context.Context, cmd *cobra.Command, name string) (*session, error) {
	client, config, err := o.client()
	if err != nil {
		return nil, err
	}
	settings, defaults, err := o.cluster.Settings(ctx, client, cmd.ErrOrStderr())
	if err != nil {
		return nil, err
	}
	s := &session{output: o.output, stdout: cmd.OutOrStdout()}
	if s.account, err = o.find(ctx, config, cmd.InOrStdin(), name); err != nil {
		return nil, err
	}
	if s.clouds, err = exchange.New(settings, o.tokens(client, s.account)); err != nil {
		return nil, fmt.Errorf("settings: caBundle: %w", err)
	}
	s.answer = s.account.Resolve(settings.Installation)
	for _, p := range s.answer.Warnings {
		fmt.Fprintf(cmd.ErrOrStderr(), "warning: %s\n", p)
	}
	return s, exit.Found(hint.Problems(s.answer.Errors, defaults))
}

// missing says that the ServiceAccount has no identity in a cloud.
func (s *session) missing(cloud, annotation string) error {
	return hint.New(fmt.Errorf("ServiceAccount %s/%s has no identity in %s", s.account.Namespace, s.account.Name, cloud),
		"annotate it with "+annotation+", or give the settings that map it with --settings")
}

// bearer is the JSON form of a credential that is one token.
type bearer struct {
	AccessToken string    `json:"access_token,omitempty"`
	IDToken     string    `json:"id_token,omitempty"`
	TokenType   string    `json:"token_type"`
	ExpiresOn   time.Time `json:"expires_on"`
	Principal   string    `json:"principal,omitempty"`
}

func (s *session) print(b bearer, token string) error {
	if s.output == "token" {
		_, err := fmt.Fprintln(s.stdout, token)
		return err
	}
	return s.encode(b)
}

func (s *session) encode(v any) error {
	e := json.NewEncoder(s.stdout)
	e.SetIndent("", "  ")
	return e.Encode(v)
}

// readable is a file that exists: a token's is read at the exchange only, whose
// error speaks of pods.
func readable(file string) error {
	f, err := os.Open(file)
	if err != nil {
		return fmt.Errorf("--token-file: %w", err)
	}
	return f.Close()
}
