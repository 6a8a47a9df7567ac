package chart

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"sigs.k8s.io/yaml"
)

// difference says what a rendering has and another has not, "+", and the reverse, "-", as
// a line for each field. What is the same everywhere would hide in 44 whole manifests what
// a value does. An object that has gone is one line.
func difference(from, to []object) string {
	var out strings.Builder
	before, after := fields(from), fields(to)
	for _, id := range slices.Sorted(maps.Keys(merged(before, after))) {
		if after[id] == nil {
			fmt.Fprintf(&out, "- %s\n", id)
			continue
		}
		var lines []string
		for _, line := range before[id] {
			if !slices.Contains(after[id], line) {
				lines = append(lines, "  - "+line)
			}
		}
		for _, line := range after[id] {
			if !slices.Contains(before[id], line) {
				lines = append(lines, "  + "+line)
			}
		}
		switch {
		case before[id] == nil:
			fmt.Fprintf(&out, "+ %s\n%s\n", id, strings.Join(lines, "\n"))
		case len(lines) > 0:
			fmt.Fprintf(&out, "  %s\n%s\n", id, strings.Join(lines, "\n"))
		}
	}
	return out.String()
}

func merged[V any](a, b map[string]V) map[string]V {
	all := maps.Clone(a)
	maps.Copy(all, b)
	return all
}

// fields are the objects' by id, as "path: value".
func fields(all []object) map[string][]string {
	byID := map[string][]string{}
	for _, o := range all {
		var lines []string
		flatten(&lines, "", o.Object)
		byID[o.id()] = lines
	}
	return byID
}

// flatten names elements of lists by what tells them apart, so that one more of them is
// no change of all that follow.
func flatten(lines *[]string, path string, value any) {
	switch v := value.(type) {
	case map[string]any:
		for _, key := range slices.Sorted(maps.Keys(v)) {
			flatten(lines, strings.TrimPrefix(path+"."+key, "."), v[key])
		}
		if len(v) == 0 {
			*lines = append(*lines, path+": {}")
		}
	case []any:
		for i, element := range v {
			m, ok := element.(map[string]any)
			if !ok {
				flatten(lines, path+"[]", element)
				continue
			}
			flatten(lines, fmt.Sprintf("%s[%v]", path, nameOf(m, i)), element)
		}
		if len(v) == 0 {
			*lines = append(*lines, path+": []")
		}
	case string:
		if strings.HasSuffix(path, "config.yaml") { // the settings are an object, too
			var settings map[string]any
			if err := yaml.Unmarshal([]byte(v), &settings); err == nil {
				flatten(lines, path, settings)
				return
			}
		}
		*lines = append(*lines, path+": "+clipped(v))
	default:
		*lines = append(*lines, fmt.Sprintf("%s: %v", path, v))
	}
}

// nameOf is what tells an element of a list from the others.
func nameOf(element map[string]any, index int) any {
	for _, key := range []string{"name", "key", "topologyKey", "resources", "namespace"} {
		if name, ok := element[key]; ok {
			return name
		}
	}
	return index
}

// clipped keeps certificates out of goldens.
func clipped(s string) string {
	if len(s) > 200 {
		return fmt.Sprintf("%.60q and %d bytes more", s, len(s)-60)
	}
	if strings.ContainsAny(s, "\n") {
		return fmt.Sprintf("%q", s)
	}
	return s
}
