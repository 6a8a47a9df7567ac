package edit

import (
	"reflect"
	"slices"
	"strconv"
)

// fill puts elements of one array back, of operations that follow each other.
func (e *editor) fill(ops []Op) (int, error) {
	list, _ := up(ops[0].Path)
	var indices []int
	var values []any
	var at place
	for _, op := range ops {
		if parent, _ := up(op.Path); op.Op != "add" || parent != list {
			break
		}
		p, ok := e.at(op.Path)
		if !ok || p.index < 0 {
			return 0, changed(op.Path)
		}
		value, err := op.decoded()
		if err != nil {
			return 0, err
		}
		at, indices, values = p, append(indices, p.index), append(values, value)
	}
	return len(values), e.elements(at.of, at.member, indices, values)
}

// elements puts those of an array back where they were that are not there.
func (e *editor) elements(n node, member string, indices []int, values []any) error {
	list, ok := n.m[member].([]any)
	if !ok && n.m[member] != nil {
		return changed(n.path(member))
	}
	if !ok {
		e.set(n, member, values)
		return nil
	}
	for i, v := range values {
		if there(n.list(member), v) {
			continue
		}
		if slices.ContainsFunc(n.list(member), func(now any) bool { return same(member, now, v) }) {
			return changed(n.path(member))
		}
		at := min(indices[i], len(list))
		e.patch = append(e.patch, Op{"add", n.path(member) + "/" + strconv.Itoa(at), encode(v)})
		list = slices.Insert(slices.Clone(list), at, v)
	}
	n.m[member] = list
	return nil
}

// there reports whether an array has an element, wherever it is.
func there(list []any, v any) bool {
	return slices.ContainsFunc(list, func(now any) bool { return reflect.DeepEqual(now, v) })
}

// named reports whether an array's elements have names rather than places.
func named(list []any) bool {
	return len(list) > 0 && !slices.ContainsFunc(list, func(v any) bool { _, ok := v.(map[string]any); return !ok })
}

// same reports whether two elements of an array have the name that may be there once.
func same(member string, a, b any) bool {
	name, ok := map[string]string{"env": "name", "volumes": "name", "volumeMounts": "mountPath"}[member]
	x, _ := a.(map[string]any)
	y, _ := b.(map[string]any)
	return ok && x[name] != nil && x[name] == y[name]
}

// take what was put instead out again, where it is still the same.
func (e *editor) take(path string, value any) error {
	p, ok := e.at(path)
	if !ok {
		return changed(path)
	}
	values, whole := value.([]any)
	if !whole {
		values = []any{value}
	}
	list, _ := p.of.m[p.member].([]any)
	var indices []int
	for _, v := range values {
		i := slices.IndexFunc(list, func(now any) bool { return reflect.DeepEqual(now, v) })
		if i >= 0 && !slices.Contains(indices, i) {
			indices = append(indices, i)
		}
	}
	if len(indices) == 0 {
		return nil
	}
	for _, i := range indices {
		at := p.of.path(p.member) + "/" + strconv.Itoa(i)
		e.patch = append(e.patch, Op{"test", at, encode(list[i])})
	}
	e.cut(p.of, p.member, indices)
	return nil
}
