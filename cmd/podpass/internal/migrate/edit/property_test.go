package edit

import (
	"encoding/json"
	"fmt"
	"reflect"
	"slices"
	"strings"
	"testing"

	"pgregory.net/rapid"
)

// allKeys are those of every Secret and ConfigMap.
func allKeys() []string { return []string{"a", "b", "c"} }

func draw(t *rapid.T) (workload []byte, r Removal, c Change, after []byte) {
	g := generator{t, new(int)}
	workload, r = g.workload(), g.removal()
	c, err := Patch(workload, r)
	if err != nil {
		t.Fatal(err)
	}
	return workload, r, c, apply(t, workload, encoded(t, c.Patch))
}

func TestPatchAndUndoRestore(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		workload, _, c, after := draw(t)
		if d := diff(t, workload, apply(t, after, c.Undo.Reveal())); d != "" {
			t.Fatal(d)
		}
	})
}

// A second patch of the same has nothing left to do.
func TestPatchTwiceIsOnce(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		_, r, first, after := draw(t)
		c, err := Patch(after, r)
		if err != nil {
			t.Fatal(err)
		}
		if len(c.Patch) > 0 {
			t.Fatalf("patched again: %s\nfirst: %s", encoded(t, c.Patch), encoded(t, first.Patch))
		}
		if len(first.Patch) > 0 && len(c.Left) <= len(first.Left) {
			t.Fatalf("what is gone is not told: %q, at first %q", c.Left, first.Left)
		}
	})
}

// No value of the workload is in what is shown.
func TestPatchHoldsNoValue(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		workload, _, c, _ := draw(t)
		patch := encoded(t, c.Patch)
		for _, text := range strings.Split(string(workload), `"`) {
			text = strings.TrimPrefix(text, "--b=")
			// A path of the generator begins with a slash, and is no secret.
			if strings.HasPrefix(text, "value-") && strings.Contains(string(patch)+c.Show(), text) {
				t.Fatalf("%s is in %s\n%s", text, patch, c.Show())
			}
		}
	})
}

// Whatever a removal does not name is as before: the order of what stays, and all else.
func TestPatchKeepsTheRest(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		workload, r, _, after := draw(t)
		before, then := read(t, workload), read(t, after)
		for _, name := range r.Annotations {
			delete(before.annotations, name)
		}
		if len(before.annotations)+len(then.annotations) > 0 && !reflect.DeepEqual(before.annotations, then.annotations) {
			t.Fatalf("annotations %v became %v", before.annotations, then.annotations)
		}
		if d := diff(t, before.rest, then.rest); d != "" {
			t.Fatal(d)
		}
		for list, elements := range before.lists {
			got := then.lists[list]
			for len(got) > 0 && !slices.Contains(elements, got[0]) && strings.HasSuffix(list, " env") && strings.Contains(got[0], "KeyRef") {
				got = got[1:] // what is kept of an envFrom
			}
			for _, e := range elements {
				switch {
				case len(got) > 0 && got[0] == e:
					got = got[1:]
				case !r.names(list, e):
					t.Fatalf("%s: %s is not named, and gone: %v", list, e, then.lists[list])
				}
			}
			if len(got) > 0 {
				t.Fatalf("%s: %s is new or elsewhere", list, got[0])
			}
		}
	})
}

// parts of a workload: its lists as text, and what is beside them.
type parts struct {
	lists       map[string][]string
	annotations object
	rest        []byte
}

func read(t *rapid.T, workload []byte) parts {
	var w object
	if err := json.Unmarshal(workload, &w); err != nil {
		t.Fatal(err)
	}
	template := w["spec"].(object)["template"].(object)
	spec := template["spec"].(object)
	p := parts{lists: map[string][]string{}}
	take := func(of object, member, name string) {
		list, _ := of[member].([]any)
		for _, e := range list {
			p.lists[name] = append(p.lists[name], string(encoded(t, e)))
		}
		delete(of, member)
	}
	volumes, _ := spec["volumes"].([]any)
	for _, v := range volumes {
		p.volume(v.(object))
	}
	delete(spec, "volumes")
	for _, member := range []string{"initContainers", "containers"} {
		list, _ := spec[member].([]any)
		for _, c := range list {
			c := c.(object)
			for _, m := range []string{"env", "envFrom", "volumeMounts", Command, Args} {
				take(c, m, c["name"].(string)+" "+m)
			}
		}
	}
	if metadata, ok := template["metadata"].(object); ok {
		p.annotations, _ = metadata["annotations"].(object)
		delete(metadata, "annotations")
	}
	p.rest = encoded(t, w)
	return p
}

// volume is one element, and each of its files one of another list.
func (p parts) volume(v object) {
	files := func(kind string, of object, name string) {
		from, ok := of[kind].(object)
		if !ok {
			return
		}
		items, listed := from["items"].([]any)
		if !listed {
			for _, key := range allKeys() {
				items = append(items, object{"key": key, "path": key})
			}
		}
		for _, item := range items {
			item := item.(object)
			p.lists["files"] = append(p.lists["files"], fmt.Sprintf("%s %s %s %s %s", kind, from[name], item["key"], v["name"], item["path"]))
		}
		delete(of, kind)
	}
	files("secret", v, "secretName")
	files("configMap", v, "name")
	if projected, ok := v["projected"].(object); ok {
		for _, source := range projected["sources"].([]any) {
			source := source.(object)
			files("secret", source, "name")
			files("configMap", source, "name")
			if len(source) > 0 {
				p.lists["files"] = append(p.lists["files"], fmt.Sprintf("%v %s", source, v["name"]))
			}
		}
		delete(v, "projected")
	}
	p.lists["volumes"] = append(p.lists["volumes"], fmt.Sprint(v))
}

// names reports whether a removal may take an element out of a list, or change it.
func (r Removal) names(list, element string) bool {
	container, member, _ := strings.Cut(list, " ")
	has := func(s string) bool { return strings.Contains(element, s) }
	switch member {
	case "env":
		return slices.ContainsFunc(r.Env, func(v Env) bool { return v.Container == container && has(`"name":"`+v.Name+`"`) })
	case "envFrom":
		return slices.ContainsFunc(r.EnvFrom, func(f EnvFrom) bool {
			return f.Container == container && has(`"name":"`+f.Name+`"`) && has(map[string]string{Secret: "secretRef", ConfigMap: "configMapRef"}[f.Kind])
		})
	case Command, Args:
		return slices.ContainsFunc(r.Args, func(a Arg) bool { return a.Container == container && a.List == member })
	}
	if list != "files" { // volumes and mounts go with their files
		return len(r.Files) > 0 && !has("own-")
	}
	return slices.ContainsFunc(r.Files, func(f File) bool {
		of := map[string]string{Secret: "secret ", ConfigMap: "configMap "}[f.Kind] + f.Name + " "
		return strings.HasPrefix(element, of) && (len(f.Keys) == 0 || slices.ContainsFunc(f.Keys, func(key string) bool { return strings.HasPrefix(element, of+key+" ") }))
	})
}
