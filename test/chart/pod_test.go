package chart

import (
	"testing"

	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
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
