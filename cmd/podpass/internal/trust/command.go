// Package trust is `podpass trust`: what a cloud must be told so that ServiceAccounts
// get their identities, and whether what it was told lets a token in. No command here
// talks to a cloud.
package trust

import (
	"time"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/podpass-io/podpass/cmd/podpass/internal/cluster"
	"github.com/podpass-io/podpass/federation/finding"
	"github.com/podpass-io/podpass/federation/serviceaccount"
	"github.com/podpass-io/podpass/federation/trust"
)

// timeout of what is asked of clusters: somebody waits.
const timeout = time.Minute

const long = `Set up what a cloud must hold, and find out why it does not let a pod in.

podpass trust aws (gcp, azure) prints what the cloud must be told so that
ServiceAccounts get the identities that they are annotated with: as commands to
paste, as Terraform, or as the JSON of the cloud's API. podpass trust check reads
what the cloud was told, as its own command line prints it, and says whether a
token would be let in, by what, or why not, with both sides shown. podpass trust kube
and podpass trust check kube do the same for a cluster's own API server.

No cloud is asked and nothing is changed anywhere: no cloud credentials are needed.`

// cloud is what the file of each cloud gives to the commands.
type cloud struct {
	name  string // as an argument: "aws"
	title string // in sentences: "AWS"
	// annotation that asks for an identity, for hints.
	annotation string
	// asks reports whether a ServiceAccount asks for an identity there.
	asks func(serviceaccount.Answer) bool
	// renderer is a command of its own, whose flags it adds, and what it renders.
	renderer func(*pflag.FlagSet) func([]trust.Account) (trust.Plan, []finding.Finding)
	render   help
	// keys: Render wants the public keys of issuers that clusters tell.
	keys bool
	// recognises reports whether a text, in JSON, is what the cloud's command line prints
	// of trust.
	recognises func(piece []byte) bool
	// documents are the pieces that the cloud recognises, each to be judged by itself.
	documents func(pieces [][]byte) ([]document, error)
	// audience that tokens of a ServiceAccount have for the cloud; the answer is empty
	// where the ServiceAccount is not known.
	audience func(serviceaccount.Answer, serviceaccount.Installation) string
}

// help is the text of a command.
type help struct{ long, examples string }

// document is what a cloud was told.
type document struct {
	name     string
	evaluate func(token) trust.Verdict
	// isOf reports whether it is an identity's, and whether it tells at all; nil: it is of
	// no identity, but of whom the cloud takes tokens of.
	isOf func(identity string) (is, tells bool)
}

// unnamed is the isOf of a document that does not tell.
func unnamed(string) (is, tells bool) { return false, false }

// clouds in the order in which they are listed.
func clouds() []cloud { return []cloud{awsCloud(), gcpCloud(), azureCloud()} }

// Command is the cobra command.
func Command(version string) *cobra.Command {
	cmd := &cobra.Command{
		Use:     "trust",
		Short:   "Set up what a cloud must hold, or find out why it lets no pod in",
		Long:    long,
		Example: checkExamples,
		Args:    cobra.NoArgs,
		RunE:    func(cmd *cobra.Command, _ []string) error { return cmd.Help() },
	}
	for _, c := range clouds() {
		cmd.AddCommand(renderCommand(c, version))
	}
	check := checkCommand(version)
	check.AddCommand(kubeCheckCommand(version))
	cmd.AddCommand(kubeCommand(version), idpCommand(), check)
	return cmd
}

// source is where ServiceAccounts, issuers and the settings come from.
type source struct {
	files   []string
	cluster *cluster.Flags
}

func (s *source) flags(cmd *cobra.Command) {
	f := cmd.Flags()
	f.StringArrayVarP(&s.files, "filename", "f", nil, "file with ServiceAccounts, - for standard input, instead of the cluster's; may be repeated")
	s.cluster.Add(f, "namespace of the ServiceAccounts (default: the kubeconfig's; with -f, default)")
	for _, name := range []string{"filename", "settings"} {
		_ = cmd.MarkFlagFilename(name, "yaml", "yml", "json") // completion only
	}
	s.cluster.Complete(cmd)
}
