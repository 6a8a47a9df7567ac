package edit

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/podpass-io/podpass/cmd/podpass/internal/hint"
)

// Patch gives the change of a workload, as JSON, that takes removals out of it: one for
// each of its pod templates. What they name and is not there is told in Change.Left; all
// of it: the patch is empty.
func Patch(object []byte, removals ...Removal) (Change, error) {
	e, err := decode(object)
	if err != nil {
		return Change{}, err
	}
	for _, r := range removals {
		if err := e.enter(r.Template); err != nil {
			return Change{}, err
		}
		e.run(r)
		for _, name := range r.OwnAnnotations {
			e.annotation(e.own, "workload", name)
		}
	}
	return e.change()
}

// Empty gives a pod template, as JSON, for a canary that shall do without r: variables
// are set to nothing rather than unset, so that no other source of them counts. Of r,
// Template and OwnAnnotations do not matter.
func Empty(template []byte, r Removal) ([]byte, error) {
	e, err := decode(template)
	if err != nil {
		return nil, err
	}
	if err := e.enter(""); err != nil {
		return nil, err
	}
	e.empty = true
	e.run(r)
	b, err := json.Marshal(e.own.m)
	if err != nil {
		return nil, fmt.Errorf("writing the canary's template: %w", err)
	}
	return b, nil
}

func (e *editor) run(r Removal) {
	for _, v := range r.Env {
		e.variable(v)
	}
	for _, f := range r.EnvFrom {
		e.reference(f, r.Env)
	}
	for _, f := range r.Files {
		e.file(f)
	}
	e.arguments(r.Args)
	for _, name := range r.Annotations {
		e.annotation(e.pod, "pod template", name)
	}
	e.tie()
}

// decode reads a workload.
func decode(object []byte) (*editor, error) {
	d := json.NewDecoder(bytes.NewReader(object))
	d.UseNumber() // large integers must survive
	var own map[string]any
	if err := d.Decode(&own); err != nil {
		// The error may quote what it could not read.
		return nil, hint.New(errors.New("reading the workload: it is no JSON object"), "give it as the API server does")
	}
	return &editor{own: node{m: own}, tested: map[string]bool{}}, nil
}

// enter goes to a pod template.
func (e *editor) enter(template string) error {
	m, ok := find(e.own.m, template)
	e.pod = node{template, m}
	e.spec = e.pod.object("spec")
	if !ok || e.spec.m == nil {
		return hint.New(fmt.Errorf("the workload has no pod template at %q", template), "scan again: it has changed since")
	}
	return nil
}

// Template is the object at a JSON pointer within a workload: a Removal's Template.
func Template(object map[string]any, pointer string) (map[string]any, bool) {
	return find(object, pointer)
}

// find follows a JSON pointer (RFC 6901) to an object.
func find(root map[string]any, pointer string) (map[string]any, bool) {
	var v any = root
	if pointer != "" {
		for token := range strings.SplitSeq(strings.TrimPrefix(pointer, "/"), "/") {
			token = unescape(token)
			switch parent := v.(type) {
			case map[string]any:
				v = parent[token]
			case []any:
				i, err := strconv.Atoi(token)
				if err != nil || i < 0 || i >= len(parent) {
					return nil, false
				}
				v = parent[i]
			default:
				return nil, false
			}
		}
	}
	m, ok := v.(map[string]any)
	return m, ok
}

// containers are those that can be changed.
func (e *editor) containers() []node {
	return slices.Concat(e.spec.objects("initContainers"), e.spec.objects("containers"))
}

func (e *editor) container(name string) (node, bool) {
	list := e.containers()
	i := slices.IndexFunc(list, func(c node) bool { return c.text("name") == name })
	if i < 0 {
		return node{}, false
	}
	return list[i], true
}

func (e *editor) annotation(of node, what, name string) {
	metadata := of.object("metadata")
	annotations := metadata.object("annotations")
	if _, ok := annotations.m[name]; !ok {
		e.leave("%s: annotation %s: not there", what, name)
		return
	}
	if len(annotations.m) == 1 {
		e.remove(metadata, "annotations")
	} else {
		e.remove(annotations, name)
	}
	e.show("- %s: annotation %s", what, name)
}
