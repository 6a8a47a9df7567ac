package apply

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"strings"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/types"

	"github.com/podpass-io/podpass/cmd/podpass/internal/hint"
	"github.com/podpass-io/podpass/cmd/podpass/internal/migrate/graph"
	"github.com/podpass-io/podpass/cmd/podpass/internal/migrate/record"
	"github.com/podpass-io/podpass/cmd/podpass/internal/migrate/rollout"
)

// recreate deletes a workload that cannot be changed, and makes it again without its keys.
// All of it as it was is kept before. One that has ended stays: nobody wants it to run
// twice.
func (r *Runner) recreate(ctx context.Context, rec *record.Record, out *Outcome) error {
	s := rec.Step
	u, err := r.Objects.Get(ctx, s.Workload)
	if err != nil {
		return err
	}
	former := rec.Former()
	switch {
	case u != nil && (has(u, rec) || rollout.Finished(u)):
		return nil
	case u == nil && former == nil:
		return hint.New(fmt.Errorf("%s is not there any more", s.Workload), again)
	case u != nil:
		if u, err = r.object(ctx, s); err != nil {
			return err
		}
		if former, err = applicable(u).MarshalJSON(); err != nil {
			return fmt.Errorf("reading the workload: %w", err)
		}
	}
	c, err := changeOf(former, s)
	if err != nil {
		return err
	}
	next := new(unstructured.Unstructured)
	if err := json.Unmarshal(c.result, &next.Object); err != nil {
		return fmt.Errorf("reading the workload: %w", err)
	}
	if u != nil {
		// Better refused now than when the former one is gone.
		if err := r.Objects.Try(ctx, s.Workload, next); err != nil {
			return err
		}
		rec.Keep(nil, former)
		if err := r.keep(ctx, rec, record.Changing); err != nil {
			return err
		}
		r.Say("%s: deleted, to be made again without its key", s.Workload)
		if err := r.remove(ctx, s.Workload, u.GetUID()); err != nil {
			return err
		}
	}
	out.Changes, out.Notes = c.lines, append(out.Notes, c.notes...)
	return r.Objects.Create(ctx, s.Workload, next)
}

// remove deletes an object, and waits until it is gone.
func (r *Runner) remove(ctx context.Context, o graph.Object, uid types.UID) error {
	if err := r.Objects.Delete(ctx, o, uid); err != nil {
		return err
	}
	return r.waiter().Gone(ctx, o, uid, r.Timeout)
}

// applicable is an object as somebody could have applied it: without what the API server,
// controllers and the scheduler have put into it. What podpass has injected may stay: the
// webhook finds what is its own.
func applicable(u *unstructured.Unstructured) *unstructured.Unstructured {
	u = u.DeepCopy()
	delete(u.Object, "status")
	for _, field := range []string{"uid", "resourceVersion", "creationTimestamp", "generation", "managedFields", "deletionTimestamp", "deletionGracePeriodSeconds", "selfLink"} {
		unstructured.RemoveNestedField(u.Object, "metadata", field)
	}
	switch u.GetKind() {
	case "Job":
		applicableJob(u)
	case "Pod":
		unstructured.RemoveNestedField(u.Object, "spec", "nodeName")
		unstructured.RemoveNestedField(u.Object, "spec", "ephemeralContainers")
		withoutTokens(u)
	}
	return u
}

// jobLabels are those by which a Job's controller knows its pods: it sets them anew.
var jobLabels = []string{"controller-uid", "batch.kubernetes.io/controller-uid", "job-name", "batch.kubernetes.io/job-name"}

func applicableJob(u *unstructured.Unstructured) {
	if manual, _, _ := unstructured.NestedBool(u.Object, "spec", "manualSelector"); manual {
		return
	}
	unstructured.RemoveNestedField(u.Object, "spec", "selector")
	for _, label := range jobLabels {
		unstructured.RemoveNestedField(u.Object, "metadata", "labels", label)
		unstructured.RemoveNestedField(u.Object, "spec", "template", "metadata", "labels", label)
	}
}

// tokens begin the name of the volume that each pod gets for its ServiceAccount.
const tokens = "kube-api-access-"

// withoutTokens takes out the volume of the ServiceAccount's token: the API server puts it
// in again.
func withoutTokens(u *unstructured.Unstructured) {
	drop := func(list []any) []any {
		return slices.DeleteFunc(list, func(e any) bool {
			m, _ := e.(map[string]any)
			name, _ := m["name"].(string)
			return strings.HasPrefix(name, tokens)
		})
	}
	spec, _ := u.Object["spec"].(map[string]any)
	if volumes, ok := spec["volumes"].([]any); ok {
		spec["volumes"] = drop(volumes)
	}
	for _, field := range []string{"initContainers", "containers"} {
		list, _ := spec[field].([]any)
		for _, e := range list {
			if c, ok := e.(map[string]any); ok {
				if mounts, ok := c["volumeMounts"].([]any); ok {
					c["volumeMounts"] = drop(mounts)
				}
			}
		}
	}
}
