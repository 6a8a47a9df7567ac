package edit

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/podpass-io/podpass/cmd/podpass/internal/migrate/graph"
)

const deployment = `apiVersion: apps/v1
kind: Deployment
metadata:
  name: my.app
spec:
  template:
    spec:
      containers:
      - name: app
        envFrom:
        - secretRef:
            name: s
`

func kustomization(t *testing.T, target graph.Object) string {
	t.Helper()
	c := patch(t, fromYAML(t, deployment), Removal{
		Template: "/spec/template",
		EnvFrom:  []EnvFrom{{Container: "app", Kind: Secret, Name: "s", Keys: []string{"KEY"}, Keep: []string{"URL", "on"}}},
	})
	got, err := Kustomize(target, c)
	if err != nil {
		t.Fatal(err)
	}
	return string(got)
}

func TestKustomize(t *testing.T) {
	got := kustomization(t, graph.Object{APIVersion: "apps/v1", Kind: "Deployment", Namespace: "shop", Name: "my.app"})
	want := `patches:
  - target:
      group: apps
      version: v1
      kind: Deployment
      name: my\.app
      namespace: shop
    patch: |-
      - op: test
        path: /spec/template/spec/containers/0/name
        value: "app"
      - op: test
        path: /spec/template/spec/containers/0/envFrom/0/secretRef/name
        value: "s"
      - op: remove
        path: /spec/template/spec/containers/0/envFrom
      - op: test
        path: /spec/template/spec/containers/0/env
        value: null
      - op: add
        path: /spec/template/spec/containers/0/env
        value:
          - "name": "URL"
            "valueFrom":
              "secretKeyRef":
                "key": "URL"
                "name": "s"
          - "name": "on"
            "valueFrom":
              "secretKeyRef":
                "key": "on"
                "name": "s"
`
	if d := cmp.Diff(want, got); d != "" {
		t.Error(d)
	}
	got = kustomization(t, graph.Object{APIVersion: "v1", Kind: "Pod", Name: "p"})
	if want := "patches:\n  - target:\n      version: v1\n      kind: Pod\n      name: p\n    patch: |-\n"; !strings.HasPrefix(got, want) {
		t.Error(got)
	}
}

// Kustomize itself takes the patch, and refuses it where the manifest is another one.
func TestKustomizeBuilds(t *testing.T) {
	kubectl, err := exec.LookPath("kubectl")
	if err != nil {
		t.Skip("kubectl, which has Kustomize, is not on the PATH")
	}
	build := func(manifest, more, namespace string) (string, error) {
		dir := t.TempDir()
		target := graph.Object{APIVersion: "apps/v1", Kind: "Deployment", Namespace: namespace, Name: "my.app"}
		for file, content := range map[string]string{
			"deployment.yaml":    manifest,
			"kustomization.yaml": "resources: [deployment.yaml]\n" + more + kustomization(t, target),
		} {
			if err := os.WriteFile(filepath.Join(dir, file), []byte(content), 0o600); err != nil {
				t.Fatal(err)
			}
		}
		out, err := exec.CommandContext(t.Context(), kubectl, "kustomize", dir).CombinedOutput()
		return string(out), err
	}
	want := func(namespace string) []byte {
		return fromYAML(t, `{apiVersion: apps/v1, kind: Deployment, metadata: {name: my.app`+namespace+`}, spec: {template: {spec: {containers: [{name: app, env: [
			{name: URL, valueFrom: {secretKeyRef: {name: s, key: URL}}}, {name: "on", valueFrom: {secretKeyRef: {name: s, key: "on"}}}]}]}}}}`)
	}
	for name, test := range map[string]struct{ manifest, more, namespace, in string }{
		"without a namespace":      {deployment, "", "", ""},
		"with the manifest's own":  {strings.Replace(deployment, "  name: my.app", "  name: my.app\n  namespace: shop", 1), "", "shop", ", namespace: shop"},
		"with one that comes late": {deployment, "namespace: shop\n", "", ", namespace: shop"},
	} {
		t.Run(name, func(t *testing.T) {
			out, err := build(test.manifest, test.more, test.namespace)
			if err != nil {
				t.Fatal(err, out)
			}
			if d := diff(t, want(test.in), fromYAML(t, out)); d != "" {
				t.Error(d)
			}
		})
	}
	t.Run("another container", func(t *testing.T) {
		if out, err := build(strings.Replace(deployment, "- name: app", "- name: other", 1), "", ""); err == nil {
			t.Error("built:", out)
		}
	})
	// What Kustomize's documentation warns of: the caller has to look whether it matches.
	t.Run("a namespace that the manifest has not yet", func(t *testing.T) {
		out, err := build(deployment, "namespace: shop\n", "shop")
		if err != nil || !strings.Contains(out, "envFrom") {
			t.Error("Kustomize now says or does something:", err, out)
		}
	})
}
