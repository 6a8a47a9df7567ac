// Package apply walks a plan, one workload at a time: the ServiceAccount asks for the
// identity, a canary proves that it is enough, the workload rolls out without its key, and
// what nothing reads any more is marked. A record in the cluster says how far it is, so
// that it goes on where it was, and can be taken back.
package apply

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"k8s.io/client-go/kubernetes"

	"github.com/podpass-io/podpass/cmd/podpass/internal/exit"
	"github.com/podpass-io/podpass/cmd/podpass/internal/hint"
	"github.com/podpass-io/podpass/cmd/podpass/internal/migrate/canary"
	"github.com/podpass-io/podpass/cmd/podpass/internal/migrate/live"
	"github.com/podpass-io/podpass/cmd/podpass/internal/migrate/plan"
	"github.com/podpass-io/podpass/cmd/podpass/internal/migrate/record"
	"github.com/podpass-io/podpass/cmd/podpass/internal/migrate/rollout"
	"github.com/podpass-io/podpass/federation/finding"
	"github.com/podpass-io/podpass/webhook/inject"
)

// Runner walks plans. It is not safe for concurrent use.
type Runner struct {
	Client  kubernetes.Interface
	Objects *live.Objects
	// Explain asks the broker of a pod what keeps it from its credentials.
	Explain  func(ctx context.Context, namespace, pod string) ([]finding.Finding, error)
	Settings inject.Settings
	// Approve: what is due is done. Without, it is only shown.
	Approve bool
	// Probe is a command for a shell in the canary's containers; it may be empty.
	Probe string
	// Timeout of each wait: for the canary, and for the rollout.
	Timeout time.Duration
	// Say is told what is under way.
	Say func(format string, args ...any)
	Now func() time.Time

	poll time.Duration // zero: as often as each waits
	// reached is told each phase when it has been kept, in tests.
	reached func(step string, phase record.Phase)
}

// State is how far a step is.
type State string

// The states.
const (
	ToDo    State = "to do"
	Done    State = "done"
	Stopped State = "stopped"
	// Waits for somebody else: the owner of the workload, or a person.
	Waits State = "waits"
)

// Outcome of a step.
type Outcome struct {
	Step     string `json:"step"`
	Workload string `json:"workload"`
	State    State  `json:"state"`
	// Changes are a diff, a line for each thing; no value of the workload is in it.
	Changes []string `json:"changes,omitempty"`
	// Notes say what to know or to do besides.
	Notes []string `json:"notes,omitempty"`
}

func (o *Outcome) note(format string, args ...any) {
	o.Notes = append(o.Notes, fmt.Sprintf(format, args...))
}

// Walk takes the steps in their order, and ends at the first failure.
func (r *Runner) Walk(ctx context.Context, p *plan.Plan, steps []plan.Step) ([]Outcome, error) {
	if err := r.check(ctx, p, steps); err != nil {
		return nil, err
	}
	var all []Outcome
	var waits []string
	for _, s := range steps {
		out := Outcome{Step: s.Name, Workload: s.Workload.String(), State: ToDo}
		err := r.step(ctx, s, &out)
		if err != nil {
			out.State = Stopped
		}
		all = append(all, out)
		if err != nil {
			return all, err
		}
		if out.State == Waits {
			waits = append(waits, s.Name)
		}
	}
	if len(waits) > 0 && r.Approve {
		err := fmt.Errorf("somebody else has something to do first: %s", strings.Join(waits, ", "))
		return all, exit.Found(hint.New(err, "do what is noted, and run the same again"))
	}
	return all, nil
}

// step takes one, from the phase that its record has.
func (r *Runner) step(ctx context.Context, s plan.Step, out *Outcome) error {
	if len(s.ByHand) > 0 {
		out.State, out.Notes = Waits, slices.Clone(s.ByHand)
		return nil
	}
	rec, err := r.records().Load(ctx, s.Workload.Namespace, s.Name)
	if err != nil {
		return err
	}
	switch {
	case rec != nil && rec.Step.From != s.From:
		return otherPlan(rec)
	case rec != nil && rec.Phase == record.Done:
		out.State = Done
		out.note("since %s", rec.Times[record.Done].UTC().Format(time.RFC3339))
		return nil
	case !r.Approve:
		return r.show(ctx, s, rec, out)
	case rec == nil:
		if rec, err = r.begin(ctx, s); err != nil {
			return err
		}
	}
	if err := r.phases(ctx, rec, out); err != nil {
		if ctx.Err() != nil {
			err = ctx.Err()
		}
		return stopped(rec, err)
	}
	return nil
}

// otherPlan refuses a step of a workload of which there is a record of another plan.
func otherPlan(rec *record.Record) error {
	w := rec.Step.Workload
	if rec.Phase == record.Done {
		return hint.New(fmt.Errorf("%s has been migrated by an earlier plan, whose record is still there", w),
			fmt.Sprintf("if nobody needs its way back any more: kubectl delete secret %s -n %s", record.Name(rec.Step.Name), w.Namespace))
	}
	return hint.New(fmt.Errorf("the migration of %s has begun by another plan", w), "go on with that one, or "+undoCommand(rec))
}

func undoCommand(rec *record.Record) string {
	w := rec.Step.Workload
	return fmt.Sprintf("podpass migrate undo %s/%s -n %s --approve", strings.ToLower(w.Kind), w.Name, w.Namespace)
}

// begin makes the record before anything is changed.
func (r *Runner) begin(ctx context.Context, s plan.Step) (*record.Record, error) {
	object, err := r.object(ctx, s)
	if err != nil {
		return nil, err
	}
	if err := r.both(ctx, s, object); err != nil {
		return nil, err
	}
	rec := record.New(s, r.Now())
	for _, t := range s.Removals {
		rec.Accounts[t.Template] = accountName(object.Object, t.Template)
	}
	return rec, r.keep(ctx, rec, record.Begun)
}

// keep is that a phase has been reached.
func (r *Runner) keep(ctx context.Context, rec *record.Record, phase record.Phase) error {
	rec.To(phase, r.Now())
	if err := r.records().Save(ctx, rec); err != nil {
		return err
	}
	if r.reached != nil {
		r.reached(rec.Step.Name, phase)
	}
	return ctx.Err()
}

func (r *Runner) phases(ctx context.Context, rec *record.Record, out *Outcome) error {
	s := rec.Step
	if !rec.Phase.Reached(record.Annotated) {
		r.Say("%s: ServiceAccount %s", s.Workload, s.ServiceAccount.Name)
		if err := r.annotate(ctx, s, false); err != nil {
			return err
		}
		if err := r.keep(ctx, rec, record.Annotated); err != nil {
			return err
		}
	}
	if !rec.Phase.Reached(record.Proved) {
		if err := r.prove(ctx, s); err != nil {
			return err
		}
		if err := r.keep(ctx, rec, record.Proved); err != nil {
			return err
		}
	}
	if !rec.Phase.Reached(record.Ready) {
		changed, err := r.change(ctx, rec, out)
		if err != nil || !changed {
			return err
		}
		if err := r.ready(ctx, s, out); err != nil {
			return err
		}
		if err := r.keep(ctx, rec, record.Ready); err != nil {
			return err
		}
	}
	if err := r.mark(ctx, s, out); err != nil {
		return err
	}
	out.State = Done
	return r.keep(ctx, rec, record.Done)
}

// stands says where a step is when it stops.
var stands = map[record.Phase]string{
	record.Begun:     "the workload has not been changed",
	record.Annotated: "its ServiceAccount asks for the identity; the workload still has its key",
	record.Proved:    "its canary got credentials; the workload still has its key",
	record.Changing:  "the workload is being changed",
	record.Ready:     "the workload runs without its key, which is not marked yet",
}

func stopped(rec *record.Record, err error) error {
	next := after(err, "run the same again to go on, or "+undoCommand(rec))
	err = hint.New(fmt.Errorf("%s stopped: %s: %w", rec.Step.Name, stands[rec.Phase], err), next)
	if errors.Is(err, context.Canceled) {
		return err
	}
	return exit.Found(err)
}

// after is a next step after the one of the error itself, if that has one.
func after(err error, next string) string {
	if first := hint.Of(err); first != "" {
		return first + "; then " + next
	}
	return next
}

func (r *Runner) records() record.Store { return record.Store{Client: r.Client} }

func (r *Runner) waiter() rollout.Waiter {
	return rollout.Waiter{Client: r.Client, Objects: r.Objects, Say: r.Say, Poll: r.poll}
}

func (r *Runner) canaries() canary.Runner {
	return canary.Runner{Client: r.Client, Explain: r.Explain, Poll: r.poll}
}
