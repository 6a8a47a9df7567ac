package workload

import (
	"cmp"

	"github.com/podpass-io/podpass/cmd/podpass/internal/migrate/graph"
)

// Named is which object one is; namespace is that of one that names none.
func Named(object map[string]any, namespace string) graph.Object {
	meta := within(object, "metadata")
	return graph.Object{
		APIVersion: text(object["apiVersion"]), Kind: text(object["kind"]),
		Namespace: cmp.Or(text(meta["namespace"]), namespace), Name: cmp.Or(text(meta["name"]), text(meta["generateName"])),
	}
}

// Controller is the object that made one and keeps it as it is; nil: nobody does.
func Controller(object map[string]any, namespace string) *graph.Object {
	meta := within(object, "metadata")
	for _, o := range objects(meta["ownerReferences"]) {
		if is, _ := o["controller"].(bool); is {
			return &graph.Object{APIVersion: text(o["apiVersion"]), Kind: text(o["kind"]), Namespace: cmp.Or(text(meta["namespace"]), namespace), Name: text(o["name"])}
		}
	}
	return nil
}

// Manager is what would undo an edit of an object, by the labels and annotations that
// each leaves: "Helm release shop"; empty: nothing that leaves one.
func Manager(object map[string]any) string {
	meta := within(object, "metadata")
	labels, annotations := texts(meta["labels"]), texts(meta["annotations"])
	for _, m := range []struct{ kind, name string }{
		{"HelmRelease", labels["helm.toolkit.fluxcd.io/name"]},
		{"Kustomization", labels["kustomize.toolkit.fluxcd.io/name"]},
		{"Argo CD application", cmp.Or(labels["argocd.argoproj.io/instance"], annotations["argocd.argoproj.io/tracking-id"])},
		{"Helm release", annotations["meta.helm.sh/release-name"]},
	} {
		if m.name != "" {
			return m.kind + " " + m.name
		}
	}
	if labels["app.kubernetes.io/managed-by"] == "Helm" {
		return "Helm release " + cmp.Or(labels["app.kubernetes.io/instance"], labels["release"], "of its chart")
	}
	return ""
}
