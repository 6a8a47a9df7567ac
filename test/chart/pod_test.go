package chart

import (
	"testing"

	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"sigs.k8s.io/yaml"
)

// pods are the templates of the webhook's.
func pods(t *testing.T, all []object) []corev1.PodTemplateSpec {
	t.Helper()
	var templates []corev1.PodTemplateSpec
	for _, d := range typed[*appsv1.Deployment](t, all) {
		templates = append(templates, d.Spec.Template)
	}
	if len(templates) == 0 {
		t.Fatal("there is no Deployment")
	}
	return templates
}

// webhook is the container of the first of them.
func webhook(t *testing.T, all []object) corev1.Container {
	t.Helper()
	return pods(t, all)[0].Spec.Containers[0]
}

// settingOf is a value of the webhook's configuration file; nil: it has none there.
func settingOf(t *testing.T, all []object, path ...string) any {
	t.Helper()
	for _, m := range typed[*corev1.ConfigMap](t, all) {
		text, ok := m.Data["config.yaml"]
		if !ok {
			continue
		}
		var settings map[string]any
		if err := yaml.Unmarshal([]byte(text), &settings); err != nil {
			t.Fatal(err)
		}
		value, _, err := unstructured.NestedFieldNoCopy(settings, path...)
		if err != nil {
			t.Fatal(err)
		}
		return value
	}
	t.Fatal("there are no settings")
	return nil
}
