package apply

import (
	"fmt"
	"strings"

	"github.com/spf13/cobra"

	"github.com/podpass-io/podpass/cmd/podpass/internal/cluster"
	"github.com/podpass-io/podpass/cmd/podpass/internal/hint"
	"github.com/podpass-io/podpass/cmd/podpass/internal/migrate/graph"
	"github.com/podpass-io/podpass/cmd/podpass/internal/migrate/record"
)

const undoLong = `Take a workload back to before podpass migrate apply, from what apply has recorded in the
cluster: its key in the pod template, or all of a Job or pod as it was; the annotations of
its ServiceAccount that apply has added, and the ServiceAccount itself if apply has made it
and nothing else uses it; the mark of what was unused. It waits until the workload runs
again. Also a step that was killed midway is taken back.

Without --approve it shows what it would do. It changes nothing that somebody has changed
since: where the pod template is another one it fails, and the record stays.

The exit status is 0 if all is well, 1 if it could not be taken back, 2 if podpass could
not look.`

const undoExamples = `  # What would be taken back?
  podpass migrate undo deployment/orders -n shop

  # Take it back
  podpass migrate undo deployment/orders -n shop --approve`

// UndoCommand is the cobra command of podpass migrate undo.
func UndoCommand(version string) *cobra.Command {
	o := &options{cluster: cluster.New(version)}
	cmd := &cobra.Command{
		Use:     "undo TYPE/NAME",
		Short:   "Take a workload back to before, from what apply recorded",
		Long:    undoLong,
		Example: undoExamples,
		Args:    cobra.ExactArgs(1),
		RunE:    o.undo,
	}
	o.add(cmd.Flags(), "do it")
	cmd.Flags().DurationVar(&o.timeout, "timeout", defaultTimeout, "how long to wait for the rollout")
	o.complete(cmd)
	return cmd
}

func (o *options) undo(cmd *cobra.Command, args []string) error {
	ctx := cmd.Context()
	r, of, err := o.named(cmd, args[0])
	if err != nil {
		return err
	}
	records, err := r.records().List(ctx, of.Namespace)
	if err != nil {
		return err
	}
	rec := record.Find(records, of.Kind, of.Name)
	if rec == nil {
		return hint.New(fmt.Errorf("there is no record of a migration of %s", of), "kubectl get secrets -A -l "+graph.KeyMigration+" lists them")
	}
	out, err := r.Undo(ctx, rec)
	return o.show(cmd, []Outcome{out}, err)
}

// named gives a runner, and the object that an argument names for it, without the version
// of its API.
func (o *options) named(cmd *cobra.Command, arg string) (*Runner, graph.Object, error) {
	none := graph.Object{}
	if err := o.check(); err != nil {
		return nil, none, err
	}
	resource, name, err := workloadOf(arg)
	if err != nil {
		return nil, none, err
	}
	namespace, err := o.cluster.Namespace()
	if err != nil {
		return nil, none, err
	}
	r, err := o.runner(cmd.Context(), cmd)
	if err != nil {
		return nil, none, err
	}
	kind, err := r.Objects.Kind(resource)
	return r, graph.Object{Kind: kind, Namespace: namespace, Name: name}, err
}

// workloadOf reads TYPE/NAME.
func workloadOf(arg string) (resource, name string, err error) {
	resource, name, ok := strings.Cut(arg, "/")
	if !ok || resource == "" || name == "" || strings.Contains(name, "/") {
		return "", "", hint.New(fmt.Errorf("%q names no object", arg), "name it as kubectl does: deployment/orders")
	}
	return resource, name, nil
}
