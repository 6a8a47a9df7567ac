package apply

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/spf13/cobra"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"github.com/podpass-io/podpass/cmd/podpass/internal/cluster"
	"github.com/podpass-io/podpass/cmd/podpass/internal/exit"
	"github.com/podpass-io/podpass/cmd/podpass/internal/hint"
	"github.com/podpass-io/podpass/cmd/podpass/internal/migrate/edit"
	"github.com/podpass-io/podpass/cmd/podpass/internal/migrate/graph"
	"github.com/podpass-io/podpass/cmd/podpass/internal/migrate/record"
	"github.com/podpass-io/podpass/cmd/podpass/internal/migrate/workload"
)

const deleteLong = `Delete a Secret or ConfigMap that podpass migrate apply has marked as unused, or of one
whose other data keys are still read only those that are marked. What is not marked, and
what is read again, is refused.

podpass sees what pods read. It does not see programs that read Secrets from the API
server, nor custom resources that name one for their operator.

Delete the key at the cloud after it, as the plan's folder says. Once a Secret is deleted,
podpass migrate undo cannot give it back: the record has what was in pod templates alone.
Without --approve it shows what it would delete.

The exit status is 0 if all is well, 1 if it is refused, 2 if podpass could not look.`

const deleteExamples = `  # What would go?
  podpass migrate delete secret/orders-aws -n shop

  # Delete it
  podpass migrate delete secret/orders-aws -n shop --approve`

// DeleteCommand is the cobra command of podpass migrate delete.
func DeleteCommand(version string) *cobra.Command {
	o := &options{cluster: cluster.New(version), timeout: defaultTimeout}
	cmd := &cobra.Command{
		Use:     "delete secret/NAME|configmap/NAME",
		Short:   "Delete a static key that apply has marked as unused",
		Long:    deleteLong,
		Example: deleteExamples,
		Args:    cobra.ExactArgs(1),
		RunE:    o.delete,
	}
	o.add(cmd.Flags(), "delete it")
	o.complete(cmd)
	return cmd
}

func (o *options) delete(cmd *cobra.Command, args []string) error {
	r, of, err := o.named(cmd, args[0])
	if err != nil {
		return err
	}
	if of.Kind != "Secret" && of.Kind != "ConfigMap" {
		return hint.New(fmt.Errorf("%s keeps no key that podpass deletes", args[0]), "name a Secret or a ConfigMap: secret/orders-aws")
	}
	of.APIVersion = "v1"
	out, err := r.Delete(cmd.Context(), of)
	if err != nil {
		return err
	}
	return o.show(cmd, []Outcome{out}, nil)
}

// dataOf are the data keys of a Secret or ConfigMap, and in which of its fields each is.
func dataOf(u *unstructured.Unstructured) map[string]string {
	all := map[string]string{}
	for _, field := range []string{"data", "binaryData"} {
		data, _ := u.Object[field].(map[string]any)
		for name := range data {
			all[name] = field
		}
	}
	return all
}

// Delete deletes what is marked as unused in an object, or all of it if nothing reads it.
func (r *Runner) Delete(ctx context.Context, o graph.Object) (Outcome, error) {
	out := Outcome{Step: "delete", Workload: o.String(), State: ToDo}
	u, err := r.Objects.Get(ctx, o)
	if err != nil {
		return out, err
	}
	if u == nil {
		return out, fmt.Errorf("there is no %s", o)
	}
	keys := list(u.GetAnnotations()[graph.KeyUnusedData])
	if len(keys) == 0 {
		return out, exit.Found(hint.New(fmt.Errorf("%s is not marked as unused", o), "podpass migrate apply marks it when nothing reads its key any more"))
	}
	who, err := r.readersOf(ctx, o.Namespace)
	switch {
	case err != nil:
		return out, err
	case len(who.unread) > 0:
		return out, hint.New(fmt.Errorf("who reads %s cannot be known: %s", o, strings.Join(who.unread, ", ")), "have the right to list them")
	}
	if names := who.of(o, keys); len(names) > 0 {
		return out, exit.Found(hint.New(fmt.Errorf("%s is read again, by %s", o, strings.Join(names, ", ")), "plan and apply for these first"))
	}
	whole := len(who.of(o, nil)) == 0
	ops := []edit.Op{unchanged(u)}
	for name, field := range dataOf(u) {
		if marked := slices.Contains(keys, name); marked || whole {
			out.Changes = append(out.Changes, "- data "+name)
			ops = append(ops, edit.Op{Op: "remove", Path: workload.Below("/"+field, name)})
		}
	}
	slices.Sort(out.Changes)
	if _, copied := u.GetAnnotations()[corev1.LastAppliedConfigAnnotation]; copied {
		out.Changes = append(out.Changes, "- annotation "+corev1.LastAppliedConfigAnnotation)
		ops = append(ops, edit.Op{Op: "remove", Path: workload.Below("/metadata/annotations", corev1.LastAppliedConfigAnnotation)})
	}
	if whole {
		out.Changes = append([]string{"- " + o.String()}, out.Changes...)
	} else {
		out.note("its other data is still read by %s", strings.Join(who.of(o, nil), ", "))
	}
	if since := u.GetAnnotations()[graph.KeyUnused]; since != "" {
		out.note("unused since %s", since)
	}
	for _, maker := range u.GetOwnerReferences() {
		out.note("%s %s makes it, and makes it again: delete that", maker.Kind, maker.Name)
	}
	if err := r.noteRecords(ctx, o, &out); err != nil {
		return out, err
	}
	if !r.Approve {
		return out, nil
	}
	if whole {
		err = r.remove(ctx, o, u.GetUID())
	} else if err = r.Objects.Patch(ctx, o, ops, false); err == nil {
		err = r.setMark(ctx, o, u, nil)
	}
	if err == nil {
		out.State = Done
	}
	return out, err
}

// noteRecords says which records keep the key still, for the way back of workloads that had
// it in their pod templates.
func (r *Runner) noteRecords(ctx context.Context, o graph.Object, out *Outcome) error {
	records, err := r.records().List(ctx, o.Namespace)
	for _, rec := range records {
		if _, ok := kept(rec.Step)[o]; ok {
			out.note("%s cannot be taken back without it; end that way, too: kubectl delete secret %s -n %s", rec.Step.Workload, record.Name(rec.Step.Name), o.Namespace)
		}
	}
	return err
}
