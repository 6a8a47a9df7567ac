// Package issuer is `podpass issuer`: the discovery document and the keys of a cluster's
// token issuer, made, looked at, published, and changed without a failed exchange.
package issuer

import (
	"net/http"
	"time"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/podpass-io/podpass/cmd/podpass/internal/cluster"
)

// timeout of one look at everything: somebody waits.
const timeout = time.Minute

const long = `Keep the issuer of a self-managed cluster: the two public documents by which clouds
verify ServiceAccount tokens.

Clouds never ask the cluster. They read ISSUER/.well-known/openid-configuration and the
keys that it points to, and these can be two files in any web server or object store with
a certificate of a public CA. podpass makes them from what the API server publishes,
puts them there, says whether they fit what the cluster signs with, and takes a cluster
to another signing key without a failed exchange.

Only public keys are read, and a private one is refused by name. Nothing is changed
without --approve. See docs/issuer.md.`

const examples = `  # Can clouds verify this cluster's tokens?
  podpass issuer verify

  # What would have to be published under another URL?
  podpass issuer build --issuer https://issuer.example.com/prod

  # Publish it
  podpass issuer publish --issuer https://issuer.example.com/prod --to 's3://issuer-example/prod?region=eu-central-1'

  # Change the signing key
  podpass issuer rotate --state rotation.json --new-key sa-2026.pub --to 's3://issuer-example/prod?region=eu-central-1'`

// Command is the cobra command.
func Command(version string) *cobra.Command {
	cmd := &cobra.Command{
		Use:     "issuer",
		Short:   "Keep the issuer of a self-managed cluster: build, verify, merge, publish, rotate",
		Long:    long,
		Example: examples,
		Args:    cobra.NoArgs,
		RunE:    func(cmd *cobra.Command, _ []string) error { return cmd.Help() },
	}
	cmd.AddCommand(buildCommand(version), verifyCommand(version), mergeCommand(version), publishCommand(version), rotateCommand(version))
	return cmd
}

// common are the options of all subcommands.
type common struct {
	cluster  *cluster.Flags
	issuer   string
	issuerCA string
	output   string
	version  string
}

func (o *common) add(f *pflag.FlagSet, version, issuerUsage string) {
	o.version, o.cluster = version, cluster.New(version)
	o.cluster.Add(f, "")
	_ = f.MarkHidden("settings") // the issuer is no part of an installation
	f.StringVar(&o.issuer, "issuer", "", issuerUsage)
}

func (o *common) addCA(f *pflag.FlagSet) {
	f.StringVar(&o.issuerCA, "issuer-ca", "", "`file` with the CA of the issuer, where whoever verifies tokens is on a private network too")
}

// outside is a client that sees the issuer as an outsider does; private: with --issuer-ca,
// as somebody of that network.
func (o *common) outside() (client *http.Client, private bool, err error) {
	client, err = cluster.VerifierClient(o.issuerCA)
	return client, o.issuerCA != "", err
}

// complete completes what all have; outputs are the formats, unless report.AddFormat has
// told them.
func (o *common) complete(cmd *cobra.Command, outputs ...string) {
	if len(outputs) > 0 {
		_ = cmd.RegisterFlagCompletionFunc("output", cobra.FixedCompletions(outputs, cobra.ShellCompDirectiveNoFileComp)) // completion only
	}
	o.cluster.Complete(cmd)
}
