package edit

import (
	"errors"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// A pod template is wherever a kind keeps it.
func TestPatchTemplates(t *testing.T) {
	for name, test := range map[string]struct{ template, object, want string }{
		"a pod": {
			"",
			`{metadata: {annotations: {key: k, other: o}}, spec: {containers: [{name: app, env: [{name: K, value: k}]}]}}`,
			`{metadata: {annotations: {other: o}}, spec: {containers: [{name: app}]}}`,
		},
		"a CronJob": {
			"/spec/jobTemplate/spec/template",
			`{spec: {jobTemplate: {spec: {template: {metadata: {annotations: {key: k}}, spec: {containers: [{name: app, env: [{name: K, value: k}]}]}}}}}}`,
			`{spec: {jobTemplate: {spec: {template: {metadata: {}, spec: {containers: [{name: app}]}}}}}}`,
		},
		"a custom resource of several, whose member has a slash": {
			"/spec/workers/1/a~1b",
			`{spec: {workers: [{a/b: {spec: {containers: [{name: app, env: [{name: K, value: k}]}]}}}, {a/b: {metadata: {annotations: {key: k, x: 9007199254740993}}, spec: {containers: [{name: app, env: [{name: K, value: k}]}]}}}]}}`,
			`{spec: {workers: [{a/b: {spec: {containers: [{name: app, env: [{name: K, value: k}]}]}}}, {a/b: {metadata: {annotations: {x: 9007199254740993}}, spec: {containers: [{name: app}]}}}]}}`,
		},
	} {
		t.Run(name, func(t *testing.T) {
			object := fromYAML(t, test.object)
			c := patch(t, object, Removal{Template: test.template, Env: []Env{{"app", "K"}}, Annotations: []string{"key"}})
			got := apply(t, object, encoded(t, c.Patch))
			if d := diff(t, fromYAML(t, test.want), got); d != "" || c.Left != nil {
				t.Error(c.Left, d)
			}
			if d := diff(t, object, apply(t, got, c.Undo.Reveal())); d != "" {
				t.Error("undone:", d)
			}
		})
	}
}

// All templates of a workload are one change.
func TestPatchOfTwoTemplates(t *testing.T) {
	object := fromYAML(t, `{metadata: {annotations: {key: k}}, spec: {driver: {spec: {containers: [{name: app, args: [$(K)], env: [{name: K, value: k}]}]}},
		executor: {spec: {containers: [{name: app, args: [$(L)], env: [{name: K, value: k}, {name: L, value: l}]}]}}}}`)
	c := patch(t, object,
		Removal{Template: "/spec/driver", Env: []Env{{"app", "K"}}, OwnAnnotations: []string{"key"}},
		Removal{Template: "/spec/executor", Env: []Env{{"app", "K"}}},
	)
	got := apply(t, object, encoded(t, c.Patch))
	want := `{metadata: {}, spec: {driver: {spec: {containers: [{name: app, args: [$(K)]}]}}, executor: {spec: {containers: [{name: app, args: [$(L)], env: [{name: L, value: l}]}]}}}}`
	if d := diff(t, fromYAML(t, want), got); d != "" {
		t.Error(d)
	}
	if d := cmp.Diff([]string{"container app: args element 0 refers to env K"}, c.Dangling); d != "" {
		t.Error(d)
	}
	if d := diff(t, object, apply(t, got, c.Undo.Reveal())); d != "" {
		t.Error("undone:", d)
	}
}

func TestPatchOwnAnnotations(t *testing.T) {
	object := fromYAML(t, `{metadata: {annotations: {example.com/key: k, other: o}}, spec: {template: {metadata: {annotations: {example.com/key: k}}, spec: {}}}}`)
	c := patch(t, object, Removal{Template: "/spec/template", OwnAnnotations: []string{"example.com/key", "gone"}})
	want := []Op{{Op: "remove", Path: "/metadata/annotations/example.com~1key"}}
	if d := cmp.Diff(want, c.Patch); d != "" {
		t.Error(d)
	}
	if d := cmp.Diff([]string{"workload: annotation gone: not there"}, c.Left); d != "" {
		t.Error(d)
	}
}

// What is tested are names, before anything is taken out.
func TestPatchOperations(t *testing.T) {
	object := fromYAML(t, `{spec: {containers: [{name: app, env: [{name: A, value: a}, {name: K, value: k}, {name: K, value: l}]}]}}`)
	c := patch(t, object, Removal{Env: []Env{{"app", "K"}}})
	want := `[
		{"op": "test", "path": "/spec/containers/0/name", "value": "app"},
		{"op": "test", "path": "/spec/containers/0/env/1/name", "value": "K"},
		{"op": "test", "path": "/spec/containers/0/env/2/name", "value": "K"},
		{"op": "remove", "path": "/spec/containers/0/env/2"},
		{"op": "remove", "path": "/spec/containers/0/env/1"}
	]`
	if d := diff(t, []byte(want), encoded(t, c.Patch)); d != "" {
		t.Error(d)
	}
	undo := `[
		{"op": "test", "path": "/spec/containers/0/name", "value": "app"},
		{"op": "add", "path": "/spec/containers/0/env/1", "value": {"name": "K", "value": "k"}},
		{"op": "add", "path": "/spec/containers/0/env/2", "value": {"name": "K", "value": "l"}}
	]`
	if d := diff(t, []byte(undo), c.Undo.Reveal()); d != "" {
		t.Error(d)
	}
}

// Each removal alone tests all names that its paths go by.
func TestPatchTestsNames(t *testing.T) {
	const object = `{spec: {volumes: [{name: o, emptyDir: {}}, {name: v, secret: {secretName: s}}], containers: [{name: app, args: [--key, k, --a], env: [{name: K, value: k}],
		envFrom: [{configMapRef: {name: c}}], volumeMounts: [{name: v, mountPath: /v}]}]}}`
	for name, test := range map[string]struct {
		removal Removal
		want    []string
	}{
		"env":     {Removal{Env: []Env{{"app", "K"}}}, []string{"/spec/containers/0/name", "/spec/containers/0/env/0/name"}},
		"envFrom": {Removal{EnvFrom: []EnvFrom{{Container: "app", Kind: ConfigMap, Name: "c"}}}, []string{"/spec/containers/0/name", "/spec/containers/0/envFrom/0/configMapRef/name"}},
		"args":    {Removal{Args: []Arg{{"app", Args, 1, 3, "--key"}}}, []string{"/spec/containers/0/name", "/spec/containers/0/args/0"}},
		"files": {
			Removal{Files: []File{{Kind: Secret, Name: "s"}}},
			[]string{"/spec/containers/0/name", "/spec/containers/0/volumeMounts/0/name", "/spec/containers/0/volumeMounts/0/mountPath", "/spec/volumes/1/name"},
		},
	} {
		t.Run(name, func(t *testing.T) {
			var got []string
			for _, op := range patch(t, fromYAML(t, object), test.removal).Patch {
				if op.Op == "test" {
					got = append(got, op.Path)
				}
			}
			if d := cmp.Diff(test.want, got); d != "" {
				t.Error(d)
			}
		})
	}
}

// What has changed since is not overwritten.
func TestPatchRefusesWhatChanged(t *testing.T) {
	object := `{spec: {volumes: [{name: v, secret: {secretName: s}}, {name: p, projected: {sources: [{secret: {name: s}}, {downwardAPI: {}}]}}, {name: i, configMap: {name: c, items: [{key: k}, {key: url}]}}],
		containers: [{name: app, args: [--key, k, --a], env: [{name: K, value: k}], volumeMounts: [{name: v, mountPath: /v}]}, {name: b, envFrom: [{secretRef: {name: s}}]}]}}`
	c := patch(t, fromYAML(t, object), Removal{
		Env:     []Env{{"app", "K"}},
		EnvFrom: []EnvFrom{{Container: "b", Kind: Secret, Name: "s", Keep: []string{"URL"}}},
		Files:   []File{{Kind: Secret, Name: "s"}, {Kind: ConfigMap, Name: "c", Keys: []string{"k"}}},
		Args:    []Arg{{"app", Args, 1, 3, "--key"}},
	})
	apply(t, fromYAML(t, object), encoded(t, c.Patch))
	for name, change := range map[string][2]string{
		"a variable":                  {"name: K", "name: L"},
		"a container before":          {"[{name: app", "[{name: new}, {name: app"},
		"a reference":                 {"secretRef: {name: s}", "secretRef: {name: t}"},
		"a variable where none was":   {"{name: b,", "{name: b, env: [{name: NEW, value: n}],"},
		"a flag":                      {"--key", "--other"},
		"a volume":                    {"volumes: [", "volumes: [{name: new}, "},
		"a mount of another volume":   {"{name: v, mountPath", "{name: w, mountPath"},
		"another mount of the volume": {"/v", "/w"},
		"a projected volume":          {"name: p", "name: q"},
		"another projected source":    {"sources: [{secret: {name: s}}", "sources: [{secret: {name: t}}"},
		"another item":                {"{key: k}", "{key: l}"},
	} {
		t.Run(name, func(t *testing.T) { refuses(t, strings.Replace(object, change[0], change[1], 1), encoded(t, c.Patch)) })
	}
}

func TestPatchErrors(t *testing.T) {
	for name, test := range map[string]struct{ object, template, err, hint string }{
		"no JSON":          {`{"spec": "hidden`, "", "reading the workload: it is no JSON object", "give it as the API server does"},
		"no object":        {`["hidden"]`, "", "reading the workload: it is no JSON object", "give it as the API server does"},
		"no template":      {`{"spec": {}}`, "/spec/template", `the workload has no pod template at "/spec/template"`, "scan again: it has changed since"},
		"no spec":          {`{"spec": {"template": {}}}`, "/spec/template", `the workload has no pod template at "/spec/template"`, "scan again: it has changed since"},
		"beyond the array": {`{"spec": [{"spec": {}}]}`, "/spec/1", `the workload has no pod template at "/spec/1"`, "scan again: it has changed since"},
		"within a text":    {`{"spec": "hidden"}`, "/spec/template", `the workload has no pod template at "/spec/template"`, "scan again: it has changed since"},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := Patch([]byte(test.object), Removal{Template: test.template})
			var hinted interface{ Hint() string }
			if !errors.As(err, &hinted) || err.Error() != test.err || hinted.Hint() != test.hint {
				t.Errorf("got %v, hint %v", err, hinted)
			}
		})
	}
}
