// Package workload reads what static keys the pods of a workload can see: by the shape of
// a pod template, whatever the kind of the object that holds it, custom resources too.
package workload

import (
	"maps"
	"slices"
	"strconv"
	"strings"
)

// Template is a pod template within an object, or a pod itself.
type Template struct {
	// Pointer is the JSON pointer of what has the template's metadata and spec; empty: the
	// object itself.
	Pointer     string
	Annotations map[string]string
	Spec        map[string]any
}

// deepest is how far within an object a pod template is looked for: CronJobs have theirs
// at 4, and operators' somewhat deeper.
const deepest = 12

// Templates are the pod templates of an object: everything named spec in which there is a
// list of containers that have names and images.
func Templates(object map[string]any) []Template {
	var list []Template
	find(object, "", deepest, &list)
	return list
}

func find(m map[string]any, pointer string, depth int, list *[]Template) {
	if depth == 0 {
		return
	}
	if spec, ok := m["spec"].(map[string]any); ok && hasContainers(spec) {
		meta, _ := m["metadata"].(map[string]any)
		*list = append(*list, Template{Pointer: pointer, Annotations: texts(meta["annotations"]), Spec: spec})
		return
	}
	for _, name := range slices.Sorted(maps.Keys(m)) {
		switch v := m[name].(type) {
		case map[string]any:
			find(v, Below(pointer, name), depth-1, list)
		case []any:
			for i, e := range v {
				if inner, ok := e.(map[string]any); ok {
					find(inner, Below(pointer, name)+"/"+strconv.Itoa(i), depth-1, list)
				}
			}
		}
	}
}

// Below is the JSON pointer (RFC 6901) of a member. It is asked for at each object of each
// object: a replacer that is made for that takes a tenth of a scan.
func Below(pointer, name string) string {
	return pointer + "/" + strings.ReplaceAll(strings.ReplaceAll(name, "~", "~0"), "/", "~1")
}

func hasContainers(spec map[string]any) bool {
	list := objects(spec["containers"])
	for _, c := range list {
		if text(c["name"]) == "" || text(c["image"]) == "" {
			return false
		}
	}
	return len(list) > 0
}

// ServiceAccount is the name of the template's, which is "default" if it has none.
func (t Template) ServiceAccount() string {
	for _, field := range []string{"serviceAccountName", "serviceAccount"} {
		if name := text(t.Spec[field]); name != "" {
			return name
		}
	}
	return "default"
}

// containers of the template, and those that go before them.
func (t Template) containers() []map[string]any {
	return slices.Concat(objects(t.Spec["initContainers"]), objects(t.Spec["containers"]), objects(t.Spec["ephemeralContainers"]))
}

// objects are the objects of a list.
func objects(v any) []map[string]any {
	list, _ := v.([]any)
	var all []map[string]any
	for _, e := range list {
		if m, ok := e.(map[string]any); ok {
			all = append(all, m)
		}
	}
	return all
}

// texts are the members of an object that are texts.
func texts(v any) map[string]string {
	m, _ := v.(map[string]any)
	var all map[string]string
	for name, e := range m {
		if s, ok := e.(string); ok {
			if all == nil {
				all = map[string]string{}
			}
			all[name] = s
		}
	}
	return all
}

func text(v any) string {
	s, _ := v.(string)
	return s
}

// within gives the object that is named, which may be missing.
func within(m map[string]any, name string) map[string]any {
	inner, _ := m[name].(map[string]any)
	return inner
}

// list of texts.
func list(v any) []string {
	all, _ := v.([]any)
	var out []string
	for _, e := range all {
		if s, ok := e.(string); ok {
			out = append(out, s)
		}
	}
	return out
}
