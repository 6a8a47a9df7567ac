package edit

import "testing"

func TestEmpty(t *testing.T) {
	got, err := Empty(fromYAML(t, `{
		metadata: {annotations: {key: k}},
		spec: {
			volumes: [{name: v, secret: {secretName: g}}],
			containers: [
				{name: app, args: [--key=k, --a], env: [{name: A, value: a}, {name: K, valueFrom: {secretKeyRef: {name: s, key: k}}}, {name: F, value: /v/key}],
					volumeMounts: [{name: v, mountPath: /v}]},
				{name: b, envFrom: [{secretRef: {name: s}}], env: [{name: OWN, value: o}]}]}}`),
		Removal{
			Template:       "/spec/template", // of the workload, which this is not
			OwnAnnotations: []string{"key"},
			Annotations:    []string{"key"},
			Env:            []Env{{"app", "K"}, {"app", "F"}, {"app", "GONE"}},
			EnvFrom:        []EnvFrom{{Container: "b", Kind: Secret, Name: "s", Keys: []string{"K", "OWN"}, Keep: []string{"URL"}}},
			Files:          []File{{Kind: Secret, Name: "g"}},
			Args:           []Arg{{"app", Args, 0, 2, "--key"}},
		})
	if err != nil {
		t.Fatal(err)
	}
	want := `{
		metadata: {},
		spec: {
			containers: [
				{name: app, args: [--a], env: [{name: A, value: a}, {name: K, value: ""}, {name: F, value: ""}]},
				{name: b, env: [{name: K, value: ""}, {name: URL, valueFrom: {secretKeyRef: {name: s, key: URL}}}, {name: OWN, value: o}]}]}}`
	if d := diff(t, fromYAML(t, want), got); d != "" {
		t.Error(d)
	}
	got, err = Empty([]byte(`{"spec":{"containers":[],"securityContext":{"runAsUser":9007199254740993}}}`), Removal{})
	if want := `{"spec":{"containers":[],"securityContext":{"runAsUser":9007199254740993}}}`; err != nil || string(got) != want {
		t.Errorf("%v %s", err, got)
	}
	if _, err := Empty([]byte(`{}`), Removal{}); err == nil {
		t.Error("there is no template")
	}
}
