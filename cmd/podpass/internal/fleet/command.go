// Package fleet is `podpass status`: a fleet at a glance.
package fleet

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"slices"
	"time"

	"github.com/spf13/cobra"

	"github.com/podpass-io/podpass/cmd/podpass/internal/cluster"
	"github.com/podpass-io/podpass/cmd/podpass/internal/doctor"
	"github.com/podpass-io/podpass/cmd/podpass/internal/exit"
	"github.com/podpass-io/podpass/cmd/podpass/internal/hint"
	"github.com/podpass-io/podpass/cmd/podpass/internal/manifest"
	"github.com/podpass-io/podpass/cmd/podpass/internal/report"
)

const (
	// timeout of one look.
	timeout = 5 * time.Minute
	// interval between two looks of --watch: a look lists pods, and a rollout takes longer.
	interval = 10 * time.Second
)

const long = `Show the fleet at a glance: which ServiceAccounts have identities in which clouds, how
their pods get them, and what is not as it should be.

It is about the whole cluster, or the namespace of -n. What it counts is what podpass
doctor finds: that names each, with the fix. The exit status is 0 if all is sound, 1 if
something is to be mended, 2 if podpass could not look; with --watch it ends when you do.`

const examples = `  # The cluster
  podpass status

  # During a rollout
  podpass status -n shop --watch

  # For a dashboard
  podpass status -o json`

type options struct {
	cluster *cluster.Flags
	output  string
	watch   bool
	version string
}

// Command is the cobra command.
func Command(version string) *cobra.Command {
	o := &options{cluster: cluster.New(version), version: version}
	cmd := &cobra.Command{
		Use:     "status",
		Short:   "Show the fleet at a glance: identities, injected pods, what is not as it should be",
		Long:    long,
		Example: examples,
		Args:    cobra.NoArgs,
		RunE:    func(cmd *cobra.Command, _ []string) error { return o.run(cmd) },
	}
	f := cmd.Flags()
	o.cluster.Add(f, "one namespace (default: all)")
	o.cluster.AddSelection(f)
	f.StringVarP(&o.output, "output", "o", "table", "table, json or yaml")
	f.BoolVarP(&o.watch, "watch", "w", false, "look again every 10 seconds, and show what has changed")
	_ = cmd.RegisterFlagCompletionFunc("output", cobra.FixedCompletions(formats, cobra.ShellCompDirectiveNoFileComp)) // completion only
	_ = cmd.MarkFlagFilename("settings", "yaml", "yml", "json")
	o.cluster.Complete(cmd)
	return cmd
}

var formats = []string{"table", "json", "yaml"}

func (o *options) run(cmd *cobra.Command) error {
	if !slices.Contains(formats, o.output) {
		return hint.New(fmt.Errorf("unknown output format %q", o.output), "use table, json or yaml")
	}
	look, err := o.looker(cmd)
	if err != nil {
		return err
	}
	stdout := cmd.OutOrStdout()
	if o.watch {
		return watch(cmd.Context(), look, func(s *doctor.Survey) error {
			if report.Terminal(stdout) && o.output == "table" {
				fmt.Fprint(stdout, "\x1b[H\x1b[2J")
			}
			return write(stdout, s, o.output)
		})
	}
	s, err := look(cmd.Context())
	if err != nil {
		return err
	}
	if err := write(stdout, s, o.output); err != nil || s.Sound() {
		return err
	}
	return exit.Found(hint.New(errors.New("not all is sound"), "podpass doctor -A names each, with the fix"))
}

// look counts the fleet once.
type look func(context.Context) (*doctor.Survey, error)

// looker gives the function that looks, by the flags.
func (o *options) looker(cmd *cobra.Command) (look, error) {
	run := doctor.Options{Namespace: o.cluster.GivenNamespace(), Selector: o.cluster.Selector}
	if o.cluster.AllNamespaces {
		run.Namespace = ""
	}
	var err error
	if run.Defaults, err = manifest.Settings("", o.version); err != nil {
		return nil, err
	}
	if o.cluster.SettingsFile != "" {
		s, err := manifest.Settings(o.cluster.SettingsFile, o.version)
		if err != nil {
			return nil, err
		}
		run.Settings = &s
	}
	client, config, err := o.cluster.Client("run it where there is a cluster")
	if err != nil {
		return nil, err
	}
	return func(ctx context.Context) (*doctor.Survey, error) {
		ctx, cancel := context.WithTimeout(ctx, timeout)
		defer cancel()
		progress := report.StartProgress(ctx, cmd.ErrOrStderr())
		defer progress.End()
		run.Say = progress.Say
		return doctor.Look(ctx, client, config, run)
	}, nil
}

// watch looks again and again until ctx ends, and shows what differs from before. That a
// look fails ends it only if it is the first: an API server that restarts comes back.
func watch(ctx context.Context, look look, show func(*doctor.Survey) error) error {
	var last []byte
	tick := time.NewTicker(interval)
	defer tick.Stop()
	for {
		s, err := look(ctx)
		switch {
		case ctx.Err() != nil:
			return nil
		case err != nil && last == nil:
			return err
		case err == nil:
			now, err := json.Marshal(s)
			if err != nil {
				return err
			}
			if string(now) != string(last) {
				if err := show(s); err != nil {
					return err
				}
			}
			last = now
		}
		select {
		case <-ctx.Done():
			return nil
		case <-tick.C:
		}
	}
}

func write(w io.Writer, s *doctor.Survey, format string) error {
	switch format {
	case "json":
		e := json.NewEncoder(w)
		e.SetIndent("", "  ")
		return e.Encode(s)
	case "yaml":
		return report.WriteYAML(w, s)
	}
	return table(w, s)
}
