package apply

import (
	"context"
	"slices"

	"github.com/podpass-io/podpass/cmd/podpass/internal/migrate/edit"
	"github.com/podpass-io/podpass/cmd/podpass/internal/migrate/plan"
	"github.com/podpass-io/podpass/cmd/podpass/internal/migrate/record"
	"github.com/podpass-io/podpass/cmd/podpass/internal/migrate/rollout"
)

// show says what a step would do, after the API server has been asked by dry runs.
func (r *Runner) show(ctx context.Context, s plan.Step, rec *record.Record, out *Outcome) error {
	if rec != nil {
		out.note("it has begun: %s", stands[rec.Phase])
		if rec.Phase.Reached(record.Changing) {
			return nil
		}
	}
	u, err := r.object(ctx, s)
	if err != nil {
		return err
	}
	if err := r.both(ctx, s, u); err != nil {
		return err
	}
	lines, err := r.showAccount(ctx, s)
	if err != nil {
		return err
	}
	if err := r.annotate(ctx, s, true); err != nil {
		return err
	}
	object, err := u.MarshalJSON()
	if err != nil {
		return err
	}
	c, err := changeOf(object, s)
	if err != nil {
		return err
	}
	switch {
	case s.Manager != "":
		c.notes = append(c.notes, s.Manager+" keeps it, and has to change it: see the plan's folder "+s.Name)
	case rollout.Finished(u):
		c.lines, c.notes = nil, []string{"it has ended, and is not run again"}
	case recreated(s.Workload):
		c.notes = append(c.notes, "it cannot be changed: it is deleted and made again")
	default:
		err = r.Objects.Patch(ctx, s.Workload, append([]edit.Op{unchanged(u)}, c.ops...), true)
	}
	out.Changes, out.Notes = slices.Concat(lines, c.lines), append(out.Notes, c.notes...)
	return err
}
