package apply

import (
	"testing"

	"github.com/google/go-cmp/cmp"
	"sigs.k8s.io/yaml"

	"github.com/podpass-io/podpass/cmd/podpass/internal/migrate/graph"
)

// TestReaders: whoever reads a data key, all of an object, or pulls images with it; what has
// ended does not.
func TestReaders(t *testing.T) {
	r := &readers{accounts: map[string][]graph.Object{}, pulls: map[string][]string{}}
	for name, text := range map[string]string{
		"one":   "{kind: Deployment, spec: {template: {spec: {serviceAccountName: apps, containers: [{name: app, image: i, env: [{name: K, valueFrom: {secretKeyRef: {name: keys, key: a}}}]}]}}}}",
		"all":   "{kind: Deployment, spec: {template: {spec: {containers: [{name: app, image: i, envFrom: [{secretRef: {name: keys}}]}]}}}}",
		"ended": "{kind: Job, spec: {template: {spec: {containers: [{name: app, image: i, envFrom: [{secretRef: {name: keys}}]}]}}}, status: {conditions: [{type: Complete, status: 'True'}]}}",
		"other": "{kind: Deployment, spec: {template: {spec: {containers: [{name: app, image: i, envFrom: [{configMapRef: {name: keys}}]}]}}}}",
		"apps":  "{kind: ServiceAccount, imagePullSecrets: [{name: pull}]}",
	} {
		var content map[string]any
		if err := yaml.Unmarshal([]byte(text), &content); err != nil {
			t.Fatal(err)
		}
		r.see(graph.Object{Kind: content["kind"].(string), Namespace: "shop", Name: name}, content)
	}
	for _, test := range []struct {
		name string
		keys []string
		want []string
	}{
		{"keys", []string{"a"}, []string{"Deployment shop/all", "Deployment shop/one"}},
		{"keys", []string{"b"}, []string{"Deployment shop/all"}},
		{"keys", nil, []string{"Deployment shop/all", "Deployment shop/one"}},
		{"pull", []string{".dockerconfigjson"}, []string{"ServiceAccount shop/apps"}},
		{"unknown", nil, nil},
	} {
		if diff := cmp.Diff(test.want, r.of(secret("shop", test.name), test.keys)); diff != "" {
			t.Errorf("%s %v: %s", test.name, test.keys, diff)
		}
	}
	if got := r.accounts["apps"]; len(got) != 1 || got[0].Name != "one" {
		t.Errorf("%v", got)
	}
}
