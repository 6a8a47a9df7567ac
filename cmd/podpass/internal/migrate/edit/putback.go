package edit

import (
	"maps"
	"reflect"
	"slices"
	"strconv"
	"strings"
)

// place is where a JSON pointer leads: a member of an object, or an element of one that
// is an array.
type place struct {
	of     node
	member string
	index  int // -1: the member itself
}

// at finds a place. Its object is there; the member need not be.
func (e *editor) at(pointer string) (place, bool) {
	parent, last := up(pointer)
	if m, ok := find(e.own.m, parent); ok {
		return place{node{parent, m}, last, -1}, true
	}
	above, member := up(parent)
	m, ok := find(e.own.m, above)
	i, err := strconv.Atoi(last)
	return place{node{above, m}, member, i}, ok && err == nil && i >= 0
}

// up is a pointer without its last token, and that token.
func up(pointer string) (parent, last string) {
	i := strings.LastIndex(pointer, "/")
	if i < 0 {
		return "", ""
	}
	return pointer[:i], unescape(pointer[i+1:])
}

// set a member that is not there.
func (e *editor) set(n node, member string, value any) {
	path := n.path(member)
	e.patch = append(e.patch, absent(path), Op{"add", path, encode(value)})
	n.m[member] = value
}

// put a member back that was taken out whole, beside what has come there since.
func (e *editor) put(path string, value any) error {
	p, ok := e.at(path)
	if !ok {
		// The object that it was in has gone as well, as the API server leaves out empty ones.
		parent, member := up(path)
		if p, ok = e.at(parent); !ok || p.index >= 0 {
			return changed(path)
		}
		value = map[string]any{member: value}
	}
	if p.index >= 0 {
		return changed(path)
	}
	now, there := p.of.m[p.member]
	if list, ok := value.([]any); ok && named(list) {
		indices := make([]int, len(list))
		for i := range list {
			indices[i] = i
		}
		return e.elements(p.of, p.member, indices, list)
	}
	was, object := value.(map[string]any)
	m, objectNow := now.(map[string]any)
	switch {
	case !there:
		e.set(p.of, p.member, value)
	case object && objectNow:
		return e.members(node{p.of.path(p.member), m}, was)
	case !reflect.DeepEqual(now, value):
		return changed(path)
	}
	return nil
}

// members puts those of an object back.
func (e *editor) members(n node, was map[string]any) error {
	for _, name := range slices.Sorted(maps.Keys(was)) {
		switch now, there := n.m[name]; {
		case !there:
			e.set(n, name, was[name])
		case !reflect.DeepEqual(now, was[name]):
			return changed(n.path(name))
		}
	}
	return nil
}

// replace what the patch has left of command lines by what was there before.
func (e *editor) replace(path string, after, before any) error {
	p, ok := e.at(path)
	switch {
	case !ok || p.index >= 0:
		return changed(path)
	case reflect.DeepEqual(p.of.m[p.member], before):
		return nil
	case !reflect.DeepEqual(p.of.m[p.member], after):
		return changed(path)
	}
	e.patch = append(e.patch, Op{"test", path, encode(after)}, Op{"replace", path, encode(before)})
	p.of.m[p.member] = before
	return nil
}
