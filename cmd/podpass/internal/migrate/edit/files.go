package edit

import (
	"slices"
	"strings"
)

// file takes files out of every volume that shows them.
func (e *editor) file(f File) {
	found := false
	for i := len(e.spec.list("volumes")) - 1; i >= 0; i-- {
		found = e.volume(i, f) || found
	}
	if !found {
		e.leave("%s: not there", f)
	}
}

// String names the files: "files a, b of Secret x".
func (f File) String() string {
	of := f.Kind + " " + f.Name
	if f.Kind == CSI {
		of = "CSI volume " + f.Name
	}
	switch len(f.Keys) {
	case 0:
		return "files of " + of
	case 1:
		return "file " + f.Keys[0] + " of " + of
	}
	return "files " + strings.Join(f.Keys, ", ") + " of " + of
}

// others are the data keys that are not to go.
func (f File) others() []string {
	var others []string
	for _, key := range f.All {
		if len(f.Keys) > 0 && !slices.Contains(f.Keys, key) {
			others = append(others, key)
		}
	}
	slices.Sort(others)
	return slices.Compact(others)
}

// volume takes files out of one volume; true: it shows them.
func (e *editor) volume(i int, f File) bool {
	v := e.spec.objects("volumes")[i]
	if csi := v.object("csi"); csi.m != nil {
		return e.csi(v, csi, f)
	}
	before := f.paths(v)
	found := false
	var whole []source
	for _, s := range sources(v) {
		if !s.isOf(f) {
			continue
		}
		done, all := e.narrow(v, s, f)
		if all {
			whole = append(whole, s)
		}
		found = found || done || all
	}
	if len(whole) > 0 {
		if whole[0].index < 0 || len(whole) == len(v.object("projected").list("sources")) {
			e.drop(v, f)
			return true
		}
		e.withdraw(v, whole, f)
	}
	if found {
		e.unmount(v, before, f.paths(v))
	}
	return found
}

// withdraw takes sources out of a projected volume.
func (e *editor) withdraw(v node, whole []source, f File) {
	e.test(v, "name")
	var indices []int
	for _, s := range whole {
		e.test(s.node, "name")
		indices = append(indices, s.index)
	}
	e.cut(v.object("projected"), "sources", indices)
	e.stay(v, "name")
	e.show("- volume %s: %s", v.text("name"), f)
}

// csi volumes show what their driver decides: they go as a whole, or stay.
func (e *editor) csi(v, csi node, f File) bool {
	class := csi.object("volumeAttributes").text("secretProviderClass")
	if (f.Kind != SecretProviderClass || class != f.Name) && (f.Kind != CSI || v.text("name") != f.Name) {
		return false
	}
	if others := f.others(); len(others) > 0 {
		e.leave("%s: volume %s shows %s, too, and the pod cannot choose of them: take the key out of what the volume comes from", f, v.text("name"), strings.Join(others, ", "))
		return true
	}
	e.drop(v, f)
	return true
}

// narrow makes a source show only what is not to go; all: that is nothing, and the source
// has to go itself; done: it shows less now, or it is told why not.
func (e *editor) narrow(v node, from source, f File) (done, all bool) {
	if len(f.Keys) == 0 {
		return false, true
	}
	items := from.objects("items")
	if len(items) == 0 {
		return e.list(v, from, f)
	}
	var indices []int
	for i, item := range items {
		if slices.Contains(f.Keys, item.text("key")) {
			indices = append(indices, i)
		}
	}
	if len(indices) == 0 || len(indices) == len(items) {
		return false, len(indices) > 0
	}
	e.test(v, "name")
	for _, i := range indices {
		e.test(items[i], "key")
	}
	e.cut(from.node, "items", indices)
	e.stays(v, from)
	e.show("- volume %s: %s", v.text("name"), f)
	return true, false
}

// stays tests on the way back that it is the same volume, and the same source of it.
func (e *editor) stays(v node, from source) {
	if from.index >= 0 {
		e.stay(from.node, "name")
	}
	e.stay(v, "name")
}

// list makes a source that shows all data keys list those that stay.
func (e *editor) list(v node, from source, f File) (done, all bool) {
	for _, key := range f.Keys {
		if !slices.Contains(f.All, key) {
			e.leave("%s: volume %s shows all of it, and what else that is was not read", f, v.text("name"))
			return true, false
		}
	}
	others := f.others()
	if len(others) == 0 {
		return false, true
	}
	var items []any
	for _, key := range others {
		items = append(items, map[string]any{"key": key, "path": key})
	}
	e.test(v, "name")
	e.insert(from.node, "items", items...)
	e.stays(v, from)
	e.show("- volume %s: %s", v.text("name"), f)
	e.show("+ volume %s: items %s", v.text("name"), strings.Join(others, ", "))
	return true, false
}
