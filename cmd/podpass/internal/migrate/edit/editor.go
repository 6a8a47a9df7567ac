package edit

import (
	"encoding/json"
	"fmt"
	"slices"
	"strconv"
)

// editor changes a workload in memory, and records each step as an operation and as what
// takes it back. As each is written at the state that those before it leave, indices are
// right when they are applied in their order.
type editor struct {
	own  node // the workload
	pod  node // its template
	spec node // the template's spec

	// empty: for a canary, whose variables stay and are emptied.
	empty bool

	patch     []Op
	undo      [][]Op // applied from the last to the first
	undoTests []Op
	tested    map[string]bool
	lines     []string
	left      []string

	gone  []gone   // of this template
	loose []string // what refers to something that is gone
}

// gone is a variable or a path that a container no longer has.
type gone struct{ container, variable, path string }

func (e *editor) show(format string, a ...any) { e.lines = append(e.lines, fmt.Sprintf(format, a...)) }

func (e *editor) leave(format string, a ...any) { e.left = append(e.left, fmt.Sprintf(format, a...)) }

// encode never fails: what it gets was decoded of JSON, or is made of strings.
func encode(v any) json.RawMessage {
	b, _ := json.Marshal(v)
	return b
}

// absent tests that there is nothing, so that an "add" replaces nothing that came since.
// RFC 6902 has no such test; the API server and Kustomize take null for it.
func absent(path string) Op { return Op{"test", path, json.RawMessage("null")} }

// is tests a name before what stands there is changed.
func (e *editor) is(path, name string) {
	e.patch = append(e.patch, Op{"test", path, encode(name)})
}

// test that a member is still the name that it is.
func (e *editor) test(n node, member string) { e.is(n.path(member), n.text(member)) }

// touch tests a container's name before its first change, there and back.
func (e *editor) touch(container node) {
	if e.tested[container.at] {
		return
	}
	e.tested[container.at] = true
	e.test(container, "name")
	e.undoTests = append(e.undoTests, e.patch[len(e.patch)-1])
}

// stay tests a name on the way back, before what was done to its object is undone.
func (e *editor) stay(n node, member string) {
	e.undo = append(e.undo, []Op{{"test", n.path(member), encode(n.text(member))}})
}

// remove a member.
func (e *editor) remove(n node, member string) {
	path := n.path(member)
	e.patch = append(e.patch, Op{Op: "remove", Path: path})
	e.undo = append(e.undo, []Op{absent(path), {"add", path, encode(n.m[member])}})
	delete(n.m, member)
}

// cut elements out of an array, the last one first. An array that would be empty goes
// itself: the API server leaves empty ones out, and nothing could be put back into it.
func (e *editor) cut(n node, member string, indices []int) {
	list := n.list(member)
	if len(indices) == len(list) {
		e.remove(n, member)
		return
	}
	before := list
	list = slices.Clone(list)
	var undo [][]Op
	slices.Sort(indices)
	for _, i := range slices.Backward(indices) {
		path := n.path(member) + "/" + strconv.Itoa(i)
		e.patch = append(e.patch, Op{Op: "remove", Path: path})
		undo = append(undo, []Op{{"add", path, encode(list[i])}})
		list = slices.Delete(list, i, i+1)
	}
	if !named(before) {
		// Arguments mean something by their places: they come back as they were, or not.
		path := n.path(member)
		undo = [][]Op{{{"test", path, encode(list)}, {"replace", path, encode(before)}}}
	}
	e.undo = append(e.undo, undo...)
	n.m[member] = list
}

// insert puts values at the front of an array, which it makes where there is none. They
// are made of names alone, and are taken back where they still stand as they were put.
func (e *editor) insert(n node, member string, values ...any) {
	if len(values) == 0 {
		return
	}
	path, list := n.path(member), n.list(member)
	if list == nil {
		e.patch = append(e.patch, absent(path), Op{"add", path, encode(values)})
		e.undo = append(e.undo, []Op{{"test", path, encode(values)}, {Op: "remove", Path: path}})
		n.m[member] = values
		return
	}
	for i, v := range values {
		at := path + "/" + strconv.Itoa(i)
		e.patch = append(e.patch, Op{"add", at, encode(v)})
		e.undo = append(e.undo, []Op{{"test", at, encode(v)}, {Op: "remove", Path: at}})
	}
	n.m[member] = slices.Concat(values, list)
}
