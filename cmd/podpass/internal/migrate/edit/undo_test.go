package edit

import (
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"testing"

	jsonpatch "gopkg.in/evanphx/json-patch.v4"
)

func TestUndoRefusesWhatChanged(t *testing.T) {
	const before = `{spec: {containers: [{name: app, env: [{name: K, value: k}]}, {name: b, envFrom: [{secretRef: {name: s}}]}]}}`
	const after = `{spec: {containers: [{name: app}, {name: b, env: [{name: URL, valueFrom: {secretKeyRef: {name: s, key: URL}}}]}]}}`
	c := patch(t, fromYAML(t, before), Removal{
		Env:     []Env{{"app", "K"}},
		EnvFrom: []EnvFrom{{Container: "b", Kind: Secret, Name: "s", Keep: []string{"URL"}}},
	})
	if d := diff(t, fromYAML(t, before), apply(t, fromYAML(t, after), c.Undo.Reveal())); d != "" {
		t.Fatal(d)
	}
	for name, object := range map[string]string{
		"a variable where none was":       strings.Replace(after, "{name: app", "{name: app, env: [{name: NEW, value: n}]", 1),
		"a container before":              strings.Replace(after, "[{name: app", "[{name: new}, {name: app", 1),
		"one more than was set":           strings.Replace(after, "env: [", "env: [{name: NEW, value: n}, ", 1),
		"what is to be put back is there": before,
	} {
		t.Run(name, func(t *testing.T) { refuses(t, object, c.Undo.Reveal()) })
	}
}

// What was narrowed is widened in the same volume, and the same source of it.
func TestUndoRefusesAnotherVolume(t *testing.T) {
	const before = `{spec: {volumes: [{name: v, secret: {secretName: s}}, {name: p, projected: {sources: [{secret: {name: s}}, {secret: {name: t}}]}}]}}`
	for name, test := range map[string]struct{ secret, after, now string }{
		"of one source": {
			"s", `{spec: {volumes: [{name: v, secret: {secretName: s, items: [{key: b, path: b}]}}, {name: p, projected: {sources: [{secret: {name: s, items: [{key: b, path: b}]}}, {secret: {name: t}}]}}]}}`,
			`{spec: {volumes: [{name: w, secret: {secretName: s, items: [{key: b, path: b}]}}, {name: p, projected: {sources: [{secret: {name: s, items: [{key: b, path: b}]}}, {secret: {name: t}}]}}]}}`,
		},
		"of several": {
			"t", `{spec: {volumes: [{name: v, secret: {secretName: s}}, {name: p, projected: {sources: [{secret: {name: s}}, {secret: {name: t, items: [{key: b, path: b}]}}]}}]}}`,
			`{spec: {volumes: [{name: v, secret: {secretName: s}}, {name: p, projected: {sources: [{secret: {name: s}}, {secret: {name: u, items: [{key: b, path: b}]}}]}}]}}`,
		},
	} {
		t.Run(name, func(t *testing.T) {
			c := patch(t, fromYAML(t, before), Removal{Files: []File{{Kind: Secret, Name: test.secret, Keys: []string{"a"}, All: []string{"a", "b"}}}})
			if d := diff(t, fromYAML(t, test.after), apply(t, fromYAML(t, before), encoded(t, c.Patch))); d != "" {
				t.Fatal(d)
			}
			refuses(t, test.now, c.Undo.Reveal())
		})
	}
	c := patch(t, fromYAML(t, before), Removal{Files: []File{{Kind: Secret, Name: "t"}}})
	refuses(t, `{spec: {volumes: [{name: v, secret: {secretName: s}}, {name: q, projected: {sources: [{secret: {name: s}}]}}]}}`, c.Undo.Reveal())
}

// refuses: one of the patch's tests fails.
func refuses(t *testing.T, object string, patch []byte) {
	t.Helper()
	p, err := jsonpatch.DecodePatch(patch)
	if err != nil {
		t.Fatal(err)
	}
	if got, err := p.Apply(fromYAML(t, object)); !errors.Is(err, jsonpatch.ErrTestFailed) {
		t.Errorf("%v %s", err, got)
	}
}

// However a change is printed, the values that it takes out are not.
func TestUndoDoesNotPrint(t *testing.T) {
	const value = "the value"
	object := fromYAML(t, `{metadata: {annotations: {key: the value}}, spec: {containers: [{name: app, args: [--a, the value], env: [{name: K, value: the value}]}]}}`)
	c := patch(t, object, Removal{Env: []Env{{"app", "K"}}, Annotations: []string{"key"}, Args: []Arg{{"app", Args, 1, 2, ""}}})
	if n := strings.Count(string(c.Undo.Reveal()), value); n != 3 {
		t.Fatalf("%d of 3 values can be put back: %s", n, c.Undo.Reveal())
	}
	hidden := struct{ c Change }{c}
	var log strings.Builder
	slog.New(slog.NewJSONHandler(&log, nil)).Info("Changed", "change", c, "undo", c.Undo)
	for name, got := range map[string]string{
		"values":  fmt.Sprintf("%v %+v %#v %s %x", c, c, c, c.Undo, c.Undo),
		"within":  fmt.Sprintf("%v %+v %#v", hidden, hidden, &hidden),
		"JSON":    string(encoded(t, c)) + string(encoded(t, c.Undo)),
		"log":     log.String(),
		"shown":   c.Show() + fmt.Sprint(c.Left, c.Dangling),
		"patch":   string(encoded(t, c.Patch)),
		"pointer": fmt.Sprintf("%v %+v", &c, &c.Undo),
	} {
		if strings.Contains(got, value) || strings.Contains(got, fmt.Sprintf("%x", value)) {
			t.Errorf("%s: %s", name, got)
		}
	}
	if got := fmt.Sprint(c.Undo); got != "[redacted]" {
		t.Error(got)
	}
}

func TestUndoOfNothing(t *testing.T) {
	c := patch(t, []byte(`{"spec": {}}`), Removal{})
	for _, u := range []Undo{c.Undo, {}} {
		var ops []Op
		if err := json.Unmarshal(u.Reveal(), &ops); err != nil || len(ops) != 0 {
			t.Errorf("%v %s", err, u.Reveal())
		}
	}
	if c.Patch != nil || c.Show() != "" {
		t.Errorf("%v %q", c.Patch, c.Show())
	}
}
