package apply

import (
	"cmp"
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"github.com/podpass-io/podpass/cmd/podpass/internal/migrate/graph"
	"github.com/podpass-io/podpass/cmd/podpass/internal/migrate/plan"
)

// kept are the objects that hold a step's keys, and which data keys of them. In the copy
// that kubectl keeps in an annotation they stand too, which nothing reads.
func kept(s plan.Step) map[graph.Object][]string {
	all := map[graph.Object][]string{}
	for _, k := range s.Keys {
		o := graph.Object{APIVersion: "v1", Kind: k.Object.Kind, Namespace: s.Workload.Namespace, Name: k.Object.Name}
		if o.Kind == "Secret" || o.Kind == "ConfigMap" {
			all[o] = graph.Names(all[o], graph.DataKeys(k.Keys))
		}
	}
	return all
}

// mark marks what nothing reads any more.
func (r *Runner) mark(ctx context.Context, s plan.Step, out *Outcome) error {
	objects := kept(s)
	if len(objects) == 0 {
		return nil
	}
	r.Say("%s: who else reads its key", s.Workload)
	who, err := r.readersOf(ctx, s.Workload.Namespace)
	if err != nil {
		return err
	}
	for _, o := range slices.SortedFunc(maps.Keys(objects), func(a, b graph.Object) int { return strings.Compare(a.String(), b.String()) }) {
		keys := objects[o]
		u, err := r.Objects.Get(ctx, o)
		if err != nil {
			return err
		}
		if u == nil {
			continue
		}
		names := who.of(o, keys)
		switch {
		case len(who.unread) > 0:
			out.note("%s is not marked as unused: %s", o, strings.Join(who.unread, ", "))
		case len(names) > 0:
			out.note("%s is still read by %s", o, strings.Join(names, ", "))
		default:
			if err := r.annotateUnused(ctx, o, u, keys, len(who.of(o, nil)) == 0); err != nil {
				return err
			}
			out.note("%s: nothing reads %s any more; podpass migrate delete %s/%s -n %s", o, strings.Join(keys, ", "), strings.ToLower(o.Kind), o.Name, o.Namespace)
		}
	}
	return nil
}

// annotateUnused marks data keys, beside those that are marked already; whole: nothing
// reads anything else of the object either.
func (r *Runner) annotateUnused(ctx context.Context, o graph.Object, u *unstructured.Unstructured, keys []string, whole bool) error {
	have := u.GetAnnotations()
	annotations := map[string]string{graph.KeyUnusedData: strings.Join(graph.Names(keys, list(have[graph.KeyUnusedData])), ",")}
	if whole {
		annotations[graph.KeyUnused] = cmp.Or(have[graph.KeyUnused], r.Now().UTC().Format(time.RFC3339))
	}
	return r.setMark(ctx, o, u, annotations)
}

// list is what an annotation lists.
func list(text string) []string {
	return slices.DeleteFunc(strings.Split(text, ","), func(s string) bool { return s == "" })
}

// setMark applies the annotations; none of them: they go.
func (r *Runner) setMark(ctx context.Context, o graph.Object, u *unstructured.Unstructured, annotations map[string]string) error {
	mark := &unstructured.Unstructured{Object: map[string]any{"apiVersion": o.APIVersion, "kind": o.Kind}}
	mark.SetNamespace(o.Namespace)
	mark.SetName(o.Name)
	mark.SetUID(u.GetUID()) // else it would be made, if it has gone meanwhile
	mark.SetAnnotations(annotations)
	return r.Objects.Apply(ctx, mark, false)
}

// unmark takes the mark of a step's keys away: they are read again.
func (r *Runner) unmark(ctx context.Context, s plan.Step) error {
	for o, keys := range kept(s) {
		u, err := r.Objects.Get(ctx, o)
		if err != nil {
			return err
		}
		if u == nil || u.GetAnnotations()[graph.KeyUnusedData] == "" {
			continue
		}
		left := slices.DeleteFunc(list(u.GetAnnotations()[graph.KeyUnusedData]), func(k string) bool { return slices.Contains(keys, k) })
		var annotations map[string]string
		if len(left) > 0 {
			annotations = map[string]string{graph.KeyUnusedData: strings.Join(left, ",")}
		}
		if err := r.setMark(ctx, o, u, annotations); err != nil {
			return fmt.Errorf("taking the mark away: %w", err)
		}
	}
	return nil
}
