package rollout

import (
	"errors"
	"fmt"
	"strings"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"github.com/podpass-io/podpass/cmd/podpass/internal/hint"
)

// Later reports whether nothing needs to be waited for: the pods come later.
func Later(kind string) bool { return kind == "CronJob" || kind == "PodTemplate" }

// manual reports whether somebody has to delete the pods of a workload, so that new ones
// come.
func manual(of *unstructured.Unstructured) bool {
	switch of.GetKind() {
	case "ReplicaSet", "ReplicationController":
		return true
	case "StatefulSet", "DaemonSet":
		strategy, _, _ := unstructured.NestedString(of.Object, "spec", "updateStrategy", "type")
		return strategy == "OnDelete"
	}
	return false
}

// Refused is why a workload would never get rid of its old pods; nil: it would.
func Refused(of *unstructured.Unstructured) error {
	paused, _, _ := unstructured.NestedBool(of.Object, "spec", "paused")
	partition, _, _ := unstructured.NestedInt64(of.Object, "spec", "updateStrategy", "rollingUpdate", "partition")
	switch {
	case of.GetKind() == "Deployment" && paused:
		return hint.New(errors.New("it is paused, and would not roll out"), "kubectl rollout resume deployment/"+of.GetName()+" -n "+of.GetNamespace())
	case of.GetKind() == "StatefulSet" && partition > 0:
		return hint.New(fmt.Errorf("its rollingUpdate has partition %d, below which pods stay as they are", partition), "set the partition to 0")
	}
	return nil
}

// Finished reports whether a Job or a pod has ended, and does not run again.
func Finished(of *unstructured.Unstructured) bool {
	switch of.GetKind() {
	case "Job":
		return condition(of, "Complete") != "" || condition(of, "Failed") != ""
	case "Pod":
		phase, _, _ := unstructured.NestedString(of.Object, "status", "phase")
		return phase == "Succeeded" || phase == "Failed"
	}
	return false
}

// condition is the reason of one that is true, or "true" if it has none; empty: it is not.
func condition(of *unstructured.Unstructured, name string) string {
	return conditionIs(of, name, "True")
}

func conditionIs(of *unstructured.Unstructured, name, status string) string {
	list, _, _ := unstructured.NestedSlice(of.Object, "status", "conditions")
	for _, e := range list {
		c, _ := e.(map[string]any)
		if c["type"] != name || c["status"] != status {
			continue
		}
		if reason, _ := c["reason"].(string); reason != "" {
			return reason
		}
		return strings.ToLower(status)
	}
	return ""
}

// number is one of an object's; absent: otherwise.
func number(of *unstructured.Unstructured, otherwise int64, fields ...string) int64 {
	n, ok, err := unstructured.NestedInt64(of.Object, fields...)
	if !ok || err != nil {
		return otherwise
	}
	return n
}

// desired is how many pods a workload should have; 0: that is not known.
func desired(of *unstructured.Unstructured) int64 {
	switch of.GetKind() {
	case "Deployment", "StatefulSet", "ReplicaSet", "ReplicationController":
		return number(of, 1, "spec", "replicas")
	case "DaemonSet":
		return number(of, 0, "status", "desiredNumberScheduled")
	}
	return 0
}

// pending is what the workload's own status says that is still to come; empty: nothing. An
// error is that it will not come.
func pending(of *unstructured.Unstructured) (string, error) {
	status := func(name string) int64 { return number(of, 0, "status", name) }
	want := desired(of)
	short := func(what string, have int64) string {
		if have >= want {
			return ""
		}
		return fmt.Sprintf("%d of %d are %s", have, want, what)
	}
	switch of.GetKind() {
	case "Deployment", "StatefulSet", "DaemonSet", "ReplicaSet", "ReplicationController":
		if status("observedGeneration") < of.GetGeneration() {
			return "its controller has not seen the change", nil
		}
	}
	switch of.GetKind() {
	case "Deployment":
		if reason := conditionIs(of, "Progressing", "False"); reason == "ProgressDeadlineExceeded" {
			return "", errors.New("it makes no progress: " + reason)
		}
		return first(short("of the new template", status("updatedReplicas")), short("available", status("availableReplicas"))), nil
	case "StatefulSet":
		return first(short("of the new template", status("updatedReplicas")), short("ready", status("readyReplicas"))), nil
	case "DaemonSet":
		return first(short("of the new template", status("updatedNumberScheduled")), short("ready", status("numberReady"))), nil
	case "ReplicaSet", "ReplicationController":
		return short("ready", status("readyReplicas")), nil
	case "Job":
		if reason := condition(of, "Failed"); reason != "" {
			return "", errors.New("the Job failed: " + reason)
		}
		suspended, _, _ := unstructured.NestedBool(of.Object, "spec", "suspend")
		if condition(of, "Complete") == "" && !suspended && status("active") == 0 && status("succeeded") == 0 {
			return "the Job has no pod yet", nil
		}
	case "Pod":
		switch phase, _, _ := unstructured.NestedString(of.Object, "status", "phase"); phase {
		case "Failed":
			return "", errors.New("the pod failed")
		case "Succeeded":
		default:
			if condition(of, "Ready") == "" {
				return "the pod is not ready", nil
			}
		}
	}
	return "", nil
}

func first(texts ...string) string {
	for _, t := range texts {
		if t != "" {
			return t
		}
	}
	return ""
}
