package e2e

import (
	"context"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/podpass-io/podpass/test/testbed"
)

// TestHelmTest: `helm test` passes where pods are injected and the cloud takes a token; it
// fails when either is broken, says why, and leaves no right behind.
func TestHelmTest(t *testing.T) {
	require(t)
	start(t)
	apply(t, fmt.Sprintf("{apiVersion: v1, kind: ServiceAccount, metadata: {name: stranger, annotations: {eks.amazonaws.com/role-arn: %q}}}", testbed.AWSRole))
	t.Cleanup(func() {
		if err := install(context.WithoutCancel(t.Context())); err != nil {
			t.Error(err)
		}
	})
	const selector = "app.kubernetes.io/component=webhook"
	for _, tt := range []struct {
		name  string
		set   string // the value tests.serviceAccount
		spoil func(t *testing.T)
		says  []string // of a failure; nil: it passes
	}{
		{"sound", "", nil, nil},
		{"sound, with an exchange", namespace + "/aws", nil, nil},
		{"the cloud does not trust it", namespace + "/stranger", nil, []string{"WI183", namespace + ":stranger"}},
		{"the API server trusts another CA", "", func(t *testing.T) {
			// Replicas that may would put it right at once.
			rights := func(to string) {
				kubectl(t, "patch", "clusterrolebinding", "podpass-webhook", "--type=json", "-p", fmt.Sprintf(`[{"op": "replace", "path": "/subjects/0/name", "value": %q}]`, to))
			}
			rights("nobody")
			t.Cleanup(func() {
				rights("podpass-webhook")
				time.Sleep(time.Second)
				kubectl(t, "label", "mutatingwebhookconfiguration", installed, "test=seen", "--overwrite") // they look at once
			})
			for i := range 5 {
				kubectl(t, "patch", "mutatingwebhookconfiguration", installed, "--type=json", "-p",
					fmt.Sprintf(`[{"op": "replace", "path": "/webhooks/%d/clientConfig/caBundle", "value": %q}]`, i, otherCA(t)))
			}
			pause(t, 2*time.Second) // the API server has seen it
		}, []string{"WI133", "opted in is refused", "x509"}},
		{"no replica runs", "", func(t *testing.T) {
			scale := func(n string) {
				kubectl(t, "scale", "deployment", "-n", testbed.Namespace, "-l", "app.kubernetes.io/name=podpass", "--replicas="+n)
			}
			t.Cleanup(func() { scale("1") })
			scale("0")
			kubectl(t, "wait", "pods", "-n", testbed.Namespace, "-l", selector, "--for=delete", "--timeout=1m")
		}, []string{"WI133", "opted in is refused"}},
		{"the registration is gone", "", func(t *testing.T) {
			kubectl(t, "delete", "mutatingwebhookconfiguration", installed)
			pause(t, 2*time.Second)
		}, []string{"WI133", "does not ask podpass"}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			if err := install(t.Context(), "--set", "tests.serviceAccount="+tt.set); err != nil {
				t.Fatal(err)
			}
			if tt.spoil != nil {
				tt.spoil(t)
			}
			out, err := bed.Helm(t.Context(), "test", installed, "-n", testbed.Namespace, "--logs", "--timeout", "1m")
			t.Log(out)
			if (err != nil) != (tt.says != nil) {
				t.Errorf("helm test: %v", err)
			}
			for _, s := range tt.says {
				if !strings.Contains(out, s) {
					t.Errorf("it does not say %q", s)
				}
			}
			rights, err := bed.Kubectl(t.Context(), "get", "roles,rolebindings,serviceaccounts", "-A", "-o", "name")
			if err != nil || strings.Contains(rights, installed+"-test") {
				t.Errorf("what is left: %v: %s", err, rights)
			}
			kubectl(t, "delete", "pod", "-n", testbed.Namespace, "-l", "app.kubernetes.io/component=test")
		})
	}
}

// otherCA is the cluster's own CA, which has not signed what the webhook serves, in base64.
func otherCA(t *testing.T) string {
	t.Helper()
	ca, err := bed.Kubectl(t.Context(), "config", "view", "--raw", "--flatten", "-o", "jsonpath={.clusters[0].cluster.certificate-authority-data}")
	if err != nil || ca == "" {
		t.Fatalf("the cluster's CA: %v", err)
	}
	return ca
}
