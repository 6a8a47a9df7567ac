package plan

import (
	"encoding/json"
	"fmt"
	"slices"

	"github.com/podpass-io/podpass/cmd/podpass/internal/hint"
	"github.com/podpass-io/podpass/cmd/podpass/internal/migrate/edit"
	"github.com/podpass-io/podpass/cmd/podpass/internal/migrate/workload"
)

// Digest of what a step is made from: the pod templates of a workload that its removals
// are about. Only the lengths count of what people write into them: of variables,
// arguments and annotations, so that nobody can try what fits the digest. What others
// change all the time does not count: replicas, status, metadata.
func Digest(object map[string]any, removals []edit.Removal) (string, error) {
	type template struct {
		Pointer        string
		ServiceAccount string
		Annotations    map[string]int
		Spec           any
		Removal        edit.Removal
	}
	found := workload.Templates(object)
	var all []template
	for _, r := range removals {
		i := slices.IndexFunc(found, func(t workload.Template) bool { return t.Pointer == r.Template })
		if i < 0 {
			return "", hint.New(fmt.Errorf("the workload has no pod template at %q", r.Template), "make the plan again: it has changed since")
		}
		t := found[i]
		one := template{Pointer: t.Pointer, ServiceAccount: t.ServiceAccount(), Annotations: map[string]int{}, Spec: lengths(t.Spec), Removal: r}
		for name, value := range t.Annotations {
			one.Annotations[name] = len(value)
		}
		all = append(all, one)
	}
	b, err := json.Marshal(all)
	if err != nil {
		return "", fmt.Errorf("making the digest of a workload: %w", err)
	}
	return sum(b), nil
}

// lengths is a pod's spec with the lengths of its containers' values in their place.
func lengths(spec map[string]any) map[string]any {
	return changed(spec, func(name string, v any) any {
		switch name {
		case "initContainers", "containers", "ephemeralContainers":
			return each(v, container)
		}
		return v
	})
}

func container(m map[string]any) map[string]any {
	return changed(m, func(name string, v any) any {
		switch name {
		case "env":
			return each(v, func(env map[string]any) map[string]any {
				return changed(env, func(name string, v any) any {
					if text, ok := v.(string); ok && name == "value" {
						return len(text)
					}
					return v
				})
			})
		case "command", "args":
			list, _ := v.([]any)
			sizes := []int{}
			for _, e := range list {
				text, _ := e.(string)
				sizes = append(sizes, len(text))
			}
			return sizes
		}
		return v
	})
}

func changed(m map[string]any, change func(name string, v any) any) map[string]any {
	out := map[string]any{}
	for name, v := range m {
		out[name] = change(name, v)
	}
	return out
}

func each(v any, change func(map[string]any) map[string]any) []any {
	list, _ := v.([]any)
	var out []any
	for _, e := range list {
		if m, ok := e.(map[string]any); ok {
			out = append(out, change(m))
		} else {
			out = append(out, e)
		}
	}
	return out
}
