package edit

import (
	"fmt"
	"slices"
)

// variable takes out a variable, as often as it is set.
func (e *editor) variable(v Env) {
	c, _ := e.container(v.Container)
	var indices []int
	for i, env := range c.objects("env") {
		if env.text("name") == v.Name {
			indices = append(indices, i)
		}
	}
	if len(indices) == 0 {
		e.leave("container %s: env %s: not there", v.Container, v.Name)
		return
	}
	if e.empty {
		list := slices.Clone(c.list("env"))
		for _, i := range indices {
			list[i] = emptied(v.Name)
		}
		c.m["env"] = list
		return
	}
	e.touch(c)
	for _, i := range indices {
		e.test(c.objects("env")[i], "name")
	}
	e.cut(c, "env", indices)
	e.gone = append(e.gone, gone{container: v.Container, variable: v.Name})
	e.show("- container %s: env %s", v.Container, v.Name)
}

func emptied(name string) map[string]any { return map[string]any{"name": name, "value": ""} }

// members that refer to an object of a kind: of an envFrom, of a variable's valueFrom.
var references = map[string]struct{ all, key string }{
	Secret:    {"secretRef", "secretKeyRef"},
	ConfigMap: {"configMapRef", "configMapKeyRef"},
}

// reference takes out every reference to an object, and sets what is to be kept: never
// one of going, which are to go however they get their value.
func (e *editor) reference(f EnvFrom, going []Env) {
	member := references[f.Kind]
	c, _ := e.container(f.Container)
	var indices []int
	var before []node
	for i, from := range c.objects("envFrom") {
		if from.object(member.all).text("name") == f.Name {
			indices, before = append(indices, i), append(before, from)
		}
	}
	if len(indices) == 0 {
		e.leave("container %s: envFrom %s %s: not there", f.Container, f.Kind, f.Name)
		return
	}
	e.touch(c)
	for _, from := range before {
		e.test(from.object(member.all), "name")
	}
	e.cut(c, "envFrom", indices)
	e.show("- container %s: envFrom %s %s", f.Container, f.Kind, f.Name)
	for _, from := range slices.Backward(before) { // each inserts before those after it
		e.instead(c, f, from, going)
	}
}

// instead sets what is to be kept of a reference that went, and nothing else. It comes
// first: the container's own variables have been able to refer to it.
func (e *editor) instead(c node, f EnvFrom, from node, going []Env) {
	member, prefix := references[f.Kind], from.text("prefix")
	var list []any
	for _, key := range unique(f.Keys) {
		name := prefix + key
		e.shadowed(c, name)
		switch {
		case sets(c, name):
		case e.empty:
			list = append(list, emptied(name))
		default:
			e.gone = append(e.gone, gone{container: f.Container, variable: name})
		}
	}
	for _, key := range unique(f.Keep) {
		name := prefix + key
		e.shadowed(c, name)
		// What the container sets itself has won over the reference so far.
		if sets(c, name) || slices.Contains(going, Env{f.Container, name}) {
			continue
		}
		selector := map[string]any{"name": f.Name, "key": key}
		if optional, ok := from.object(member.all).m["optional"]; ok {
			selector["optional"] = optional
		}
		list = append(list, map[string]any{"name": name, "valueFrom": map[string]any{member.key: selector}})
		e.show("+ container %s: env %s from %s %s key %s", f.Container, name, f.Kind, f.Name, key)
	}
	e.insert(c, "env", list...)
}

// shadowed tells of a container's own variables that refer to one of a reference that
// went, before the container sets it itself.
func (e *editor) shadowed(c node, name string) {
	if !sets(c, name) {
		return
	}
	for _, env := range c.objects("env") {
		if (gone{variable: name}).in(env.text("value")) {
			e.loose = append(e.loose, fmt.Sprintf("container %s: env %s refers to env %s of what went", c.text("name"), env.text("name"), name))
		}
		if env.text("name") == name {
			return
		}
	}
}

// unique are names in their order, each once.
func unique(names []string) []string {
	var list []string
	for _, name := range names {
		if !slices.Contains(list, name) {
			list = append(list, name)
		}
	}
	return list
}

func sets(c node, name string) bool {
	return slices.ContainsFunc(c.objects("env"), func(env node) bool { return env.text("name") == name })
}
