package issuer

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/podpass-io/podpass/cmd/podpass/internal/exit"
	"github.com/podpass-io/podpass/cmd/podpass/internal/hint"
	"github.com/podpass-io/podpass/federation/finding"
	"github.com/podpass-io/podpass/federation/issuer"
	"github.com/podpass-io/podpass/federation/issuer/publish"
	"github.com/podpass-io/podpass/federation/issuer/rotate"
)

const rotateLong = `Change the key that signs ServiceAccount tokens, without a failed exchange.

  1 publish   the new key is published beside the old one
  2 caches    until every verifier has it: the clouds' caches, and the API servers' flags
  3 switch    you start the API servers with the new key to sign with
  4 tokens    until the last token of the old key has ended
  5 drop      the old key goes from what is published
  6 done

Where it stands is kept in the file of --state, which holds public keys only. Run it again
at any time: it looks, takes the steps that are due, and says what to wait for or what to
do, with the API servers' flags. A step is taken when the one before is seen from outside.
Killed anywhere, it goes on where it was. Without --approve it changes nothing, and says
what it would do. With --wait it stays until the end.

The private key stays on the control plane: podpass only reads the public one.

` + placesHelp

const rotateExamples = `  # On the control plane, in /etc/kubernetes/pki: a new key, and its public half
  openssl genrsa -out sa-2026.key 2048
  openssl rsa -in sa-2026.key -pubout -out sa-2026.pub

  # What would happen?
  podpass issuer rotate --state rotation.json --new-key sa-2026.pub --to 's3://issuer-example/prod?region=eu-central-1'

  # Begin, and later go on
  podpass issuer rotate --state rotation.json --new-key sa-2026.pub --to 's3://issuer-example/prod?region=eu-central-1' --approve
  podpass issuer rotate --state rotation.json --approve`

type rotateOptions struct {
	common
	place    placeOptions
	jwksPath string
	state    string
	newKey   string
	account  string
	pkiDir   string
	oldName  string
	cache    time.Duration
	tokens   time.Duration
	poll     time.Duration
	approve  bool
	wait     bool
}

func rotateCommand(version string) *cobra.Command {
	o := &rotateOptions{}
	cmd := &cobra.Command{
		Use:     "rotate --state FILE",
		Short:   "Change the signing key, without a failed exchange",
		Long:    rotateLong,
		Example: rotateExamples,
		Args:    cobra.NoArgs,
		RunE:    o.run,
	}
	f := cmd.Flags()
	o.add(f, version, "`URL` of the issuer (default: the cluster's own)")
	o.addCA(f)
	o.place.add(f)
	f.StringVar(&o.state, "state", "", "`file` that keeps where the rotation stands")
	f.StringVar(&o.newKey, "new-key", "", "`file` with the new public key; to begin with")
	f.StringVar(&o.jwksPath, "jwks-path", issuer.DefaultJWKSPath, "where below the issuer the keys are; to begin with")
	f.StringVar(&o.account, "service-account", "default", "ServiceAccount of which tokens are minted, to see who signs")
	f.StringVar(&o.pkiDir, "pki-dir", "/etc/kubernetes/pki", "directory of the keys on the control plane, for the flags that are shown; to begin with")
	f.StringVar(&o.oldName, "old-name", "sa", "name of the old key's files there, without .key and .pub; to begin with")
	f.DurationVar(&o.cache, "cache-wait", 0, "how long verifiers may go on with the keys that they have (default: 24h, or what the issuer's Cache-Control allows if that is longer); to begin with")
	f.DurationVar(&o.tokens, "token-life", rotate.TokenLife, "the longest life of a token, as --service-account-max-token-expiration bounds it; to begin with")
	f.BoolVar(&o.approve, "approve", false, "do what is due")
	f.BoolVar(&o.wait, "wait", false, "with --approve: stay until it is done")
	f.DurationVar(&o.poll, "poll", 30*time.Second, "with --wait: how often to look")
	f.StringVarP(&o.output, "output", "o", "text", "text or json")
	_ = cmd.MarkFlagFilename("state", "json")
	_ = cmd.MarkFlagFilename("new-key", "pub", "pem", "crt")
	o.complete(cmd, texts...)
	return cmd
}

func (o *rotateOptions) run(cmd *cobra.Command, _ []string) error {
	ctx := cmd.Context()
	switch {
	case o.state == "":
		return hint.New(errors.New("no state file is named"), "--state rotation.json: it is made if it does not exist")
	case o.wait && !o.approve:
		return hint.New(errors.New("--wait without --approve would wait for nothing"), "add --approve")
	case o.cache < 0 || o.tokens <= 0 || o.poll < time.Second && o.wait:
		return hint.New(errors.New("--cache-wait, --token-life and --poll are times"), "24h, 30m; --poll is a second or more")
	}
	if err := checkText(o.output); err != nil {
		return err
	}
	w, err := o.world()
	if err != nil {
		return err
	}
	s, err := o.begin(ctx, cmd, w)
	if err != nil {
		return err
	}
	w.issuer = s.Issuer
	place, err := o.place.open(cmd, s.Place)
	if err != nil {
		return err
	}
	r := rotate.Runner{Path: o.state, World: w, Place: place, Approved: o.approve}
	if o.wait {
		return o.stay(ctx, cmd, r, s)
	}
	ctx, cancel := context.WithTimeout(ctx, timeout)
	defer cancel()
	d, err := r.Run(ctx, s)
	if err != nil {
		return explain(err)
	}
	return o.show(ctx, cmd, place, d)
}

func (o *rotateOptions) world() (*world, error) {
	outside, _, err := o.outside()
	if err != nil {
		return nil, err
	}
	config, err := o.cluster.REST("run it where there is a cluster")
	if err != nil {
		return nil, err
	}
	client, err := newWorld(config)
	if err != nil {
		return nil, fmt.Errorf("kubeconfig: %w", err)
	}
	namespace, err := o.cluster.Namespace()
	if err != nil {
		return nil, err
	}
	return &world{client: client, outside: outside, namespace: namespace, account: o.account}, nil
}

// begin reads the state, or makes the first one.
func (o *rotateOptions) begin(ctx context.Context, cmd *cobra.Command, w *world) (rotate.State, error) {
	s, err := rotate.Load(o.state)
	if err == nil {
		return s, o.fits(cmd, s)
	}
	if !errors.Is(err, os.ErrNotExist) {
		return s, hint.New(fmt.Errorf("%s: %w", rotate.CodeState, err), "restore the file; or begin anew with another: what is published is found as it is")
	}
	if o.newKey == "" || o.place.to == "" {
		return s, hint.New(fmt.Errorf("%s does not exist, and there is nothing to begin with", o.state), "--new-key FILE --to PLACE begins a rotation")
	}
	if !o.place.tokenStdin { // a token can be read once
		if _, err := o.place.open(cmd, o.place.to); err != nil {
			return s, err
		}
	}
	fresh, err := o.fresh(cmd)
	if err != nil {
		return s, err
	}
	ctx, cancel := context.WithTimeout(ctx, timeout)
	defer cancel()
	own, err := ask(ctx, w.client, "cluster")
	if err != nil {
		return s, err
	}
	url, err := o.issuerOf([]side{own})
	if err != nil {
		return s, err
	}
	w.issuer = url
	look, err := w.Look(ctx)
	if err != nil {
		return s, err
	}
	old, err := signer(look)
	if err != nil {
		return s, err
	}
	old = old.Without(fresh.IDs()...) // switched already: the first look tells
	if len(old) == 0 {
		return s, hint.New(fmt.Errorf("%s: the API servers sign with the new key already", rotate.CodeNewKey), "publish it with podpass issuer publish, at once if it is not published")
	}
	if s, err = rotate.New(url, o.place.to, old, fresh); err != nil {
		return s, fmt.Errorf("%s: %w", rotate.CodeNewKey, err)
	}
	name := strings.TrimSuffix(filepath.Base(o.newKey), filepath.Ext(o.newKey))
	s.JWKSPath, s.Files, s.Private = o.jwksPath, rotate.FilesIn(o.pkiDir, o.oldName, name), o.issuerCA != ""
	life, _ := look.Published.JWKS.CacheLife()
	s.CacheWait = rotate.Duration(cmp.Or(o.cache, max(issuer.CloudCache, life)))
	s.TokenWait = rotate.Duration(o.tokens)
	return s, nil
}

// fresh reads the new key, and refuses one that no cloud would take.
func (o *rotateOptions) fresh(cmd *cobra.Command) (issuer.Keys, error) {
	keys, err := readKeys(cmd.InOrStdin(), o.newKey)
	if err != nil {
		return nil, err
	}
	if len(keys) != 1 {
		return nil, hint.New(fmt.Errorf("%s: %s holds %d keys, want one", rotate.CodeNewKey, o.newKey, len(keys)), "give the new public key alone")
	}
	for _, f := range issuer.CheckKey(keys[0]) {
		if f.Severity == finding.Error {
			return nil, hint.New(fmt.Errorf("%s: %s: %s", rotate.CodeNewKey, o.newKey, f.Message), f.Fix)
		}
		fmt.Fprintf(cmd.ErrOrStderr(), "warning: %s: %s\n", f.Code, f.Message)
	}
	return keys, nil
}

// fits refuses flags that say something else than a rotation that has begun.
func (o *rotateOptions) fits(cmd *cobra.Command, s rotate.State) error {
	begun := map[string]string{
		"issuer": s.Issuer, "to": s.Place, "jwks-path": s.JWKSPath,
		"cache-wait": s.CacheWait.String(), "token-life": s.TokenWait.String(),
	}
	var errs []error
	for name, want := range begun {
		if f := cmd.Flags().Lookup(name); f.Changed && f.Value.String() != want {
			errs = append(errs, hint.New(fmt.Errorf("%s: the rotation in %s has --%s %s, not %s", rotate.CodeState, o.state, name, want, f.Value),
				"leave the flag out; a rotation that has begun is only changed in its file"))
		}
	}
	if o.newKey != "" {
		if keys, err := readKeys(cmd.InOrStdin(), o.newKey); err != nil {
			errs = append(errs, err)
		} else if !slices.ContainsFunc(keys, s.New.Keys[0].Same) {
			errs = append(errs, hint.New(fmt.Errorf("%s: the rotation in %s is to another key than %s", rotate.CodeState, o.state, o.newKey), "leave --new-key out, or name another --state"))
		}
	}
	return errors.Join(errs...)
}

// stay runs until it is done. What stands in the way for a while, as an API server that is
// being restarted, is told and tried again.
func (o *rotateOptions) stay(ctx context.Context, cmd *cobra.Command, r rotate.Runner, s rotate.State) error {
	shown := ""
	for {
		d, err := o.once(ctx, r, s)
		switch {
		case err != nil && ctx.Err() != nil:
			return fmt.Errorf("interrupted; the rotation goes on where it is when it is run again: %w", ctx.Err())
		case err != nil:
			fmt.Fprintf(cmd.ErrOrStderr(), "warning: %v; trying again\n", explain(err))
		default:
			s = d.State
			if now := fmt.Sprint(s.Phase, d.Findings); now != shown {
				shown = now
				if err := o.write(cmd, nil, d); err != nil {
					return err
				}
			}
			if s.Phase == rotate.Done {
				return verdict(d)
			}
		}
		select {
		case <-ctx.Done():
		case <-time.After(o.poll):
		}
	}
}

func (o *rotateOptions) once(ctx context.Context, r rotate.Runner, s rotate.State) (rotate.Decision, error) {
	ctx, cancel := context.WithTimeout(ctx, timeout)
	defer cancel()
	return r.Run(ctx, s)
}

// show prints a decision, and what it would change if that was not approved.
func (o *rotateOptions) show(ctx context.Context, cmd *cobra.Command, place publish.Place, d rotate.Decision) error {
	var plan *publish.Plan
	if !o.approve && d.Action != rotate.Nothing {
		var err error
		if plan, err = rotate.Plan(ctx, place, d.State, d.Action); err != nil {
			return explain(err)
		}
	}
	if err := o.write(cmd, plan, d); err != nil {
		return err
	}
	if !o.approve && d.State.Phase != rotate.Done {
		fmt.Fprintln(cmd.ErrOrStderr(), "hint: nothing has been changed; --approve does it, and keeps the state")
	}
	return verdict(d)
}

func verdict(d rotate.Decision) error {
	if w := finding.Worst(d.Findings); w == finding.Error || w == finding.Warning {
		return exit.Found(errors.New("the rotation needs a look"))
	}
	return nil
}
