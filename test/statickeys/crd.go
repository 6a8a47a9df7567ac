package statickeys

import "k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

// group of the custom resources.
const group = "example.com"

// CRDs gives those of the custom resources among the workloads: Rollout, which has its pod
// template where a Deployment has it, and Cluster, which has one deep within a list.
func CRDs() []unstructured.Unstructured {
	return []unstructured.Unstructured{crd("Rollout", "rollout", "rollouts"), crd("Cluster", "cluster", "clusters")}
}

// crd makes one with any spec, as those have that are generated without a pod's schema.
func crd(kind, singular, plural string) unstructured.Unstructured {
	anything := map[string]any{"type": "object", "x-kubernetes-preserve-unknown-fields": true}
	schema := map[string]any{"type": "object", "properties": map[string]any{"spec": anything}}
	return unstructured.Unstructured{Object: map[string]any{
		"apiVersion": "apiextensions.k8s.io/v1",
		"kind":       "CustomResourceDefinition",
		"metadata":   map[string]any{"name": plural + "." + group},
		"spec": map[string]any{
			"group": group, "scope": "Namespaced",
			"names": map[string]any{"kind": kind, "listKind": kind + "List", "singular": singular, "plural": plural},
			"versions": []any{map[string]any{
				"name": "v1", "served": true, "storage": true,
				"schema": map[string]any{"openAPIV3Schema": schema},
			}},
		},
	}}
}
