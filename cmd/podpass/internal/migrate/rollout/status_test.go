package rollout

import (
	"testing"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"sigs.k8s.io/yaml"
)

func object(t *testing.T, text string) *unstructured.Unstructured {
	t.Helper()
	b, err := yaml.YAMLToJSON([]byte(text))
	if err != nil {
		t.Fatal(err)
	}
	u := new(unstructured.Unstructured)
	if err := u.UnmarshalJSON(b); err != nil {
		t.Fatal(err)
	}
	return u
}

func TestPending(t *testing.T) {
	for name, test := range map[string]struct{ object, waits, fails string }{
		"a Deployment that nobody has seen": {"{kind: Deployment, metadata: {generation: 2}, status: {observedGeneration: 1}}", "its controller has not seen the change", ""},
		"a Deployment that rolls out":       {"{kind: Deployment, spec: {replicas: 3}, status: {updatedReplicas: 1, availableReplicas: 3}}", "1 of 3 are of the new template", ""},
		"a Deployment that comes up":        {"{kind: Deployment, spec: {replicas: 3}, status: {updatedReplicas: 3, availableReplicas: 2}}", "2 of 3 are available", ""},
		"a Deployment that is stuck":        {"{kind: Deployment, status: {conditions: [{type: Progressing, status: 'False', reason: ProgressDeadlineExceeded}]}}", "", "it makes no progress: ProgressDeadlineExceeded"},
		"a Deployment of none":              {"{kind: Deployment, spec: {replicas: 0}}", "", ""},
		"a Deployment that is ready":        {"{kind: Deployment, spec: {replicas: 1}, status: {updatedReplicas: 1, availableReplicas: 1}}", "", ""},
		"a StatefulSet that rolls out":      {"{kind: StatefulSet, spec: {replicas: 2}, status: {updatedReplicas: 1, readyReplicas: 2}}", "1 of 2 are of the new template", ""},
		"a DaemonSet that comes up":         {"{kind: DaemonSet, status: {desiredNumberScheduled: 2, updatedNumberScheduled: 2, numberReady: 1}}", "1 of 2 are ready", ""},
		"a ReplicaSet that comes up":        {"{kind: ReplicaSet, spec: {replicas: 2}, status: {readyReplicas: 1}}", "1 of 2 are ready", ""},
		"a Job without a pod":               {"{kind: Job}", "the Job has no pod yet", ""},
		"a Job that is suspended":           {"{kind: Job, spec: {suspend: true}}", "", ""},
		"a Job that runs":                   {"{kind: Job, status: {active: 1}}", "", ""},
		"a Job that failed":                 {"{kind: Job, status: {conditions: [{type: Failed, status: 'True', reason: BackoffLimitExceeded}]}}", "", "the Job failed: BackoffLimitExceeded"},
		"a pod that comes up":               {"{kind: Pod, status: {phase: Running}}", "the pod is not ready", ""},
		"a pod that failed":                 {"{kind: Pod, status: {phase: Failed}}", "", "the pod failed"},
		"a pod that has ended":              {"{kind: Pod, status: {phase: Succeeded}}", "", ""},
		"a custom resource":                 {"{kind: Rollout, metadata: {generation: 2}}", "", ""},
	} {
		t.Run(name, func(t *testing.T) {
			waits, err := pending(object(t, test.object))
			if waits != test.waits || (err == nil) != (test.fails == "") || err != nil && err.Error() != test.fails {
				t.Errorf("%q %v", waits, err)
			}
		})
	}
}

func TestRefused(t *testing.T) {
	for text, want := range map[string]bool{
		"{kind: Deployment, spec: {paused: true}}": true,
		"{kind: Deployment}":                       false,
		"{kind: StatefulSet, spec: {updateStrategy: {rollingUpdate: {partition: 2}}}}": true,
		"{kind: StatefulSet, spec: {updateStrategy: {rollingUpdate: {partition: 0}}}}": false,
		"{kind: Rollout, spec: {paused: true}}":                                        false,
	} {
		if got := Refused(object(t, text)) != nil; got != want {
			t.Errorf("%s: %t", text, got)
		}
	}
}

func TestManual(t *testing.T) {
	for text, want := range map[string]bool{
		"{kind: ReplicaSet}":            true,
		"{kind: ReplicationController}": true,
		"{kind: Deployment}":            false,
		"{kind: DaemonSet, spec: {updateStrategy: {type: OnDelete}}}":        true,
		"{kind: StatefulSet, spec: {updateStrategy: {type: RollingUpdate}}}": false,
	} {
		if got := manual(object(t, text)); got != want {
			t.Errorf("%s: %t", text, got)
		}
	}
}

func TestSelector(t *testing.T) {
	for text, want := range map[string]string{
		"{kind: Deployment, spec: {selector: {matchLabels: {app: orders}}}}": "app=orders",
		"{kind: ReplicationController, spec: {selector: {app: orders}}}":     "app=orders",
		"{kind: CronJob, spec: {}}":                                          "",
		"{kind: Cluster, spec: {selector: {region: eu}}}":                    "",
	} {
		if got := selector(object(t, text)); got != want {
			t.Errorf("%s: %q", text, got)
		}
	}
}
