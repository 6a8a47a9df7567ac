package webhook_test

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/podpass-io/podpass/test/cluster"
)

// TestClusterLabelIsNotBelieved: the chart's entries that fail closed look into a pod that
// has the label of an injected one. Here they lead to nobody, so that a pod for which
// they are asked is refused.
func TestClusterLabelIsNotBelieved(t *testing.T) {
	c := cluster.Start(t, cluster.Options{Dir: filepath.Join(t.TempDir(), "kube"), ControlPlaneOnly: true})
	apply(t, c, fmt.Sprintf(`
apiVersion: admissionregistration.k8s.io/v1
kind: MutatingWebhookConfiguration
metadata: {name: podpass}
webhooks:
  - name: opted-in.podpass.io
    failurePolicy: Fail
    admissionReviewVersions: [v1]
    sideEffects: None
    timeoutSeconds: 1
    clientConfig: {url: "https://127.0.0.1:1/mutate"}
    rules: [{apiGroups: [""], apiVersions: [v1], operations: [CREATE], resources: [pods]}]
    objectSelector: {matchLabels: {podpass.io/inject: "true"}}
    matchConditions:
      - name: not-injected
        expression: >-
%s`, notInjected(t)))
	const (
		sidecar = `initContainers: [{name: podpass-broker, image: i, restartPolicy: Always, env: [{name: PODPASS_IDENTITIES, value: "{}"}]}]`
		token   = `volumes: [{name: aws-iam-token, projected: {sources: [{serviceAccountToken: {audience: a, expirationSeconds: 3600, path: token}}]}}]`
	)
	create := func(labels, spec string) error {
		manifest := fmt.Sprintf(`{apiVersion: v1, kind: Pod, metadata: {name: x, labels: {podpass.io/inject: "true"%s}}, spec: {automountServiceAccountToken: false, containers: [{name: app, image: i}]%s}}`, labels, spec)
		_, err := c.Kubectl(t.Context(), "create", "--dry-run=server", "-f", write(t, manifest))
		return err
	}
	// The API server learns of a registration a moment later.
	for end := time.Now().Add(20 * time.Second); create("", "") == nil; time.Sleep(100 * time.Millisecond) {
		if time.Now().After(end) {
			t.Fatal("the registration is not in force")
		}
	}
	for name, test := range map[string]struct {
		labels, spec string
		asked        bool
	}{
		"no label":                          {"", "", true},
		"no label, and a sidecar":           {"", sidecar, true},
		"broker":                            {"broker", "", true},
		"broker, with a sidecar":            {"broker", sidecar, false},
		"broker, with a token":              {"broker", token, true},
		"broker, and a name alone":          {"broker", `initContainers: [{name: podpass-broker, image: i, env: [{name: A, value: b}]}]`, true},
		"broker, and a name without env":    {"broker", `initContainers: [{name: podpass-broker, image: i}]`, true},
		"direct":                            {"direct", "", true},
		"direct, with a token":              {"direct", token, false},
		"direct, with a sidecar":            {"direct", sidecar, true},
		"direct, and a volume by that name": {"direct", `volumes: [{name: aws-iam-token, emptyDir: {}}]`, true},
		"direct, and more than tokens": {"direct", `volumes: [{name: aws-iam-token, projected: {sources: [
			{serviceAccountToken: {audience: a, expirationSeconds: 3600, path: token}}, {configMap: {name: c}}]}}]`, true},
		"a value that is none": {"other", sidecar, true},
	} {
		labels, spec := test.labels, test.spec
		if labels != "" {
			labels = ", podpass.io/injected: " + labels
		}
		if spec != "" {
			spec = ", " + spec
		}
		if err := create(labels, spec); (err != nil) != test.asked || err != nil && !strings.Contains(err.Error(), "opted-in.podpass.io") {
			t.Errorf("%s: %v, want it to be asked: %t", name, err, test.asked)
		}
	}
}

// notInjected is the chart's expression, as it stands there.
func notInjected(t *testing.T) string {
	t.Helper()
	raw, err := os.ReadFile("../charts/podpass/templates/webhook.yaml")
	if err != nil {
		t.Fatal(err)
	}
	_, after, ok := strings.Cut(string(raw), "- name: not-injected\n        expression: >-\n")
	expression, _, end := strings.Cut(after, "    {{- end }}")
	if !ok || !end || strings.Contains(expression, "{{") {
		t.Fatal("the chart has no such expression, or renders parts of it")
	}
	return expression
}
