// Package kubeconfig is `podpass kubeconfig`: it writes kubeconfigs that hold no token, no
// certificate and no key. What runs for each command gets a short-lived token: podpass for
// machines, kubelogin for people.
package kubeconfig

import (
	"errors"
	"fmt"
	"strings"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/podpass-io/podpass/cmd/podpass/internal/cluster"
	"github.com/podpass-io/podpass/cmd/podpass/internal/hint"
	"github.com/podpass-io/podpass/cmd/podpass/internal/kubetoken"
)

const long = `Write a kubeconfig for a cluster, without a token, certificate or key in it.

NAME is what its cluster, user and context are called. The API server is the one that
the installation of podpass has by that name (kube.clusters), in the current cluster,
that of --issuer-context, or the file --settings; its namespace and audience are taken,
too. Or it is that of --server, with --certificate-authority if its CA is a private one,
or that of a --context of the kubeconfig. For each command kubectl and client-go run what
gets a short-lived token:

for a machine, podpass token kube, from the place that --github, --token-env,
--token-file, --broker or --service-account says, for the --audience by which the API
server knows its tokens: see podpass token kube --help;

for a person (--person), kubelogin, which is the kubectl plugin oidc-login: it signs in
at the --issuer-url by browser, or by a code that is typed into a browser elsewhere
(--flow device, or --device for a second context), and renews without a person for as
long as the provider lets it. --provider says which one it is, since each wants other
scopes and parameters: clients are those that podpass trust idp has people make.

The kubeconfig is printed; or written to --output, which must not be there; or, with
--merge, added to what is in --output or kubectl's own file: entries that are there stay
as they are, and if one of the name is another one nothing is written.`

const examples = `  # A GitHub Actions job deploys
  podpass kubeconfig prod-us --server https://prod-us.example.com --certificate-authority ca.crt --github --audience prod-us > kubeconfig

  # A GitLab job with id_tokens: {KUBE_TOKEN: {aud: prod-us}}
  podpass kubeconfig prod-us --server https://prod-us.example.com --certificate-authority ca.crt --token-env KUBE_TOKEN --audience prod-us --output gitlab.kubeconfig

  # A controller in the cluster hub reaches another cluster as its own ServiceAccount
  podpass kubeconfig prod-us --context prod-us-admin --service-account ci/deployer --issuer-context hub --audience prod-us

  # The same, of a cluster that the installation in hub names
  podpass kubeconfig prod-eu --settings settings.yaml --service-account ci/deployer --issuer-context hub

  # A person signs in by browser
  podpass kubeconfig prod-us --person --server https://prod-us.example.com --certificate-authority ca.crt --provider keycloak --issuer-url https://login.example.com/realms/prod --client-id kubernetes --device --output people.kubeconfig

  # At Google, which gives also a public client a secret
  podpass kubeconfig prod-us --person --provider google --context prod-us-admin --client-id ID.apps.googleusercontent.com --client-secret-file secret --output google.kubeconfig

  # On a machine without a browser, added to ~/.kube/config
  podpass kubeconfig prod-us-device --person --flow device --context prod-us-admin --issuer-url https://login.example.com/realms/prod --client-id kubernetes --merge`

type options struct {
	cluster *cluster.Flags
	place   place
	machine kubetoken.Options
	account string
	person  person
	output  string
	merge   bool
}

// Command is the cobra command.
func Command(version string) *cobra.Command {
	o := &options{cluster: cluster.New(version)}
	cmd := &cobra.Command{
		Use:     "kubeconfig NAME",
		Short:   "Write a kubeconfig without a token in it",
		Long:    long,
		Example: examples,
		Args: func(_ *cobra.Command, args []string) error {
			if len(args) != 1 {
				return hint.New(fmt.Errorf("want one name, of the cluster, user and context, got %d", len(args)), "podpass kubeconfig NAME --github, with a name of the installation's kube.clusters; or with --server URL --audience AUDIENCE")
			}
			return nil
		},
		ValidArgsFunction: func(cmd *cobra.Command, args []string, _ string) ([]string, cobra.ShellCompDirective) {
			if len(args) > 0 {
				return nil, cobra.ShellCompDirectiveNoFileComp
			}
			return o.names(cmd.Context()), cobra.ShellCompDirectiveNoFileComp
		},
		RunE: func(cmd *cobra.Command, args []string) error { return o.run(cmd, args[0]) },
	}
	f := cmd.Flags()
	f.StringVar(&o.place.server, "server", "", "`URL` of the API server")
	f.StringVar(&o.place.caFile, "certificate-authority", "", "`file` with the CA of --server, - for standard input, which becomes part of the kubeconfig (default: the machine's own)")
	f.StringVar(&o.place.tlsServerName, "tls-server-name", "", "name in the certificate of --server, if it is not the URL's")
	// No other of kubectl's: who it is, and whether it looks at certificates, is not what is
	// written.
	of := pflag.NewFlagSet("", pflag.ContinueOnError)
	o.cluster.Add(of, "namespace of the context that is written")
	for _, name := range []string{"kubeconfig", "context", "namespace", "settings"} {
		f.AddFlag(of.Lookup(name))
	}
	o.machine.AddFlags(f)
	f.StringVar(&o.machine.TokenFile, "token-file", "", "file that holds the token, as kubelet projects it")
	f.StringVar(&o.account, "service-account", "", "`NAMESPACE/NAME` of the ServiceAccount of another cluster that gets the token")
	f.StringVar(&o.machine.Context, "issuer-context", "", "context of the cluster whose ServiceAccount that is")
	f.StringVar(&o.machine.Kubeconfig, "issuer-kubeconfig", "", "kubeconfig file with --issuer-context (default: the one in use, at each command)")
	o.person.addFlags(f)
	f.StringVar(&o.output, "output", "", "file to write instead of standard output; it must not be there, but with --merge")
	f.BoolVar(&o.merge, "merge", false, "add to the file, which is kubectl's own without --output")
	f.Lookup("context").Usage = "context of the kubeconfig whose API server it is"
	f.Lookup("kubeconfig").Usage = "kubeconfig file with --context, with the installation's cluster, and for --merge (default: KUBECONFIG, or ~/.kube/config)"
	f.Lookup("settings").Usage = "the webhook's configuration file, with the cluster NAME, or with the token source of --source (default: that of the installation in the cluster)"
	o.cluster.Complete(cmd)
	for flag, extensions := range map[string][]string{"certificate-authority": {"crt", "pem"}, "settings": {"yaml", "yml", "json"}, "output": nil, "token-file": nil, "issuer-kubeconfig": nil} {
		_ = cmd.MarkFlagFilename(flag, extensions...) // completion only
	}
	o.person.complete(cmd)
	_ = cmd.RegisterFlagCompletionFunc("issuer-context", func(*cobra.Command, []string, string) ([]string, cobra.ShellCompDirective) {
		return o.cluster.ContextNames(), cobra.ShellCompDirectiveNoFileComp
	})
	return cmd
}

func (o *options) run(cmd *cobra.Command, name string) error {
	if !validName(name) {
		return errors.New("the name: want 1 to 253 printable characters, none of them a blank")
	}
	at, err := o.find(cmd.Context(), name, cmd.InOrStdin(), cmd.ErrOrStderr())
	if err != nil {
		return err
	}
	users, err := o.plugins(name, at, cmd.InOrStdin())
	if err != nil {
		return err
	}
	made := at.config(name, users)
	switch {
	case o.merge:
		file, err := o.file()
		if err != nil {
			return err
		}
		current, err := merge(file, made)
		if err == nil && current != name {
			fmt.Fprintf(cmd.ErrOrStderr(), "hint: kubectl --context %s, or kubectl config use-context %s\n", name, name)
		}
		return err
	case o.output != "":
		return create(o.output, made)
	}
	text, err := encode(made)
	if err != nil {
		return err
	}
	_, err = cmd.OutOrStdout().Write(text)
	return err
}

func validName(s string) bool {
	return s != "" && len(s) <= 253 && !strings.ContainsFunc(s, func(r rune) bool { return r <= ' ' || r >= 0x7f })
}
