package workload

import (
	"testing"

	"github.com/google/go-cmp/cmp"
	"sigs.k8s.io/yaml"

	"github.com/podpass-io/podpass/cmd/podpass/internal/migrate/graph"
)

func object(t *testing.T, text string) map[string]any {
	t.Helper()
	var o map[string]any
	if err := yaml.Unmarshal([]byte(text), &o); err != nil {
		t.Fatal(err)
	}
	return o
}

// TestTemplates: pod templates are found by their shape, wherever they are, and nothing
// else is taken for one.
func TestTemplates(t *testing.T) {
	const spec = "{serviceAccountName: orders, containers: [{name: app, image: i}]}"
	for name, test := range map[string]struct {
		object string
		want   []string
	}{
		"a pod":                   {"spec: " + spec, []string{""}},
		"a Deployment":            {"spec: {template: {spec: " + spec + "}}", []string{"/spec/template"}},
		"a CronJob":               {"spec: {jobTemplate: {spec: {template: {spec: " + spec + "}}}}", []string{"/spec/jobTemplate/spec/template"}},
		"a PodTemplate":           {"template: {spec: " + spec + "}", []string{"/template"}},
		"several":                 {"spec: {head: {template: {spec: " + spec + "}}, workers: [{template: {spec: " + spec + "}}, {template: {spec: " + spec + "}}]}", []string{"/spec/head/template", "/spec/workers/0/template", "/spec/workers/1/template"}},
		"a name that is escaped":  {"spec: {a/b~c: {spec: " + spec + "}}", []string{"/spec/a~1b~0c"}},
		"containers of a schema":  {"spec: {containers: {type: array}}", nil},
		"without an image":        {"spec: {containers: [{name: app}]}", nil},
		"no containers":           {"spec: {containers: []}", nil},
		"texts":                   {"spec: {containers: [a, b]}", nil},
		"not under spec":          {"settings: {containers: [{name: app, image: i}]}", nil},
		"deeper than anybody has": {"a: {a: {a: {a: {a: {a: {a: {a: {a: {a: {a: {a: {a: {spec: " + spec + "}}}}}}}}}}}}}", nil},
	} {
		var got []string
		for _, template := range Templates(object(t, test.object)) {
			got = append(got, template.Pointer)
			if template.ServiceAccount() != "orders" {
				t.Errorf("%s: ServiceAccount %s", name, template.ServiceAccount())
			}
		}
		if diff := cmp.Diff(test.want, got); diff != "" {
			t.Errorf("%s: %s", name, diff)
		}
	}
}

// TestReadings: each way in which a container reads an object's data, and under which
// names it does.
func TestReadings(t *testing.T) {
	for name, test := range map[string]struct {
		spec string
		want []Reading
		// names of the data key "k".
		names []string
	}{
		"a variable": {"containers: [{name: a, image: i, env: [{name: V, valueFrom: {secretKeyRef: {name: s, key: k}}}]}]",
			[]Reading{{Kind: "Secret", Name: "s", Key: "k", Container: "a", By: graph.ByEnv, As: "V"}}, []string{"V"}},
		"of a ConfigMap": {"containers: [{name: a, image: i, env: [{name: V, valueFrom: {configMapKeyRef: {name: s, key: k}}}]}]",
			[]Reading{{Kind: "ConfigMap", Name: "s", Key: "k", Container: "a", By: graph.ByEnv, As: "V"}}, []string{"V"}},
		"all, with a prefix": {"containers: [{name: a, image: i, envFrom: [{prefix: P_, secretRef: {name: s}}]}]",
			[]Reading{{Kind: "Secret", Name: "s", Container: "a", By: graph.ByEnv, As: "P_"}}, []string{"P_k"}},
		"a volume": {"volumes: [{name: v, secret: {secretName: s}}], containers: [{name: a, image: i, env: [{name: AT, value: /d/k}], volumeMounts: [{name: v, mountPath: /d}]}]",
			[]Reading{{Kind: "Secret", Name: "s", Container: "a", By: graph.ByFile, As: "/d", Variables: map[string][]string{"/d/k": {"AT"}}}}, []string{"k", "AT"}},
		"an item of one": {"volumes: [{name: v, secret: {secretName: s, items: [{key: k, path: x/y}]}}], containers: [{name: a, image: i, env: [{name: AT, value: /d/x/y}, {name: OTHER, value: /d/x}], volumeMounts: [{name: v, mountPath: /d}]}]",
			[]Reading{{Kind: "Secret", Name: "s", Key: "k", Container: "a", By: graph.ByFile, As: "/d/x/y", Variables: map[string][]string{"/d/x/y": {"AT"}}}}, []string{"y", "AT"}},
		"one file by its path": {"volumes: [{name: v, configMap: {name: s}}], containers: [{name: a, image: i, volumeMounts: [{name: v, mountPath: /etc/k.json, subPath: k}]}]",
			[]Reading{{Kind: "ConfigMap", Name: "s", Key: "k", Container: "a", By: graph.ByFile, As: "/etc/k.json", Variables: map[string][]string{}}}, []string{"k.json"}},
		"another file by its path": {"volumes: [{name: v, secret: {secretName: s, items: [{key: k, path: x}]}}], containers: [{name: a, image: i, volumeMounts: [{name: v, mountPath: /etc/z, subPath: z}]}]", nil, nil},
		"projected": {"volumes: [{name: v, projected: {sources: [{serviceAccountToken: {path: t}}, {secret: {name: s, items: [{key: k, path: p}]}}]}}], containers: [{name: a, image: i, volumeMounts: [{name: v, mountPath: /d}]}]",
			[]Reading{{Kind: "Secret", Name: "s", Key: "k", Container: "a", By: graph.ByFile, As: "/d/p", Variables: map[string][]string{}}}, []string{"p"}},
		"secrets-store": {"volumes: [{name: v, csi: {driver: secrets-store.csi.k8s.io, volumeAttributes: {secretProviderClass: c}}}], containers: [{name: a, image: i, env: [{name: GOOGLE_APPLICATION_CREDENTIALS, value: /d/k}], volumeMounts: [{name: v, mountPath: /d}]}]",
			[]Reading{{Kind: "SecretProviderClass", Name: "c", Container: "a", By: graph.ByFile, As: "/d", Variables: map[string][]string{"/d/k": {"GOOGLE_APPLICATION_CREDENTIALS"}}}}, []string{"k", "GOOGLE_APPLICATION_CREDENTIALS"}},
		"an init container": {"containers: [{name: a, image: i}], initContainers: [{name: b, image: i, envFrom: [{configMapRef: {name: s}}]}]",
			[]Reading{{Kind: "ConfigMap", Name: "s", Container: "b", By: graph.ByEnv}}, []string{"k"}},
		"for pulling": {"imagePullSecrets: [{name: s}], containers: [{name: a, image: i}]",
			[]Reading{{Kind: "Secret", Name: "s", By: graph.ByPull, As: "imagePullSecrets"}}, []string{"imagePullSecrets"}},
		"not mounted": {"volumes: [{name: v, secret: {secretName: s}}], containers: [{name: a, image: i}]", nil, nil},
	} {
		t.Run(name, func(t *testing.T) {
			templates := Templates(object(t, "spec: {"+test.spec+"}"))
			if len(templates) != 1 {
				t.Fatalf("%d templates", len(templates))
			}
			got := templates[0].Readings()
			if diff := cmp.Diff(test.want, got); diff != "" {
				t.Fatal(diff)
			}
			for _, r := range got {
				if diff := cmp.Diff(test.names, r.Names("k")); diff != "" {
					t.Error(diff)
				}
			}
		})
	}
}

// TestManager: who would undo an edit.
func TestManager(t *testing.T) {
	for metadata, want := range map[string]string{
		"{}": "",
		"{labels: {app.kubernetes.io/managed-by: Helm}, annotations: {meta.helm.sh/release-name: shop}}":   "Helm release shop",
		"{labels: {app.kubernetes.io/managed-by: Helm, app.kubernetes.io/instance: shop}}":                 "Helm release shop",
		"{labels: {app.kubernetes.io/managed-by: Helm}}":                                                   "Helm release of its chart",
		"{labels: {app.kubernetes.io/managed-by: somebody}}":                                               "",
		"{labels: {kustomize.toolkit.fluxcd.io/name: apps}}":                                               "Kustomization apps",
		"{labels: {helm.toolkit.fluxcd.io/name: r}, annotations: {meta.helm.sh/release-name: shop}}":       "HelmRelease r",
		"{annotations: {argocd.argoproj.io/tracking-id: 'shop:apps/Deployment:shop/orders'}}":              "Argo CD application shop:apps/Deployment:shop/orders",
		"{labels: {argocd.argoproj.io/instance: shop}, annotations: {meta.helm.sh/release-name: ignored}}": "Argo CD application shop",
	} {
		if got := Manager(object(t, "metadata: "+metadata)); got != want {
			t.Errorf("%s: %q, want %q", metadata, got, want)
		}
	}
}
