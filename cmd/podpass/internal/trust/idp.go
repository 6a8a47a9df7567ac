package trust

import (
	"errors"
	"fmt"
	"io"
	"strings"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/podpass-io/podpass/cmd/podpass/internal/exit"
	"github.com/podpass-io/podpass/cmd/podpass/internal/hint"
	"github.com/podpass-io/podpass/federation/finding"
	"github.com/podpass-io/podpass/federation/trust/idp"
)

const idpLong = `Print what an identity provider must hold so that a company's people sign in to its
clusters, and its pods to the provider: a public client for each cluster, with PKCE and
the device flow; the groups that RBAC binds, in the tokens; and for pods clients that a
cluster's own tokens authenticate, so that nobody has a secret.

Each provider's own traps stand as comments in what is printed. The API server's half is
podpass trust kube's: it must have the same issuer, and the client ID as its audience.

No provider and no cluster is asked and nothing is changed anywhere.`

// preset is what the file of providers gives to a command.
type preset struct {
	provider idp.Provider
	title    string
	help     help
	// flags that this provider has alone.
	flags func(*pflag.FlagSet, *idp.Setup)
	// pods: it takes tokens of clusters.
	pods bool
}

func idpCommand() *cobra.Command {
	cmd := &cobra.Command{
		Use:     "idp",
		Short:   "Print what an identity provider must hold for people and pods",
		Long:    idpLong,
		Example: idpExamples,
		Args:    cobra.NoArgs,
		RunE:    func(cmd *cobra.Command, _ []string) error { return cmd.Help() },
	}
	for _, p := range presets() {
		cmd.AddCommand(presetCommand(p))
	}
	return cmd
}

// idpOptions are those of `podpass trust idp keycloak` and its like.
type idpOptions struct {
	setup   idp.Setup
	pods    []string
	issuers []string
	output  string
}

func presetCommand(p preset) *cobra.Command {
	o := idpOptions{setup: idp.Setup{Provider: p.provider}}
	cluster := "CLUSTER"
	if p.provider == idp.Keycloak || p.provider == idp.Okta {
		cluster = "CLUSTER[=CLIENT_ID]"
	}
	cmd := &cobra.Command{
		Use:     string(p.provider) + " " + cluster + "...",
		Short:   "Print what " + p.title + " must hold for people who sign in to clusters",
		Long:    p.help.long,
		Example: p.help.examples,
		Args: func(_ *cobra.Command, args []string) error {
			if len(args) == 0 {
				return hint.New(errors.New("no cluster is named"), "name those that people sign in to: podpass trust idp "+string(p.provider)+" prod-eu prod-us")
			}
			return nil
		},
		ValidArgsFunction: cobra.NoFileCompletions,
	}
	f := cmd.Flags()
	p.flags(f, &o.setup)
	f.StringArrayVar(&o.setup.Groups, "group", nil, "`name` of a group that RBAC binds; may be repeated")
	f.StringArrayVar(&o.setup.RedirectURIs, "redirect-uri", nil, "`URL` on people's own machines to which sign-in leads back; may be repeated (default: kubelogin's, http://localhost:8000 and :18000)")
	f.StringArrayVar(&o.setup.Scopes, "scope", nil, "`name` of a scope that people's kubeconfigs ask for; may be repeated (default: the preset's)")
	if p.pods {
		f.StringArrayVar(&o.pods, "pod", nil, "ServiceAccount that signs in by its own token, `CLUSTER/NAMESPACE/NAME[=CLUSTER,...]`: behind the sign the clusters whose API it talks to; may be repeated")
		f.StringArrayVar(&o.issuers, "cluster-issuer", nil, "issuer of a cluster with such pods, `CLUSTER=URL`; may be repeated")
	}
	forms := p.provider.Forms()
	f.StringVarP(&o.output, "output", "o", forms[0], inWords(forms, "or"))
	f.VisitAll(func(flag *pflag.Flag) { // none of them is a file
		complete := cobra.NoFileCompletions
		if flag.Name == "output" {
			complete = cobra.FixedCompletions(forms, cobra.ShellCompDirectiveNoFileComp)
		}
		_ = cmd.RegisterFlagCompletionFunc(flag.Name, complete) // completion only
	})
	cmd.RunE = func(cmd *cobra.Command, args []string) error {
		return o.run(args, cmd.OutOrStdout(), cmd.ErrOrStderr())
	}
	return cmd
}

func (o idpOptions) run(args []string, stdout, stderr io.Writer) error {
	if err := o.read(args); err != nil {
		return err
	}
	plan, found := idp.Render(o.setup)
	var errs []error
	for _, f := range found {
		fix := f.Fix
		f.Fix = ""
		if f.Severity == finding.Error {
			errs = append(errs, exit.Found(hint.New(errors.New(f.String()), fix)))
			continue
		}
		fmt.Fprintf(stderr, "warning: %s; fix: %s\n", f, fix)
	}
	if len(errs) > 0 {
		return errors.Join(errs...)
	}
	b, err := plan.Form(o.output)
	if errors.Is(err, idp.ErrNoForm) {
		return hint.New(fmt.Errorf("unknown output format %q", o.output), "use "+inWords(o.setup.Provider.Forms(), "or"))
	}
	if err != nil {
		return err
	}
	_, err = stdout.Write(b)
	return err
}

// read puts arguments and flags of several parts into the setup.
func (o *idpOptions) read(args []string) error {
	for _, text := range args {
		name, client, _ := strings.Cut(text, "=")
		o.setup.Clusters = append(o.setup.Clusters, idp.Cluster{Name: name, ClientID: client})
	}
	for _, text := range o.issuers {
		name, url, ok := strings.Cut(text, "=")
		known := false
		for n := range o.setup.Clusters {
			if c := &o.setup.Clusters[n]; c.Name == name {
				c.Issuer, known = url, true
			}
		}
		if !ok || !known {
			return hint.New(fmt.Errorf("--cluster-issuer %q is of none of the clusters", text), "use --cluster-issuer prod-eu=https://oidc.example.com/prod-eu, with prod-eu among the arguments")
		}
	}
	for _, text := range o.pods {
		who, audiences, talks := strings.Cut(text, "=")
		parts := strings.Split(who, "/")
		if len(parts) != 3 || talks && audiences == "" {
			return hint.New(fmt.Errorf("--pod %q is no ServiceAccount of a cluster", text), "use --pod prod-eu/shop/orders, or --pod prod-eu/shop/orders=prod-us for one that talks to that cluster")
		}
		pod := idp.Pod{Cluster: parts[0], Namespace: parts[1], ServiceAccount: parts[2]}
		if talks {
			pod.Audiences = strings.Split(audiences, ",")
		}
		o.setup.Pods = append(o.setup.Pods, pod)
	}
	return nil
}

// inWords is a list for people: "shell, json or steps".
func inWords(list []string, last string) string {
	n := len(list) - 1
	if n < 1 {
		return strings.Join(list, "")
	}
	return strings.Join(list[:n], ", ") + " " + last + " " + list[n]
}
