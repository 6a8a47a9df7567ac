package issuer

import (
	"cmp"
	"context"
	"time"

	"github.com/spf13/cobra"
	"k8s.io/client-go/kubernetes"

	"github.com/podpass-io/podpass/cmd/podpass/internal/cluster"
	"github.com/podpass-io/podpass/cmd/podpass/internal/report"
	"github.com/podpass-io/podpass/federation"
	"github.com/podpass-io/podpass/federation/finding"
	"github.com/podpass-io/podpass/federation/issuer"
)

const verifyLong = `Say whether clouds can verify the cluster's tokens, and if not, why.

What is published is read as a cloud reads it: by https, with the certificates that this
machine trusts, and without credentials. It is held against what the cluster signs with:
its own keys, and a token that it mints for a ServiceAccount, of which only the claims
are looked at. The token is for an audience that no cloud takes. You need the right to
create serviceaccounts/token; without it, what is published is looked at alone.

Run it from outside of the network of the cluster: what a name or a certificate is may
differ inside. The exit status is 0 if all is sound, 1 if something was found, 2 if
podpass could not look.`

const verifyExamples = `  # The cluster's issuer
  podpass issuer verify

  # An issuer whose certificate is of your own CA, for verifiers on the same network
  podpass issuer verify --issuer https://issuer.example.com/prod --issuer-ca ca.crt

  # In a pipeline
  podpass issuer verify -o sarif > issuer.sarif`

// audience of a token that is minted to be looked at: nobody's.
const audience = "podpass-issuer-verify"

type verifyOptions struct {
	common
	account string
}

func verifyCommand(version string) *cobra.Command {
	o := &verifyOptions{}
	cmd := &cobra.Command{
		Use:     "verify",
		Short:   "Say whether clouds can verify the cluster's tokens, and if not, why",
		Long:    verifyLong,
		Example: verifyExamples,
		Args:    cobra.NoArgs,
		RunE:    o.run,
	}
	f := cmd.Flags()
	o.add(f, version, "`URL` of the issuer (default: the one that the cluster's tokens name)")
	o.addCA(f)
	f.StringVar(&o.account, "service-account", "default", "ServiceAccount of which a token is minted")
	report.AddFormat(cmd, &o.output, "")
	o.complete(cmd)
	return cmd
}

func (o *verifyOptions) run(cmd *cobra.Command, _ []string) error {
	ctx, cancel := context.WithTimeout(cmd.Context(), timeout)
	defer cancel()
	if err := report.CheckFormat(o.output); err != nil {
		return err
	}
	outside, private, err := o.outside()
	if err != nil {
		return err
	}
	client, _, err := o.cluster.Client("run it where there is a cluster")
	if err != nil {
		return err
	}
	namespace, err := o.cluster.Namespace()
	if err != nil {
		return err
	}
	progress := report.StartProgress(ctx, cmd.ErrOrStderr())
	defer progress.End()
	progress.Say("asking the API server")
	s, err := ask(ctx, client, "cluster")
	if err != nil {
		return err
	}
	c := issuer.Cluster{Keys: s.keys, Private: private}
	var found []finding.Finding
	token, err := mint(ctx, client, namespace, o.account)
	if err == nil {
		c.Token = &token
	} else {
		found = append(found, finding.Finding{
			Code: issuer.CodeSigningKey, Severity: finding.Warning, Where: "ServiceAccount " + namespace + "/" + o.account,
			Message: "no token could be minted, so that it is not known which key signs", Seen: err.Error(),
			Fix: "have somebody grant you create on serviceaccounts/token there, or name another with -n and --service-account",
		})
	}
	url := cmp.Or(o.issuer, token.Issuer, s.document.Issuer)
	progress.Say("reading %s", url)
	found = append(found, issuer.Verify(issuer.Fetch(ctx, outside, url), c)...)
	progress.End()
	return o.report(cmd, url, found)
}

func (o *verifyOptions) report(cmd *cobra.Command, url string, found []finding.Finding) error {
	r := &report.Report{
		Tool: "podpass issuer verify", Version: o.version, Time: time.Now().UTC().Truncate(time.Second), Cluster: o.cluster.ContextName(),
		Looked: []report.Count{{What: "issuers", N: 1}},
		Checks: []report.Check{{Name: "issuer", About: url, Result: report.Sound}},
	}
	for _, f := range found {
		r.Findings = append(r.Findings, report.Finding{Finding: f})
		r.Checks[0].Result, r.Checks[0].Codes = report.Found, append(r.Checks[0].Codes, f.Code)
	}
	r.Sort()
	if err := r.Write(cmd.OutOrStdout(), o.output, report.Colour(cmd.OutOrStdout())); err != nil {
		return err
	}
	return r.Err()
}

// mint gives the claims of a token that the cluster mints now.
func mint(ctx context.Context, client kubernetes.Interface, namespace, account string) (federation.Claims, error) {
	t, err := cluster.TokenRequest{Client: client, Namespace: namespace, ServiceAccount: account, Audience: audience}.SubjectToken(ctx)
	return t.Claims, err
}
