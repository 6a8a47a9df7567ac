package apply

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/podpass-io/podpass/cmd/podpass/internal/cluster"
	"github.com/podpass-io/podpass/cmd/podpass/internal/doctor"
	"github.com/podpass-io/podpass/cmd/podpass/internal/hint"
	"github.com/podpass-io/podpass/cmd/podpass/internal/migrate/live"
	"github.com/podpass-io/podpass/cmd/podpass/internal/migrate/plan"
	"github.com/podpass-io/podpass/federation/finding"
)

const long = `Walk a plan of podpass migrate plan, one workload at a time. For each step:

  1 annotate   its ServiceAccount asks for the identity; the key is still there, and wins
  2 prove      a canary pod of the same template, the key's variables emptied and its files
               not mounted, gets credentials; with --probe COMMAND, a command runs in the
               application's own image, and has to succeed
  3 roll out   the workload without its key; a Job or a bare pod is deleted and made again,
               and one that has ended stays as it is
  4 watch      until all its pods are new and ready, and a new broker reports no error
  5 mark       what nothing in the namespace reads any more: podpass.io/unused-since

Without --approve it shows what it would do, as a diff without any value, after it has
asked the API server by dry runs. It stops at the first failure, says where it stands, and
goes on from there when it is run again, also if it was killed. What takes a step back is
kept in the cluster beside the workload, in a Secret, as it holds the key: podpass migrate
undo needs it. No Secret is deleted: podpass migrate delete does that.

What Helm, Flux, Argo CD or Kustomize keeps is not patched, since they would undo it: apply
says where the change is to be made, and goes on when it has been.

The exit status is 0 if all is well, 1 if a step stopped or waits for somebody, 2 if
podpass could not begin.`

const examples = `  # What would be done?
  podpass migrate apply ./migration

  # One step of it, with the application's own command as the proof
  podpass migrate apply ./migration deployment-orders --probe 'aws s3 ls s3://orders' --approve

  # All the others
  podpass migrate apply ./migration --approve`

// defaultTimeout of each wait: a rollout of some pods takes minutes.
const defaultTimeout = 10 * time.Minute

// options are those that all commands of this package have.
type options struct {
	cluster *cluster.Flags
	output  string
	approve bool
	timeout time.Duration
	probe   string
}

func (o *options) add(f *pflag.FlagSet, approve string) {
	o.cluster.Add(f, "")
	f.BoolVar(&o.approve, "approve", false, approve)
	f.StringVarP(&o.output, "output", "o", "table", "table or json")
}

// Command is the cobra command.
func Command(version string) *cobra.Command {
	o := &options{cluster: cluster.New(version)}
	cmd := &cobra.Command{
		Use:     "apply FOLDER|plan.yaml [STEP...]",
		Short:   "Walk a plan: prove, remove the key, watch, one workload at a time",
		Long:    long,
		Example: examples,
		Args:    cobra.MinimumNArgs(1),
		RunE:    o.apply,
	}
	f := cmd.Flags()
	o.add(f, "do it")
	f.StringVar(&o.probe, "probe", "", "`command` for a shell in the application's containers, in the canary; without, the proof is that it gets credentials")
	f.DurationVar(&o.timeout, "timeout", defaultTimeout, "how long to wait for a canary, and for a rollout")
	o.complete(cmd)
	return cmd
}

func (o *options) complete(cmd *cobra.Command) {
	_ = cmd.MarkFlagFilename("settings", "yaml", "yml", "json") // completion only
	_ = cmd.RegisterFlagCompletionFunc("output", cobra.FixedCompletions([]string{"table", "json"}, cobra.ShellCompDirectiveNoFileComp))
	o.cluster.Complete(cmd)
}

func (o *options) apply(cmd *cobra.Command, args []string) error {
	ctx := cmd.Context()
	if err := o.check(); err != nil {
		return err
	}
	file := args[0]
	if info, err := os.Stat(file); err == nil && info.IsDir() {
		file = filepath.Join(file, plan.Name)
	}
	p, err := plan.Read(file)
	if err != nil {
		return err
	}
	steps, err := choose(p, args[1:])
	if err != nil {
		return err
	}
	r, err := o.runner(ctx, cmd)
	if err != nil {
		return err
	}
	all, err := r.Walk(ctx, p, steps)
	if all == nil {
		return err
	}
	return o.show(cmd, all, err)
}

// check refuses flags that mean nothing.
func (o *options) check() error {
	switch {
	case o.output != "table" && o.output != "json":
		return hint.New(fmt.Errorf("unknown output format %q", o.output), "use table or json")
	case o.timeout < time.Second:
		return hint.New(errors.New("--timeout is a time of a second or more"), "10m")
	}
	return nil
}

// choose gives the steps that were named, in the plan's order; none: all.
func choose(p *plan.Plan, names []string) ([]plan.Step, error) {
	var known []string
	for _, s := range p.Steps {
		known = append(known, s.Name)
	}
	for _, name := range names {
		if !slices.Contains(known, name) {
			return nil, hint.New(fmt.Errorf("the plan has no step %q", name), "its steps are "+strings.Join(known, ", "))
		}
	}
	if len(names) == 0 {
		return p.Steps, nil
	}
	return slices.DeleteFunc(slices.Clone(p.Steps), func(s plan.Step) bool { return !slices.Contains(names, s.Name) }), nil
}

// runner is one for the cluster of the flags.
func (o *options) runner(ctx context.Context, cmd *cobra.Command) (*Runner, error) {
	client, config, err := o.cluster.Client("run it where there is a cluster")
	if err != nil {
		return nil, err
	}
	settings, _, err := o.cluster.Settings(ctx, client, cmd.ErrOrStderr())
	if err != nil {
		return nil, err
	}
	objects, err := live.Open(client, config)
	if err != nil {
		return nil, err
	}
	return &Runner{
		Client: client, Objects: objects, Settings: settings, Approve: o.approve, Probe: o.probe, Timeout: o.timeout, Now: time.Now,
		Explain: func(ctx context.Context, namespace, pod string) ([]finding.Finding, error) {
			return doctor.Explain(ctx, client, config, namespace, pod)
		},
		Say: func(format string, args ...any) { fmt.Fprintf(cmd.ErrOrStderr(), format+"\n", args...) },
	}, nil
}

// show prints outcomes, and hands on the error that there was.
func (o *options) show(cmd *cobra.Command, all []Outcome, failed error) error {
	if err := write(cmd.OutOrStdout(), all, o.output); err != nil {
		return err
	}
	if failed == nil && !o.approve {
		fmt.Fprintln(cmd.ErrOrStderr(), "hint: nothing has been changed; --approve does it")
	}
	return failed
}
