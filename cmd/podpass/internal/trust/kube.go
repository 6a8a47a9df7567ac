package trust

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/podpass-io/podpass/cmd/podpass/internal/cluster"
	"github.com/podpass-io/podpass/cmd/podpass/internal/exit"
	"github.com/podpass-io/podpass/cmd/podpass/internal/hint"
	"github.com/podpass-io/podpass/cmd/podpass/internal/manifest"
	"github.com/podpass-io/podpass/federation/finding"
	"github.com/podpass-io/podpass/federation/trust/kubetrust"
)

const kubeLong = `Print what an API server must hold so that it takes the tokens of other issuers: the
AuthenticationConfiguration (--authentication-config), the --oidc-* flags of older
API servers, or the RBAC of the usual rights.

Issuers are a provider for people (keycloak, okta, entra, google, auth0, oidc), the CI
services (github, gitlab) and other clusters, whose pods become users
<cluster>:system:serviceaccount:<namespace>:<name>. Each has a name, which comes before
its users and groups; nobody from outside can be one of Kubernetes' own. A file lists
them, with what is particular about each, and the rights:

  issuers:
  - {preset: keycloak, url: https://login.example.com/realms/prod, audiences: [kubernetes]}
  - {preset: entra, tenant: 11111111-2222-3333-4444-555555555555, audiences: [CLIENT-ID]}
  - {preset: google, domains: [example.com], audiences: [CLIENT-ID]}
  - {preset: github, owners: [example], audiences: [https://prod.example.com]}
  - {preset: cluster, name: prod-eu, url: https://oidc.example.com/prod-eu, audiences: [https://prod.example.com]}
  rights:
  - {pattern: developers, group: "keycloak:developers", namespaces: [shop]}
  - {pattern: readers, group: "keycloak:sre"}
  - {pattern: admins, group: "keycloak:platform"}

The API server fetches the keys of each issuer; its configuration has no place for them.
What is printed was validated as the API server does it.`

const kubeExamples = `  # The file for --authentication-config, which the API server reads again when it changes
  podpass trust kube -f issuers.yaml > authentication.yaml

  # RBAC for the groups of the list
  podpass trust kube -f issuers.yaml -o rbac | kubectl apply -f -

  # Another cluster's pods, and nobody else
  podpass trust kube --pods prod-eu=https://oidc.example.com/prod-eu --audience https://prod.example.com

  # The same of two clusters, which are asked for their issuers
  podpass trust kube --context prod-eu --context test --audience https://prod.example.com

  # An API server from before 1.30
  podpass trust kube --people keycloak=https://login.example.com/realms/prod --audience kubernetes -o flags`

// kubeOptions are those of `podpass trust kube`.
type kubeOptions struct {
	cluster    *cluster.Flags
	files      []string
	pods       []string
	people     []string
	audiences  []string
	ownIssuers []string
	version    string
	output     string
}

var kubeFormats = []string{"yaml", "json", "flags", "rbac"}

func kubeCommand(version string) *cobra.Command {
	o := kubeOptions{cluster: cluster.New(version)}
	cmd := &cobra.Command{
		Use:     "kube",
		Short:   "Print what an API server must hold for people, CI and other clusters' pods",
		Long:    kubeLong,
		Example: kubeExamples,
		Args:    cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			ctx, cancel := context.WithTimeout(cmd.Context(), timeout)
			defer cancel()
			return o.run(ctx, cmd.InOrStdin(), cmd.OutOrStdout(), cmd.ErrOrStderr())
		},
	}
	f := cmd.Flags()
	f.StringArrayVarP(&o.files, "filename", "f", nil, "file with issuers and rights, - for standard input; may be repeated")
	f.StringArrayVar(&o.pods, "pods", nil, "another cluster whose pods are trusted, `NAME=URL` of its issuer; may be repeated")
	o.cluster.AddContexts(f)
	f.Lookup("context").Usage = "context of another cluster whose pods are trusted, by the name of the context; its API server tells its issuer; may be repeated"
	of := pflag.NewFlagSet("", pflag.ContinueOnError)
	o.cluster.Add(of, "")
	f.AddFlag(of.Lookup("kubeconfig")) // no other: who asks, and in which namespace, decides nothing
	f.Lookup("kubeconfig").Usage = "kubeconfig file with --context (default: KUBECONFIG, or ~/.kube/config)"
	o.cluster.Complete(cmd)
	f.StringArrayVar(&o.people, "people", nil, "a provider for people, `PRESET=URL`; may be repeated")
	f.StringArrayVar(&o.audiences, "audience", nil, "audience of the tokens of --pods, --context and --people; may be repeated")
	f.StringArrayVar(&o.ownIssuers, "own-issuer", nil, "`URL` of the API server's own ServiceAccount issuer, which cannot be listed; may be repeated")
	f.StringVar(&o.version, "api-version", kubetrust.Versions[0], "version of the configuration: v1, from Kubernetes 1.34 on, or v1beta1, from 1.30 on")
	f.StringVarP(&o.output, "output", "o", "yaml", strings.Join(kubeFormats, ", "))
	_ = cmd.MarkFlagFilename("filename", "yaml", "yml", "json")                                                                       // completion only
	_ = cmd.RegisterFlagCompletionFunc("output", cobra.FixedCompletions(kubeFormats, cobra.ShellCompDirectiveNoFileComp))             // completion only
	_ = cmd.RegisterFlagCompletionFunc("api-version", cobra.FixedCompletions(kubetrust.Versions, cobra.ShellCompDirectiveNoFileComp)) // completion only
	_ = cmd.RegisterFlagCompletionFunc("people", func(*cobra.Command, []string, string) ([]string, cobra.ShellCompDirective) {
		var list []string
		for _, p := range []string{kubetrust.Keycloak, kubetrust.Okta, kubetrust.Entra, kubetrust.Google, kubetrust.Auth0, kubetrust.OIDC} {
			list = append(list, p+"=")
		}
		return list, cobra.ShellCompDirectiveNoFileComp | cobra.ShellCompDirectiveNoSpace
	}) // completion only
	return cmd
}

// spec joins the files and the flags.
func (o kubeOptions) spec(ctx context.Context, stdin io.Reader) (kubetrust.Spec, error) {
	var all kubetrust.Spec
	for _, name := range o.files {
		raw, err := manifest.ReadFile(stdin, name, maxInput)
		if err != nil {
			return all, err
		}
		s, err := kubetrust.ParseSpec(raw)
		if err != nil {
			return all, hint.New(fmt.Errorf("%s: %w", name, err), "podpass trust kube --help shows what a list of issuers looks like")
		}
		all.Issuers, all.Rights = append(all.Issuers, s.Issuers...), append(all.Rights, s.Rights...)
	}
	named, err := o.named()
	if err != nil {
		return all, err
	}
	asked, err := o.asked(ctx)
	if err != nil {
		return all, err
	}
	all.Issuers = slices.Concat(all.Issuers, named, asked)
	if len(all.Issuers) == 0 {
		return all, hint.New(errors.New("whom is the API server to trust?"), "list issuers in a file (-f), or name them with --people, --pods and --context")
	}
	return all, nil
}

func (o kubeOptions) run(ctx context.Context, stdin io.Reader, stdout, stderr io.Writer) error {
	write, ok := map[string]func(*kubetrust.Plan) ([]byte, []finding.Finding, error){
		"yaml": func(p *kubetrust.Plan) ([]byte, []finding.Finding, error) { b, err := p.YAML(); return b, nil, err },
		"json": func(p *kubetrust.Plan) ([]byte, []finding.Finding, error) { b, err := p.JSON(); return b, nil, err },
		"rbac": func(p *kubetrust.Plan) ([]byte, []finding.Finding, error) { b, err := p.RBAC(); return b, nil, err },
		"flags": func(p *kubetrust.Plan) ([]byte, []finding.Finding, error) {
			flags, found := p.Flags()
			var b bytes.Buffer
			for _, f := range flags {
				fmt.Fprintln(&b, f)
			}
			return b.Bytes(), found, nil
		},
	}[o.output]
	if !ok {
		return hint.New(fmt.Errorf("unknown output format %q", o.output), "use yaml, json, flags or rbac")
	}
	if !slices.Contains(kubetrust.Versions, o.version) {
		return hint.New(fmt.Errorf("unknown version %q of the configuration", o.version), "use "+strings.Join(kubetrust.Versions, " or "))
	}
	spec, err := o.spec(ctx, stdin)
	if err != nil {
		return err
	}
	if o.output == "rbac" && len(spec.Rights) == 0 {
		return hint.New(errors.New("there is no RBAC to print: no rights are listed"), "add rights to the file: podpass trust kube --help")
	}
	plan, found := kubetrust.Render(spec, kubetrust.Options{OwnIssuers: o.ownIssuers, Version: o.version})
	if err := tell(stderr, found); err != nil {
		return err
	}
	b, found, err := write(plan)
	if err != nil {
		return err
	}
	if err := tell(stderr, found); err != nil {
		return err
	}
	_, err = stdout.Write(b)
	return err
}

// tell prints warnings and notes, and gives the errors.
func tell(stderr io.Writer, found []finding.Finding) error {
	var errs []error
	for _, f := range found {
		next := f.Fix
		f.Fix = ""
		switch f.Severity {
		case finding.Error:
			errs = append(errs, exit.Found(hint.New(errors.New(f.String()), next)))
		case finding.Warning:
			fmt.Fprintf(stderr, "warning: %s; fix: %s\n", f, next)
		case finding.Info:
			fmt.Fprintf(stderr, "note: %s; fix: %s\n", f, next)
		}
	}
	return errors.Join(errs...)
}
