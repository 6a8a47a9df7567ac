package statickeys

import (
	"fmt"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
)

// workload puts a pod template into an object of the kind.
func workload(namespace, name, kind string, template map[string]any) unstructured.Unstructured {
	labels := map[string]any{"app": name}
	spec := map[string]any{
		"replicas": int64(1),
		"selector": map[string]any{"matchLabels": labels},
		"template": template,
	}
	apiVersion, fields := "apps/v1", map[string]any{"spec": spec}
	switch kind {
	case "Deployment", "ReplicaSet":
	case "StatefulSet":
		spec["serviceName"] = name
	case "DaemonSet":
		delete(spec, "replicas")
	case "ReplicationController":
		apiVersion, spec["selector"] = "v1", labels
	case "Job":
		apiVersion, fields["spec"] = "batch/v1", map[string]any{"template": template}
	case "CronJob":
		job := map[string]any{"spec": map[string]any{"template": template}}
		apiVersion, fields["spec"] = "batch/v1", map[string]any{"schedule": "0 3 * * *", "jobTemplate": job}
	case "Pod":
		apiVersion, fields = "v1", template
	case "PodTemplate":
		apiVersion, fields = "v1", map[string]any{"template": template}
	case "Rollout":
		apiVersion = group + "/v1"
	case "Cluster":
		worker := map[string]any{"name": "main", "replicas": int64(1), "template": template}
		apiVersion, fields["spec"] = group+"/v1", map[string]any{"workers": []any{worker}}
	default:
		panic(fmt.Sprintf("no workload of kind %q", kind))
	}
	o := unstructured.Unstructured{Object: fields}
	o.SetAPIVersion(apiVersion)
	o.SetKind(kind)
	o.SetNamespace(namespace)
	o.SetName(name)
	return o
}
