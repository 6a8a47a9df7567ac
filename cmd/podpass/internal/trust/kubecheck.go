package trust

import (
	"context"
	"errors"
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"
	"text/tabwriter"
	"time"

	"github.com/spf13/cobra"
	"sigs.k8s.io/yaml"

	"github.com/podpass-io/podpass/cmd/podpass/internal/access"
	"github.com/podpass-io/podpass/cmd/podpass/internal/cluster"
	"github.com/podpass-io/podpass/cmd/podpass/internal/exit"
	"github.com/podpass-io/podpass/cmd/podpass/internal/hint"
	"github.com/podpass-io/podpass/cmd/podpass/internal/manifest"
	"github.com/podpass-io/podpass/cmd/podpass/internal/report"
	"github.com/podpass-io/podpass/federation"
	"github.com/podpass-io/podpass/federation/finding"
	"github.com/podpass-io/podpass/federation/trust/kubetrust"
)

const kubeCheckLong = `Say whether an API server with an AuthenticationConfiguration takes a token: by which
issuer, and as whom (username, uid, groups, extra); or which rule refuses it. The API
server's own code decides.

The token is read of a file and not shown; its signature is verified if the issuer's
keys are given, too. Or it is described by its claims, as JSON or YAML; without exp
they are those of a token that has not come to its end.

Asked for a verb and a resource, it also says whether RBAC lets that user do it: by
the RBAC objects of files, or, without any, by asking the cluster of the kubeconfig,
whose every authorizer answers then.

The exit status is 0 if all is sound, 1 if something was found, and 2 if podpass could
not look.`

const kubeCheckExamples = `  # Would the API server take this token, and as whom?
  podpass trust check kube authentication.yaml --token-file token --jwks jwks.json

  # The same of claims, before anybody has a token
  podpass trust check kube authentication.yaml --claims claims.yaml

  # And may its bearer read pods? By RBAC in files
  podpass trust check kube authentication.yaml --claims claims.yaml --verb list --resource pods -n shop --rbac rbac.yaml`

// kubeCheckOptions are those of `podpass trust check kube`.
type kubeCheckOptions struct {
	cluster    *cluster.Flags
	tokenFile  string
	claims     string
	jwks       string
	ownIssuers []string
	wanted     access.Flags
	rbac       []string
	output     string
	version    string
}

func kubeCheckCommand(version string) *cobra.Command {
	o := kubeCheckOptions{cluster: cluster.New(version), version: version}
	cmd := &cobra.Command{
		Use:     "kube CONFIGURATION",
		Short:   "Say whether an API server takes a token, as whom, and what RBAC says",
		Long:    kubeCheckLong,
		Example: kubeCheckExamples,
		Args:    cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			ctx, cancel := context.WithTimeout(cmd.Context(), timeout)
			defer cancel()
			return o.run(ctx, args[0], cmd.InOrStdin(), cmd.OutOrStdout())
		},
	}
	f := cmd.Flags()
	o.cluster.Add(f, "namespace of the resource (default: the kubeconfig's; with --rbac, none)")
	f.StringVar(&o.tokenFile, "token-file", "", "file with the token, - for standard input")
	f.StringVar(&o.claims, "claims", "", "file with the claims of a token, instead of --token-file; - for standard input")
	f.StringVar(&o.jwks, "jwks", "", "file with the keys of the token's issuer, by which its signature is verified")
	f.StringArrayVar(&o.ownIssuers, "own-issuer", nil, "`URL` of the API server's own ServiceAccount issuer, which the configuration must not list; may be repeated")
	o.wanted.Add(cmd)
	f.StringArrayVar(&o.rbac, "rbac", nil, "file with RBAC objects, instead of asking the cluster; may be repeated")
	report.AddFormat(cmd, &o.output, "; wide shows fixes")
	cmd.MarkFlagsMutuallyExclusive("token-file", "claims")
	cmd.MarkFlagsOneRequired("token-file", "claims")
	for flag, kinds := range map[string][]string{"claims": {"json", "yaml", "yml"}, "jwks": {"json"}, "rbac": {"yaml", "yml", "json"}} {
		_ = cmd.MarkFlagFilename(flag, kinds...) // completion only
	}
	o.cluster.Complete(cmd)
	return cmd
}

// kubeResult is what came of a configuration and a token.
type kubeResult struct {
	Configuration string `json:"configuration"`
	kubetrust.Verdict
	// Access is the answer of RBAC; nil: nobody asked.
	Access *kubeAccess `json:"access,omitempty"`
}

func (o kubeCheckOptions) run(ctx context.Context, file string, stdin io.Reader, stdout io.Writer) error {
	if err := report.CheckFormat(o.output); err != nil {
		return err
	}
	if err := manifest.Once(append([]string{file, o.jwks, o.tokenFile, o.claims}, o.rbac...)...); err != nil {
		return err
	}
	raw, err := manifest.ReadFile(stdin, file, maxInput)
	if err != nil {
		return err
	}
	token, err := o.token(stdin)
	if err != nil {
		return err
	}
	want, err := o.wanted.Wanted(o.cluster.GivenNamespace())
	if err != nil {
		return err
	}
	r := kubeResult{Configuration: file}
	d, found := kubetrust.Parse(raw, kubetrust.Options{OwnIssuers: o.ownIssuers})
	if d != nil {
		r.Verdict = kubetrust.Evaluate(ctx, d, token)
	}
	r.Findings = append(found, r.Findings...)
	if want != nil && r.User != nil {
		if r.Access, err = o.access(ctx, stdin, *want, *r.User); err != nil {
			return err
		}
	}
	if err := o.write(stdout, r); err != nil {
		return err
	}
	return r.summary()
}

func (o kubeCheckOptions) token(stdin io.Reader) (kubetrust.Token, error) {
	var t kubetrust.Token
	if o.jwks != "" {
		raw, err := manifest.ReadFile(stdin, o.jwks, maxInput)
		if err != nil {
			return t, fmt.Errorf("--jwks: %w", err)
		}
		t.JWKS = raw
	}
	if o.claims != "" {
		if o.jwks != "" {
			return t, hint.New(errors.New("--jwks verifies a token, and claims are none"), "give the token with --token-file")
		}
		raw, err := manifest.ReadFile(stdin, o.claims, maxToken)
		if err != nil {
			return t, fmt.Errorf("--claims: %w", err)
		}
		if err := yaml.Unmarshal(raw, &t.Claims); err != nil || t.Claims == nil {
			return t, hint.New(fmt.Errorf("--claims %s: not an object of claims", o.claims), "write them as in a token: iss, sub, aud, groups")
		}
		return t, nil
	}
	raw, err := manifest.ReadFile(stdin, o.tokenFile, maxToken)
	if err != nil {
		return t, fmt.Errorf("--token-file: %w", err)
	}
	t.Raw = federation.Secret(raw)
	return t, nil
}

func (r kubeResult) all() []finding.Finding {
	list := slices.Clone(r.Findings)
	if r.Access != nil {
		list = append(list, r.Access.Findings...)
	}
	return list
}

// summary is the error that decides the exit status; nil: all is sound.
func (r kubeResult) summary() error {
	const next = "docs/errors.md explains each code; -o wide shows the fixes"
	switch worst := finding.Worst(r.all()); {
	case !r.Allowed:
		return exit.Found(hint.New(errors.New("the API server does not take the token"), next))
	case r.Access != nil && !r.Access.Allowed:
		return exit.Found(hint.New(fmt.Errorf("the token is taken, and its bearer may not %s", r.Access.Wanted), next))
	case worst == finding.Warning || worst == finding.Error:
		return exit.Found(hint.New(errors.New("the token is taken, and something should not stay so"), next))
	}
	return nil
}

func (o kubeCheckOptions) write(w io.Writer, r kubeResult) error {
	switch o.output {
	case "json":
		return report.WriteJSON(w, r)
	case "yaml":
		return report.WriteYAML(w, r)
	case "sarif", "html":
		return o.report(r).Write(w, o.output, false)
	}
	columns := tabwriter.NewWriter(w, 0, 8, 3, ' ', 0)
	line := func(name, value string) {
		if value != "" {
			fmt.Fprintf(columns, "%s\t%s\n", name, value)
		}
	}
	verdict := "refused"
	if r.Allowed {
		verdict = "taken by " + r.By
	}
	line("TOKEN", verdict)
	if r.User != nil {
		line("USERNAME", r.User.Username)
		line("UID", r.User.UID)
		line("GROUPS", strings.Join(r.User.Groups, ", "))
		for _, key := range slices.Sorted(maps.Keys(r.User.Extra)) {
			line("EXTRA", key+": "+strings.Join(r.User.Extra[key], ", "))
		}
	}
	if r.Access != nil {
		line("ACCESS", r.Access.said())
	}
	if err := columns.Flush(); err != nil {
		return err
	}
	return details(w, r.all(), o.output == "wide")
}

func (o kubeCheckOptions) report(r kubeResult) *report.Report {
	all := &report.Report{
		Tool: "podpass trust check kube", Version: o.version, Time: time.Now().UTC().Truncate(time.Second),
		Looked: []report.Count{{What: "configurations", N: 1}},
	}
	add := func(name, about string, found []finding.Finding) {
		c := report.Check{Name: name, About: about, Result: report.Sound}
		for _, f := range found {
			c.Result = report.Found
			if !slices.Contains(c.Codes, f.Code) {
				c.Codes = append(c.Codes, f.Code)
			}
			all.Findings = append(all.Findings, report.Finding{Finding: f})
		}
		all.Checks = append(all.Checks, c)
	}
	about := "does not take the token"
	if r.User != nil {
		about = "takes the token as " + r.User.Username + ", in groups " + strings.Join(r.User.Groups, ", ")
	}
	add("API server", about, r.Findings)
	if r.Access != nil {
		add("RBAC", r.Access.said(), r.Access.Findings)
	}
	all.Sort()
	return all
}
