package e2e

import (
	"context"
	"strings"
	"testing"

	"github.com/podpass-io/podpass/test/testbed"
)

// TestOwnTokenStaysReadable: kubelet makes a projected token the user's own while all
// containers are of one, and otherwise root's. The application reads its own here, of
// mode 0400, to be AWS's role by itself; the sidecar beside it serves the other clouds.
func TestOwnTokenStaysReadable(t *testing.T) {
	require(t)
	start(t, strings.NewReplacer(
		"volumeMounts: [", "volumeMounts: [{name: own, mountPath: /var/run/own, readOnly: true}, ",
		"volumes: [", "volumes: [{name: own, projected: {defaultMode: 256, sources: [{serviceAccountToken: {audience: sts.amazonaws.com, path: token}}]}}, ",
	).Replace(pod{
		name: "own-token", serviceAccount: "all-clouds", sdk: "go", check: "all",
		env: `[{name: AWS_ROLE_ARN, value: "` + testbed.AWSRole + `"}, {name: AWS_WEB_IDENTITY_TOKEN_FILE, value: /var/run/own/token}, {name: AWS_REGION, value: eu-central-1}]`,
	}.manifest()))
	got := outcomes(t)
	if o := got["own-token/app/aws"]; !o.OK || !strings.Contains(o.Identity, identities["aws"]) || o.Source != "/var/run/own/token" {
		t.Errorf("by its own token: %q from %s: %s", o.Identity, o.Source, o.Error)
	}
	if o := got["own-token/app/gcp"]; !o.OK || !strings.Contains(o.Identity, identities["gcp"]) {
		t.Errorf("by the sidecar: %q from %s: %s", o.Identity, o.Source, o.Error)
	}
	user, err := bed.Kubectl(t.Context(), "get", "pod", "own-token", "-n", namespace, "-o", "jsonpath={.spec.initContainers[0].securityContext.runAsUser}")
	if err != nil || user != "10001" {
		t.Errorf("the sidecar runs as %q: %v", user, err)
	}
}

// TestLimitRange: a namespace that demands more of each container than the sidecar asks
// for, and leaves a pod less than its limit.
func TestLimitRange(t *testing.T) {
	require(t)
	start(t)
	t.Cleanup(func() {
		if _, err := bed.Kubectl(context.WithoutCancel(t.Context()), "delete", "limitrange", "--all", "-n", namespace); err != nil {
			t.Errorf("remove the LimitRange: %v", err)
		}
	})
	if err := bed.Apply(t.Context(), namespace, `
apiVersion: v1
kind: LimitRange
metadata: {name: limits}
spec:
  limits:
  - type: Container
    min: {cpu: 10m, memory: 48Mi}
    max: {cpu: "1", memory: 512Mi}
    default: {cpu: 900m, memory: 500Mi}
    defaultRequest: {cpu: 500m, memory: 400Mi}
    maxLimitRequestRatio: {cpu: "100", memory: "8"}
  - type: Pod
    max: {cpu: 1100m}
`); err != nil {
		t.Fatal(err)
	}
	if err := bed.Apply(t.Context(), namespace, pod{name: "limited", serviceAccount: "aws", sdk: "go", check: "aws"}.manifest()); err != nil {
		t.Fatal(err)
	}
	if o := outcomes(t)["limited/app/aws"]; !o.OK || !strings.Contains(o.Identity, identities["aws"]) {
		t.Errorf("%q from %s: %s", o.Identity, o.Source, o.Error)
	}
	const want = `{"limits":{"cpu":"100m","memory":"64Mi"},"requests":{"cpu":"10m","memory":"48Mi"}}`
	got, err := bed.Kubectl(t.Context(), "get", "pod", "limited", "-n", namespace, "-o", "jsonpath={.spec.initContainers[0].resources}")
	if err != nil || got != want {
		t.Errorf("the sidecar has %s, want %s: %v", got, want, err)
	}
}
