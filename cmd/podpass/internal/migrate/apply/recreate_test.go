package apply

import (
	"testing"

	"github.com/google/go-cmp/cmp"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"sigs.k8s.io/yaml"
)

// TestApplicable: what others have put into an object is not applied again.
func TestApplicable(t *testing.T) {
	for name, test := range map[string]struct{ object, want string }{
		"a Job": {
			`{kind: Job, metadata: {name: report, uid: u, resourceVersion: "1", generation: 1, creationTimestamp: "2026-11-02T08:00:00Z", labels: {team: shop, job-name: report, batch.kubernetes.io/controller-uid: u}},
			  spec: {selector: {matchLabels: {controller-uid: u}}, template: {metadata: {labels: {app: report, controller-uid: u, batch.kubernetes.io/job-name: report}}, spec: {containers: [{name: app}]}}}, status: {active: 1}}`,
			`{kind: Job, metadata: {name: report, labels: {team: shop}}, spec: {template: {metadata: {labels: {app: report}}, spec: {containers: [{name: app}]}}}}`,
		},
		"a Job with a selector of its own": {
			`{kind: Job, metadata: {name: report}, spec: {manualSelector: true, selector: {matchLabels: {app: report}}}}`,
			`{kind: Job, metadata: {name: report}, spec: {manualSelector: true, selector: {matchLabels: {app: report}}}}`,
		},
		"a pod": {
			`{kind: Pod, metadata: {name: orders, managedFields: [{}]}, spec: {nodeName: node-1, ephemeralContainers: [{name: debug}], volumes: [{name: cache, emptyDir: {}}, {name: kube-api-access-x7f2p}],
			  initContainers: [{name: setup, volumeMounts: [{name: kube-api-access-x7f2p}]}], containers: [{name: app, volumeMounts: [{name: cache}, {name: kube-api-access-x7f2p}]}]}, status: {phase: Running}}`,
			`{kind: Pod, metadata: {name: orders}, spec: {volumes: [{name: cache, emptyDir: {}}], initContainers: [{name: setup, volumeMounts: []}], containers: [{name: app, volumeMounts: [{name: cache}]}]}}`,
		},
	} {
		t.Run(name, func(t *testing.T) {
			var object, want map[string]any
			if err := yaml.Unmarshal([]byte(test.object), &object); err != nil {
				t.Fatal(err)
			}
			if err := yaml.Unmarshal([]byte(test.want), &want); err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(want, applicable(&unstructured.Unstructured{Object: object}).Object); diff != "" {
				t.Error(diff)
			}
		})
	}
}
