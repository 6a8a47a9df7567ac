package edit

import (
	"errors"
	"fmt"
	"strings"
	"testing"

	"pgregory.net/rapid"
)

func TestRestore(t *testing.T) {
	const before = `{metadata: {generation: 1, annotations: {last: k}}, spec: {volumes: [{name: v, secret: {secretName: s}}], containers: [
		{name: app, args: [--key, k, --a, --key, k2], env: [{name: A, value: a}, {name: K, value: k}], volumeMounts: [{name: v, mountPath: /v}]},
		{name: b, env: [{name: OWN, value: o}], envFrom: [{secretRef: {name: s}}]}]}}`
	c := patch(t, fromYAML(t, before), Removal{
		Env:            []Env{{"app", "K"}},
		EnvFrom:        []EnvFrom{{Container: "b", Kind: Secret, Name: "s", Keep: []string{"URL"}}},
		Files:          []File{{Kind: Secret, Name: "s"}},
		Args:           []Arg{{"app", Args, 1, 5, "--key"}},
		OwnAnnotations: []string{"last"},
	})
	const after = `{metadata: {generation: 2}, spec: {containers: [
		{name: app, args: [--a, --key, k2], env: [{name: A, value: a}]},
		{name: b, env: [{name: URL, valueFrom: {secretKeyRef: {name: s, key: URL}}}, {name: OWN, value: o}]}]}}`
	for name, test := range map[string]struct{ now, want string }{
		"nothing has changed": {after, strings.Replace(before, "generation: 1", "generation: 2", 1)},
		"it is back":          {before, before},
		"an annotation and a volume came": {
			strings.NewReplacer("generation: 2}", "generation: 3, annotations: {mine: m}}", "spec: {c", "spec: {volumes: [{name: new, emptyDir: {}}], c").Replace(after),
			strings.NewReplacer("generation: 1", "generation: 3", "last: k", "last: k, mine: m", "{secretName: s}}", "{secretName: s}}, {name: new, emptyDir: {}}").Replace(before),
		},
		"all variables went, and one came": {
			strings.NewReplacer("[{name: A, value: a}]", "[]", "{name: URL", "{name: NEW, value: n}, {name: URL").Replace(after),
			strings.NewReplacer("generation: 1", "generation: 2", "{name: A, value: a}, ", "", "[{name: OWN", "[{name: NEW, value: n}, {name: OWN").Replace(before),
		},
		"what was kept is gone or another": {
			strings.Replace(after, "key: URL", "key: OTHER", 1),
			strings.NewReplacer("generation: 1", "generation: 2", "[{name: OWN", "[{name: URL, valueFrom: {secretKeyRef: {name: s, key: OTHER}}}, {name: OWN").Replace(before),
		},
		"the rest is to be put back": {
			strings.Replace(before, "value: a}, {name: K, value: k}", "value: a}", 1),
			before,
		},
	} {
		t.Run(name, func(t *testing.T) {
			now := fromYAML(t, test.now)
			u, err := Restore(now, c.Undo.Reveal())
			if err != nil {
				t.Fatal(err)
			}
			if d := diff(t, fromYAML(t, test.want), apply(t, now, u.Reveal())); d != "" {
				t.Error(d)
			}
			if fmt.Sprint(u) != "[redacted]" {
				t.Error(u)
			}
			if test.now == before {
				if string(u.Reveal()) != "[]" {
					t.Errorf("there is nothing to do: %s", u.Reveal())
				}
			} else {
				refuses(t, strings.Replace(test.now, "generation: ", "generation: 1", 1), u.Reveal())
			}
		})
	}
	for name, test := range map[string]struct{ now, err string }{
		"another container":         {strings.Replace(after, "name: app", "name: other", 1), "/spec/containers/0/name has changed since the key was taken out"},
		"another value":             {strings.Replace(after, "{name: A, value: a}", "{name: A, value: a}, {name: K, value: l}", 1), "/spec/containers/0/env has changed since the key was taken out"},
		"another volume":            {strings.Replace(after, "spec: {c", "spec: {volumes: [{name: v, emptyDir: {}}], c", 1), "/spec/volumes has changed since the key was taken out"},
		"another annotation":        {strings.Replace(after, "generation: 2", "generation: 2, annotations: {last: l}", 1), "/metadata/annotations/last has changed since the key was taken out"},
		"another type":              {strings.Replace(after, "env: [{name: A, value: a}]", "env: {}", 1), "/spec/containers/0/env/1 has changed since the key was taken out"},
		"another argument":          {strings.Replace(after, "--a", "--b", 1), "/spec/containers/0/args has changed since the key was taken out"},
		"another type of what went": {strings.Replace(after, "{name: OWN, value: o}]", "{name: OWN, value: o}], envFrom: {}", 1), "/spec/containers/1/envFrom has changed since the key was taken out"},
		"no container":              {"{metadata: {}, spec: {containers: []}}", "/spec/containers/0/name has changed since the key was taken out"},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := Restore(fromYAML(t, test.now), c.Undo.Reveal())
			var hinted interface{ Hint() string }
			if !errors.As(err, &hinted) || err.Error() != test.err || hinted.Hint() != "look at it, and put the key back by hand" {
				t.Error(err)
			}
		})
	}
}

// The API server leaves out annotations of which there are none.
func TestRestoreAnnotation(t *testing.T) {
	c := patch(t, fromYAML(t, `{metadata: {annotations: {example.com/key: k, other: o}}, spec: {}}`), Removal{OwnAnnotations: []string{"example.com/key"}})
	now := fromYAML(t, `{metadata: {}, spec: {}}`)
	u, err := Restore(now, c.Undo.Reveal())
	if err != nil {
		t.Fatal(err)
	}
	if d := diff(t, fromYAML(t, `{metadata: {annotations: {example.com/key: k}}, spec: {}}`), apply(t, now, u.Reveal())); d != "" {
		t.Error(d)
	}
}

func TestRestoreReadsNoOtherRecord(t *testing.T) {
	for name, record := range map[string]string{
		"no JSON":           `[{"op": "hidden`,
		"another operation": `[{"op": "move", "path": "/hidden"}]`,
		"removed, untested": `[{"op": "remove", "path": "/hidden"}]`,
	} {
		t.Run(name, func(t *testing.T) {
			_, err := Restore([]byte(`{"hidden": 1}`), []byte(record))
			if err == nil || err.Error() != "the record of what was taken out cannot be read" {
				t.Error(err)
			}
		})
	}
}

// Of the workload as the patch has left it, Restore makes the former one; and that it
// leaves as it is, or refuses where it cannot tell what has its place.
func TestRestoreRestores(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		workload, _, c, after := draw(t)
		u, err := Restore(after, c.Undo.Reveal())
		if err != nil {
			t.Fatal(err)
		}
		if d := diff(t, workload, apply(t, after, u.Reveal())); d != "" {
			t.Fatal(d)
		}
		again, err := Restore(workload, c.Undo.Reveal())
		if err != nil {
			return
		}
		if d := diff(t, workload, apply(t, workload, again.Reveal())); d != "" {
			t.Fatal("again:", d)
		}
	})
}
