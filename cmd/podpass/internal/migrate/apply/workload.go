package apply

import (
	"context"
	"encoding/json"
	"fmt"
	"strconv"
	"strings"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"github.com/podpass-io/podpass/cmd/podpass/internal/hint"
	"github.com/podpass-io/podpass/cmd/podpass/internal/migrate/canary"
	"github.com/podpass-io/podpass/cmd/podpass/internal/migrate/edit"
	"github.com/podpass-io/podpass/cmd/podpass/internal/migrate/graph"
	"github.com/podpass-io/podpass/cmd/podpass/internal/migrate/plan"
	"github.com/podpass-io/podpass/cmd/podpass/internal/migrate/record"
	"github.com/podpass-io/podpass/cmd/podpass/internal/migrate/rollout"
	"github.com/podpass-io/podpass/federation/finding"
	"github.com/podpass-io/podpass/webhook/inject"
)

// prove runs a canary of each pod template of a step.
func (r *Runner) prove(ctx context.Context, s plan.Step) error {
	object, err := r.object(ctx, s)
	if err != nil {
		return err
	}
	for i, removal := range s.Removals {
		at, ok := edit.Template(object.Object, removal.Template)
		if !ok {
			return hint.New(fmt.Errorf("%s has no pod template at %q", s.Workload, removal.Template), again)
		}
		template, err := json.Marshal(at)
		if err != nil {
			return fmt.Errorf("reading the pod template: %w", err)
		}
		r.Say("%s: canary %s", s.Workload, canaryName(s.Name, i))
		err = r.canaries().Run(ctx, canary.Want{
			Namespace: s.Workload.Namespace, Name: canaryName(s.Name, i), Template: template, Removal: removal,
			ServiceAccount: s.ServiceAccount.Name, Probe: r.Probe, Timeout: r.Timeout,
			Image: r.Settings.Broker.Image, PullPolicy: r.Settings.Broker.ImagePullPolicy,
		})
		if err != nil {
			return fmt.Errorf("the proof failed: %w", err)
		}
	}
	return nil
}

// canaryName is that of the canary of a step's removal.
func canaryName(step string, i int) string {
	if i == 0 {
		return record.Name(step)
	}
	return record.Name(step) + "-" + strconv.Itoa(i)
}

// change takes the keys out of the workload; not changed: its owner has to.
func (r *Runner) change(ctx context.Context, rec *record.Record, out *Outcome) (changed bool, err error) {
	switch s := rec.Step; {
	case s.Manager != "":
		return r.changedByOwner(ctx, rec, out)
	case recreated(s.Workload):
		return true, r.recreate(ctx, rec, out)
	}
	return true, r.patch(ctx, rec, out)
}

// changedByOwner looks whether the owner of a workload has done what its step says.
func (r *Runner) changedByOwner(ctx context.Context, rec *record.Record, out *Outcome) (bool, error) {
	s := rec.Step
	u, err := r.Objects.Get(ctx, s.Workload)
	if err != nil {
		return false, err
	}
	if u == nil {
		return false, hint.New(fmt.Errorf("%s is not there any more", s.Workload), again)
	}
	done, err := without(u, s)
	if err != nil {
		return false, err
	}
	if !done {
		out.State = Waits
		out.note("%s keeps it: change it there, as the plan's folder %s says; ServiceAccount and proof are done", s.Manager, s.Name)
	}
	return done, nil
}

// tries is how often a patch is made again when the workload has changed in between: its
// status does all the time.
const tries = 5

// patch changes a workload in place. What takes it back is kept before.
func (r *Runner) patch(ctx context.Context, rec *record.Record, out *Outcome) error {
	s := rec.Step
	for range tries {
		done, err := r.patched(ctx, rec)
		if err != nil || done {
			return err
		}
		u, err := r.object(ctx, s)
		if err != nil {
			return err
		}
		object, err := u.MarshalJSON()
		if err != nil {
			return fmt.Errorf("reading the workload: %w", err)
		}
		c, err := changeOf(object, s)
		if err != nil {
			return err
		}
		rec.Keep(c.undo, nil)
		if err := r.keep(ctx, rec, record.Changing); err != nil {
			return err
		}
		r.Say("%s: without its key", s.Workload)
		err = r.Objects.Patch(ctx, s.Workload, append([]edit.Op{unchanged(u)}, c.ops...), false)
		if err == nil {
			out.Changes, out.Notes = c.lines, append(out.Notes, c.notes...)
		}
		if !apierrors.IsConflict(err) {
			return err
		}
	}
	return changesAlways(s.Workload)
}

func changesAlways(o graph.Object) error {
	return hint.New(fmt.Errorf("%s changes all the time", o), "see who writes it: kubectl get --show-managed-fields -o yaml")
}

// unchanged makes a patch fail if its object is another one than that was read.
func unchanged(u *unstructured.Unstructured) edit.Op {
	return edit.Op{Op: "replace", Path: "/metadata/resourceVersion", Value: text(u.GetResourceVersion())}
}

// patched reports whether a run before, which was killed then, has changed the workload.
func (r *Runner) patched(ctx context.Context, rec *record.Record) (bool, error) {
	u, err := r.Objects.Get(ctx, rec.Step.Workload)
	return err == nil && u != nil && has(u, rec), err
}

// has reports whether a workload is as apply has left it.
func has(u *unstructured.Unstructured, rec *record.Record) bool {
	return u.GetAnnotations()[graph.KeyMigration] == record.Name(rec.Step.Name)
}

// ready waits until a workload runs without its keys, and asks a new broker.
func (r *Runner) ready(ctx context.Context, s plan.Step, out *Outcome) error {
	if rollout.Later(s.Workload.Kind) {
		return nil
	}
	u, err := r.Objects.Get(ctx, s.Workload)
	if err != nil {
		return err
	}
	if u != nil && rollout.Finished(u) {
		out.note("it has ended, and is not run again")
		return nil
	}
	pod, err := r.waiter().Wait(ctx, s.Workload, r.Timeout, func(p *corev1.Pod) (bool, error) {
		return rollout.Without(p, s.Removals, s.ServiceAccount.Name)
	})
	if err != nil || pod == nil {
		return err
	}
	return r.broker(ctx, pod)
}

// broker asks that of a new pod for errors.
func (r *Runner) broker(ctx context.Context, pod *corev1.Pod) error {
	if !rollout.Injected(pod) {
		if pod.Labels[inject.InjectedLabel] != "" {
			return nil // in direct mode there is none
		}
		return hint.New(fmt.Errorf("its new pod %s has nothing of podpass", pod.Name), "podpass doctor pod/"+pod.Name+" -n "+pod.Namespace+" says why")
	}
	list, err := r.Explain(ctx, pod.Namespace, pod.Name)
	if err != nil {
		return hint.New(fmt.Errorf("the broker of its new pod %s could not be asked: %w", pod.Name, err), "podpass doctor pod/"+pod.Name+" -n "+pod.Namespace)
	}
	var why []string
	for _, f := range list {
		if f.Severity == finding.Error {
			why = append(why, f.String())
		}
	}
	if why != nil {
		return fmt.Errorf("its new pod %s lacks credentials: %s", pod.Name, strings.Join(why, "; "))
	}
	return nil
}
