package issuer

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"slices"

	"github.com/spf13/cobra"

	"github.com/podpass-io/podpass/cmd/podpass/internal/hint"
	"github.com/podpass-io/podpass/federation/issuer"
)

const buildLong = `Print what is published of an issuer: the discovery document and the keys (JWKS).

` + sourcesHelp + `

The keys have exactly the members that Google Cloud takes in an upload.`

const buildExamples = `  # What the cluster's own issuer publishes
  podpass issuer build

  # What to publish under another URL
  podpass issuer build --issuer https://issuer.example.com/prod

  # The keys alone, of a public key file, for an upload to Google Cloud
  podpass issuer build --issuer https://issuer.example.com/prod sa.pub -o jwks > jwks.json`

const mergeLong = `Print what is published of an issuer that several clusters share.

` + sourcesHelp + `

Two keys of one kid are refused. To share an issuer is to share subjects: a token of
system:serviceaccount:default:app of one cluster cannot be told from one of the other,
so whoever may create ServiceAccounts or tokens in either has the identities of both.
Give clusters that do not trust each other an issuer each.`

const mergeExamples = `  # Two clusters of the kubeconfig
  podpass issuer merge --issuer https://issuer.example.com/all context:east context:west

  # A cluster that cannot be reached from here gives its public key
  podpass issuer merge --issuer https://issuer.example.com/all context:east west-sa.pub`

type buildOptions struct {
	common
	jwksPath string
}

func buildCommand(version string) *cobra.Command {
	o := &buildOptions{}
	cmd := &cobra.Command{
		Use:     "build [SOURCE...]",
		Short:   "Print the discovery document and the keys of an issuer",
		Long:    buildLong,
		Example: buildExamples,
		RunE:    o.run,
	}
	o.flags(cmd, version)
	return cmd
}

func mergeCommand(version string) *cobra.Command {
	o := &buildOptions{}
	cmd := &cobra.Command{
		Use:     "merge SOURCE SOURCE...",
		Short:   "Print the discovery document and the keys of an issuer that clusters share",
		Long:    mergeLong,
		Example: mergeExamples,
		RunE: func(cmd *cobra.Command, args []string) error {
			if len(args) < 2 {
				return hint.New(fmt.Errorf("want two sources or more, got %d", len(args)), "podpass issuer merge --issuer URL context:east context:west")
			}
			if err := o.run(cmd, args); err != nil {
				return err
			}
			_, err := fmt.Fprintln(cmd.ErrOrStderr(), "warning: these clusters share their subjects: system:serviceaccount:default:app of one has the identities of the other's")
			return err
		},
	}
	o.flags(cmd, version)
	return cmd
}

func (o *buildOptions) flags(cmd *cobra.Command, version string) {
	f := cmd.Flags()
	o.add(f, version, "`URL` of the issuer (default: the cluster's own)")
	f.StringVar(&o.jwksPath, "jwks-path", issuer.DefaultJWKSPath, "where below the issuer the keys are")
	f.StringVarP(&o.output, "output", "o", "json", "json: both documents in one object; discovery or jwks: one of them, as it is published")
	o.complete(cmd, documents...)
}

var documents = []string{"json", "discovery", "jwks"}

func (o *buildOptions) run(cmd *cobra.Command, args []string) error {
	ctx, cancel := context.WithTimeout(cmd.Context(), timeout)
	defer cancel()
	if !slices.Contains(documents, o.output) {
		return hint.New(fmt.Errorf("unknown output format %q", o.output), "use json, discovery or jwks")
	}
	url, keys, err := o.wanted(ctx, cmd, args)
	if err != nil {
		return err
	}
	document, err := issuer.NewDocument(url, o.jwksPath, keys)
	if err != nil {
		return err
	}
	return write(cmd.OutOrStdout(), o.output, document, keys)
}

func write(w io.Writer, format string, document issuer.Document, keys issuer.Keys) error {
	discovery, err := document.JSON()
	jwks, err2 := keys.JWKS()
	if err := errors.Join(err, err2); err != nil {
		return err
	}
	switch format {
	case "discovery":
		_, err = w.Write(discovery)
	case "jwks":
		_, err = w.Write(jwks)
	default:
		e := json.NewEncoder(w)
		e.SetEscapeHTML(false)
		e.SetIndent("", "  ")
		err = e.Encode(map[string]json.RawMessage{"discovery": discovery, "jwks": jwks})
	}
	return err
}
