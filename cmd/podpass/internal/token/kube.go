package token

import (
	"context"
	"errors"
	"fmt"
	"os"
	"time"

	"github.com/spf13/cobra"

	"github.com/podpass-io/podpass/cmd/podpass/internal/hint"
	"github.com/podpass-io/podpass/cmd/podpass/internal/kubetoken"
)

const kubeLong = `Print a token for a Kubernetes API server, as kubectl and client-go read it of an
exec plugin: an ExecCredential. podpass kubeconfig writes the kubeconfig that runs
this command, so that no kubeconfig holds a token.

The token comes from one place: a ServiceAccount of the kubeconfig's cluster, which
is another one than that whose API server is to take the token; a GitHub Actions job
(--github); a variable, as GitLab sets it (--token-env); a file, as kubelet projects
it (--token-file); or the pod's broker (--broker). By --source it is not that token
itself but what a token source of --settings gives for it.

A token that has expired, or is for another audience than --audience, is refused
before anybody is sent it. What had to be asked for is kept in a file that nobody
else can read, below the user's cache directory, until a fifth of its life is left. Then
a client asks again, too: expirationTimestamp says so, and not when the token ends.`

const kubeExamples = `  # The ServiceAccount deployer of the cluster hub, for an API server that trusts hub
  podpass token kube deployer -n ci --context hub --audience prod-us

  # In a GitHub Actions job with permissions: {id-token: write}
  podpass token kube --github --audience prod-us

  # In a GitLab job with id_tokens: {KUBE_TOKEN: {aud: prod-us}}
  podpass token kube --token-env KUBE_TOKEN --audience prod-us

  # By a token source, which trusts GitHub and gives tokens that the API server takes
  podpass token kube --github --settings settings.yaml --source keycloak

  # In a pod: the broker's token of a source, or a projected token
  podpass token kube --broker --source keycloak
  podpass token kube --token-file "$KUBE_TOKEN_FILE" --audience prod-us

  # The token alone
  curl -H "Authorization: Bearer $(podpass token kube --github --audience prod-us -o token)" https://prod-us.example.com/version`

func kubeCommand(o *options) *cobra.Command {
	var from kubetoken.Options
	var noCache bool
	cmd := &cobra.Command{
		Use:     "kube [SERVICEACCOUNT]",
		Short:   "Get a token for a Kubernetes API server, as kubectl's exec plugin",
		Long:    kubeLong,
		Example: kubeExamples,
		Args: func(_ *cobra.Command, args []string) error {
			if len(args) > 1 {
				return hint.New(fmt.Errorf("want the name of one ServiceAccount at most, got %d", len(args)), "podpass token kube SERVICEACCOUNT -n NAMESPACE --audience AUDIENCE")
			}
			return nil
		},
		ValidArgsFunction: o.accountNames,
		RunE: func(cmd *cobra.Command, args []string) error {
			ctx, cancel := context.WithTimeout(cmd.Context(), timeout)
			defer cancel()
			if len(args) == 1 {
				from.ServiceAccount = args[0]
			}
			from.TokenFile, from.SettingsFile = o.tokenFile, o.cluster.SettingsFile
			switch {
			case o.output != "json" && o.output != "token":
				return hint.New(fmt.Errorf("unknown output format %q", o.output), "use json or token")
			case len(o.files) > 0:
				return errors.New("--filename: no ServiceAccount's annotations matter here")
			}
			version, err := kubetoken.Version(os.Getenv(kubetoken.ExecInfo))
			if err != nil {
				return err
			}
			s := kubetoken.Surroundings{Cluster: o.cluster, Getenv: os.Getenv, Stderr: cmd.ErrOrStderr()}
			if !noCache {
				// Who has no home has no cache: each command asks.
				if s.Cache, _ = kubetoken.NewCache(); s.Cache != nil && os.Getenv(kubetoken.ExecInfo) != "" {
					s.Cache.Client = os.Getppid()
				}
			}
			t, err := from.Get(ctx, s)
			if err != nil {
				return hint.Exchange(err)
			}
			out := []byte(t.Secret.Reveal())
			if o.output == "json" {
				if out, err = t.Credential(version, time.Now()); err != nil {
					return err
				}
			}
			_, err = fmt.Fprintf(cmd.OutOrStdout(), "%s\n", out)
			return err
		},
	}
	o.outputs(cmd)
	from.AddFlags(cmd.Flags())
	cmd.Flags().BoolVar(&noCache, "no-cache", false, "neither take the token from the cache nor keep it there")
	cmd.Flags().Lookup("output").Usage = "json: an ExecCredential; or token: the token alone"
	return cmd
}
