package issuer

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"slices"
	"time"

	"github.com/spf13/cobra"

	"github.com/podpass-io/podpass/cmd/podpass/internal/exit"
	"github.com/podpass-io/podpass/cmd/podpass/internal/hint"
	"github.com/podpass-io/podpass/federation/finding"
	"github.com/podpass-io/podpass/federation/issuer"
	"github.com/podpass-io/podpass/federation/issuer/publish"
)

const publishLong = `Publish an issuer's discovery document and keys, where clouds read them.

` + placesHelp + `

The keys are written before the document that points to them, each whole or not at all,
as JSON that caches may keep for an hour. Keys that are published already stay, so that
clusters can share an issuer; --drop takes one away. Nothing else is written, nothing is
deleted, and if somebody else writes at the same time podpass says so and stops. What it
would do is shown; --approve does it, and then looks from outside.

` + sourcesHelp

const publishExamples = `  # What would be written?
  podpass issuer publish --issuer https://issuer.example.com/prod --to 's3://issuer-example/prod?region=eu-central-1'

  # Write it
  podpass issuer publish --issuer https://issuer.example.com/prod --to 's3://issuer-example/prod?region=eu-central-1' --approve

  # To Google Cloud Storage
  gcloud auth print-access-token | podpass issuer publish --issuer https://storage.googleapis.com/issuer-example --to gs://issuer-example --token-stdin --approve

  # To Azure Blob Storage
  az account get-access-token --resource https://storage.azure.com --query accessToken -o tsv | podpass issuer publish --issuer https://issuerexample.blob.core.windows.net/keys --to az://issuerexample/keys --token-stdin --approve

  # To a web server's directory, of a public key file
  podpass issuer publish --issuer https://oidc.example.com/prod --to www/prod sa.pub --approve`

type publishOptions struct {
	common
	place    placeOptions
	jwksPath string
	drop     []string
	replace  bool
	approve  bool
}

func publishCommand(version string) *cobra.Command {
	o := &publishOptions{}
	cmd := &cobra.Command{
		Use:     "publish --to PLACE [SOURCE...]",
		Short:   "Publish the discovery document and the keys of an issuer",
		Long:    publishLong,
		Example: publishExamples,
		RunE:    o.run,
	}
	f := cmd.Flags()
	o.add(f, version, "`URL` of the issuer (default: the cluster's own)")
	o.addCA(f)
	o.place.add(f)
	f.StringVar(&o.jwksPath, "jwks-path", issuer.DefaultJWKSPath, "where below the issuer the keys are")
	f.StringArrayVar(&o.drop, "drop", nil, "`kid` of a published key that goes; may be repeated")
	f.BoolVar(&o.replace, "replace", false, "take what is published for nothing: another issuer's, a private key, no JWKS")
	f.BoolVar(&o.approve, "approve", false, "do it")
	f.StringVarP(&o.output, "output", "o", "text", "text or json")
	o.complete(cmd, texts...)
	return cmd
}

var texts = []string{"text", "json"}

func checkText(output string) error {
	if slices.Contains(texts, output) {
		return nil
	}
	return hint.New(fmt.Errorf("unknown output format %q", output), "use text or json")
}

func (o *publishOptions) run(cmd *cobra.Command, args []string) error {
	ctx, cancel := context.WithTimeout(cmd.Context(), timeout)
	defer cancel()
	if err := checkText(o.output); err != nil {
		return err
	}
	if o.place.tokenStdin && slices.Contains(args, "-") {
		return hint.New(errors.New("standard input is asked for both a token and keys"), "put one of them elsewhere")
	}
	outside, private, err := o.outside()
	if err != nil {
		return err
	}
	place, err := o.place.open(cmd, o.place.to)
	if err != nil {
		return err
	}
	url, keys, err := o.wanted(ctx, cmd, args)
	if err != nil {
		return err
	}
	plan, err := publish.Prepare(ctx, place, publish.Wanted{Issuer: url, JWKSPath: o.jwksPath, Keys: keys, Drop: o.drop, Replace: o.replace})
	if err != nil {
		return explain(err)
	}
	result := newPublished(place, url, plan)
	if o.approve {
		if err := plan.Apply(ctx); err != nil {
			return explain(err)
		}
		result.Written = true
		p := settled(ctx, func() issuer.Published { return issuer.Fetch(ctx, outside, url) }, plan.Keys)
		result.Findings = issuer.Verify(p, issuer.Cluster{Private: private, Keys: plan.Keys})
	}
	if err := result.write(cmd.OutOrStdout(), o.output); err != nil {
		return err
	}
	if !o.approve && len(plan.Writes) > 0 {
		fmt.Fprintln(cmd.ErrOrStderr(), "hint: nothing has been written; --approve does it")
	}
	if w := finding.Worst(result.Findings); w == finding.Error || w == finding.Warning {
		return exit.Found(errors.New("what is seen from outside is not sound"))
	}
	return nil
}

// patience with caches before the place, after a write.
const patience = 10 * time.Second

// settled looks until all keys are seen, or patience ends.
func settled(ctx context.Context, look func() issuer.Published, keys issuer.Keys) issuer.Published {
	for end := time.Now().Add(patience); ; {
		p := look()
		missing := slices.ContainsFunc(keys, func(k issuer.Key) bool { _, ok := p.Keys.Find(k.ID); return !ok })
		if !missing || time.Now().After(end) {
			return p
		}
		select {
		case <-ctx.Done():
			return p
		case <-time.After(time.Second):
		}
	}
}

// published is what publishing does, or would do.
type published struct {
	Place    string            `json:"place"`
	Issuer   string            `json:"issuer"`
	Keys     []string          `json:"keys"`
	Added    []string          `json:"added"`
	Dropped  []string          `json:"dropped"`
	Writes   []string          `json:"writes"`
	Written  bool              `json:"written"`
	Findings []finding.Finding `json:"findings"`

	all issuer.Keys
}

func newPublished(place publish.Place, url string, plan *publish.Plan) *published {
	p := &published{
		Place: place.String(), Issuer: url, Keys: plan.Keys.IDs(), Added: plan.Added, Dropped: plan.Dropped, Writes: []string{},
		Findings: []finding.Finding{}, all: plan.Keys,
	}
	for _, o := range plan.Writes {
		p.Writes = append(p.Writes, o.Path)
	}
	return p
}

func (p *published) write(w io.Writer, format string) error {
	if format == "json" {
		e := json.NewEncoder(w)
		e.SetEscapeHTML(false)
		e.SetIndent("", "  ")
		return e.Encode(p)
	}
	lines := []string{"issuer   " + p.Issuer, "place    " + p.Place}
	for _, k := range p.all {
		word := "keep     "
		if slices.Contains(p.Added, k.ID) {
			word = "add      "
		}
		lines = append(lines, word+k.String())
	}
	for _, kid := range p.Dropped {
		lines = append(lines, "drop     kid "+kid)
	}
	word := "write    "
	if p.Written {
		word = "written  "
	}
	for _, path := range p.Writes {
		lines = append(lines, word+path)
	}
	if len(p.Writes) == 0 {
		lines = append(lines, "nothing has to be written")
	}
	for _, f := range p.Findings {
		lines = append(lines, "seen     "+string(f.Severity)+" "+f.String())
	}
	if p.Written && len(p.Findings) == 0 {
		lines = append(lines, "seen     from outside, and sound")
	}
	for _, l := range lines {
		if _, err := fmt.Fprintln(w, l); err != nil {
			return err
		}
	}
	return nil
}
