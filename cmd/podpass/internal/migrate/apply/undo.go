package apply

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"slices"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"github.com/podpass-io/podpass/cmd/podpass/internal/exit"
	"github.com/podpass-io/podpass/cmd/podpass/internal/hint"
	"github.com/podpass-io/podpass/cmd/podpass/internal/migrate/edit"
	"github.com/podpass-io/podpass/cmd/podpass/internal/migrate/record"
	"github.com/podpass-io/podpass/cmd/podpass/internal/migrate/rollout"
)

// Undo takes a workload back to before, from what apply has recorded. The record goes
// last, so that one that was killed goes on.
func (r *Runner) Undo(ctx context.Context, rec *record.Record) (Outcome, error) {
	s := rec.Step
	out := Outcome{Step: s.Name, Workload: s.Workload.String(), State: ToDo}
	u, err := r.Objects.Get(ctx, s.Workload)
	if err != nil {
		return out, err
	}
	changed := u != nil && has(u, rec) || u == nil && rec.Former() != nil
	if !r.Approve {
		r.showUndo(rec, changed, &out)
		return out, nil
	}
	if s.Manager != "" && u != nil {
		if gone, err := without(u, s); err != nil || gone {
			out.State = Waits
			return out, cmp.Or(err, ownerFirst(rec))
		}
	}
	if err := r.keysThere(ctx, rec); err != nil && changed {
		out.State = Waits
		return out, err
	}
	for i := range s.Removals {
		if err := r.canaries().Remove(ctx, s.Workload.Namespace, canaryName(s.Name, i)); err != nil {
			return out, err
		}
	}
	if changed {
		if err := r.restore(ctx, rec, u); err != nil {
			out.State = Stopped
			return out, notUndone(rec, err)
		}
	}
	for _, f := range []func(context.Context, *record.Record) error{
		r.restoreAccount,
		func(ctx context.Context, rec *record.Record) error { return r.unmark(ctx, rec.Step) },
		r.records().Delete,
	} {
		if err := f(ctx, rec); err != nil {
			out.State = Stopped
			return out, notUndone(rec, err)
		}
	}
	out.State = Done
	return out, nil
}

// ownerFirst: without its key, the workload needs what would be taken from its ServiceAccount.
func ownerFirst(rec *record.Record) error {
	return exit.Found(hint.New(fmt.Errorf("%s keeps %s, which runs without its key", rec.Step.Manager, rec.Step.Workload), "take the change back there first, as the undo.md of the plan's folder says, and run the same again"))
}

// keysThere refuses to take back a workload whose keys have been deleted since: it would not
// start.
func (r *Runner) keysThere(ctx context.Context, rec *record.Record) error {
	for o, keys := range kept(rec.Step) {
		u, err := r.Objects.Get(ctx, o)
		if err != nil {
			return err
		}
		for _, key := range keys {
			if u == nil || dataOf(u)[key] == "" {
				return exit.Found(hint.New(fmt.Errorf("%s has no data %s any more, which %s would read", o, key, rec.Step.Workload), "make it again first, with a key that is valid"))
			}
		}
	}
	return nil
}

func notUndone(rec *record.Record, err error) error {
	return exit.Found(hint.New(fmt.Errorf("taking back %s: %w", rec.Step.Name, err), after(err, "run the same again; its record stays")))
}

// showUndo says what would be done.
func (r *Runner) showUndo(rec *record.Record, changed bool, out *Outcome) {
	s := rec.Step
	switch {
	case changed && rec.Former() != nil:
		out.Changes = append(out.Changes, "+ "+s.Workload.String()+": deleted, and made again as it was")
	case changed:
		out.Changes = append(out.Changes, "+ "+s.Workload.String()+": what was taken out, and its ServiceAccount")
	}
	for _, key := range slices.Sorted(maps.Keys(s.ServiceAccount.Annotations)) {
		out.Changes = append(out.Changes, fmt.Sprintf("- ServiceAccount %s: annotation %s, unless it was there before or another workload needs it", s.ServiceAccount.Name, key))
	}
	if s.ServiceAccount.New {
		out.Changes = append(out.Changes, fmt.Sprintf("- ServiceAccount %s, unless something else uses it", s.ServiceAccount.Name))
	}
}

// restore gives the workload what it had, and waits until it runs with it.
func (r *Runner) restore(ctx context.Context, rec *record.Record, u *unstructured.Unstructured) error {
	s := rec.Step
	r.Say("%s: as it was", s.Workload)
	if former := rec.Former(); former != nil {
		if u != nil && rollout.Finished(u) { // nobody wants it to run twice
			return r.Objects.Patch(ctx, s.Workload, []edit.Op{{Op: "remove", Path: annotation}}, false)
		}
		if u != nil {
			if err := r.remove(ctx, s.Workload, u.GetUID()); err != nil {
				return err
			}
		}
		next := new(unstructured.Unstructured)
		if err := json.Unmarshal(former, &next.Object); err != nil {
			return fmt.Errorf("reading the record: %w", err)
		}
		if err := r.Objects.Create(ctx, s.Workload, next); err != nil {
			return err
		}
	} else if err := r.patchBack(ctx, rec, u); err != nil {
		return err
	}
	if rollout.Later(s.Workload.Kind) {
		return nil
	}
	_, err := r.waiter().Wait(ctx, s.Workload, r.Timeout, func(p *corev1.Pod) (bool, error) { return former(p, rec) })
	return err
}

// former reports whether a pod is as those were before.
func former(p *corev1.Pod, rec *record.Record) (bool, error) {
	for _, name := range rec.Accounts {
		if p.Spec.ServiceAccountName == name || name == "" && p.Spec.ServiceAccountName == "default" {
			return rollout.Has(p, rec.Step.Removals)
		}
	}
	return false, nil
}

// patchBack puts back what a patch took out, with what others have changed since kept.
func (r *Runner) patchBack(ctx context.Context, rec *record.Record, u *unstructured.Unstructured) error {
	for range tries {
		ops, err := backOf(u, rec)
		if err != nil {
			return err
		}
		err = r.Objects.Patch(ctx, rec.Step.Workload, ops, false)
		if !apierrors.IsConflict(err) {
			return err
		}
		if u, err = r.Objects.Get(ctx, rec.Step.Workload); err != nil {
			return err
		}
		if u == nil || !has(u, rec) {
			return nil
		}
	}
	return changesAlways(rec.Step.Workload)
}

// backOf is the way back of a workload as it is now.
func backOf(u *unstructured.Unstructured, rec *record.Record) ([]edit.Op, error) {
	object, err := u.MarshalJSON()
	if err != nil {
		return nil, fmt.Errorf("reading the workload: %w", err)
	}
	undo, err := edit.Restore(object, rec.Undo())
	if err != nil {
		return nil, err
	}
	ops := []edit.Op{unchanged(u)}
	for _, removal := range rec.Step.Removals {
		was := rec.Accounts[removal.Template]
		if accountName(u.Object, removal.Template) != was && (was != "" || rec.Step.ServiceAccount.Name != "default") {
			ops = append(ops, setAccount(object, specOf(u.Object, removal.Template), removal.Template, was)...)
		}
	}
	var back []edit.Op
	if err := json.Unmarshal(undo.Reveal(), &back); err != nil {
		return nil, errors.New("reading the record: its way back is no JSON patch") // an error would quote it
	}
	return slices.Concat(ops, back, []edit.Op{{Op: "remove", Path: annotation}}), nil
}
