package webhook_test

import (
	"context"
	"encoding/base64"
	"fmt"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/kubernetes"

	"github.com/podpass-io/podpass/test/cluster"
	"github.com/podpass-io/podpass/test/program"
)

// TestClusterAdmission: through a real API server, with the webhook outside of the
// cluster, as a developer runs it.
func TestClusterAdmission(t *testing.T) {
	c := cluster.Start(t, cluster.Options{Dir: filepath.Join(t.TempDir(), "kube"), ControlPlaneOnly: true})
	address := program.Address(t)
	certificate := serve(t, c, address)
	apply(t, c, fmt.Sprintf(accountAndPod, "early", "arn:aws:iam::111122223333:role/orders"))
	register(t, c, "https://"+address, certificate)
	client := c.Client(t)

	t.Run("a pod at once after its ServiceAccount", func(t *testing.T) { neverMissed(t, client) })
	t.Run("malformed annotation", func(t *testing.T) {
		_, err := c.Kubectl(t.Context(), "apply", "-f", write(t, fmt.Sprintf(accountAndPod, "malformed", "orders")))
		if err == nil || !strings.Contains(err.Error(), "WI001") || !strings.Contains(err.Error(), "fix: ") {
			t.Errorf("the client does not see it: %v", err)
		}
		if !strings.Contains(err.Error(), "Warning: pods that use this ServiceAccount will be denied") {
			t.Errorf("the author of the ServiceAccount does not see it: %v", err)
		}
	})
	t.Run("a pod that asks for nothing", func(t *testing.T) {
		if out, err := c.Kubectl(t.Context(), "run", "plain", "--image=app:1", "-o", "jsonpath={.metadata.labels}"); err != nil || strings.Contains(out, "podpass") {
			t.Errorf("%s %v", out, err)
		}
	})
	t.Run("audit", func(t *testing.T) {
		for end := time.Now().Add(20 * time.Second); ; time.Sleep(200 * time.Millisecond) {
			events, err := client.CoreV1().Events("default").List(t.Context(), metav1.ListOptions{FieldSelector: "reason=CloudIdentityMissing"})
			if err != nil {
				t.Fatal(err)
			}
			if len(events.Items) == 1 && events.Items[0].InvolvedObject.Name == "early" {
				break
			}
			if time.Now().After(end) {
				t.Fatalf("want one event, on the pod that was there before the webhook: %v", events.Items)
			}
		}
	})
}

// neverMissed creates ServiceAccounts and, at once, a pod that uses it: the watch
// is behind.
func neverMissed(t *testing.T, client kubernetes.Interface) {
	t.Helper()
	const iterations = 100
	missed := 0
	for i := range iterations {
		name := fmt.Sprintf("fresh-%d", i)
		account := &corev1.ServiceAccount{ObjectMeta: metav1.ObjectMeta{Name: name, Annotations: map[string]string{
			"eks.amazonaws.com/role-arn": "arn:aws:iam::111122223333:role/orders",
		}}}
		if _, err := client.CoreV1().ServiceAccounts("default").Create(t.Context(), account, metav1.CreateOptions{}); err != nil {
			t.Fatal(err)
		}
		pod, err := client.CoreV1().Pods("default").Create(t.Context(), &corev1.Pod{
			ObjectMeta: metav1.ObjectMeta{Name: name},
			Spec:       corev1.PodSpec{ServiceAccountName: name, Containers: []corev1.Container{{Name: "app", Image: "app:1"}}},
		}, metav1.CreateOptions{})
		if err != nil {
			t.Fatal(err)
		}
		if pod.Labels["podpass.io/injected"] != "broker" || pod.Spec.InitContainers[0].Name != "podpass-broker" {
			missed++
		}
	}
	t.Logf("%d of %d pods injected", iterations-missed, iterations)
	if missed > 0 {
		t.Errorf("%d of %d pods were missed", missed, iterations)
	}
}

const accountAndPod = `
apiVersion: v1
kind: ServiceAccount
metadata: {name: %[1]s, annotations: {eks.amazonaws.com/role-arn: %[2]q}}
---
apiVersion: v1
kind: Pod
metadata: {name: %[1]s}
spec:
  serviceAccountName: %[1]s
  containers: [{name: app, image: "app:1"}]
`

// serve runs the real binary outside of the cluster, and gives its certificate, in PEM.
func serve(t *testing.T, c *cluster.Cluster, address string, args ...string) (certificate []byte) {
	t.Helper()
	dir := t.TempDir()
	binary, config := filepath.Join(dir, "podpass-webhook"), filepath.Join(dir, "config.yaml")
	if err := program.Build(t.Context(), dir, "../cmd/podpass-webhook"); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(config, []byte("broker: {image: podpass-broker:test}\naws: {region: eu-central-1}\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	certificate, key := program.Certificate(t)
	for name, content := range map[string][]byte{"tls.crt": certificate, "tls.key": key} {
		if err := os.WriteFile(filepath.Join(dir, name), content, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	probes := program.Address(t)
	cmd := exec.CommandContext(context.WithoutCancel(t.Context()), binary, append([]string{"--kubeconfig", c.Kubeconfig, "--config", config,
		"--tls-cert", filepath.Join(dir, "tls.crt"), "--tls-key", filepath.Join(dir, "tls.key"),
		"--listen", address, "--probe-listen", probes, "--shutdown-delay", "100ms", "--audit-period", "1s"}, args...)...)
	cmd.Stdout, cmd.Stderr = t.Output(), t.Output()
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := cmd.Process.Signal(syscall.SIGTERM); err != nil {
			t.Error(err)
		}
		if err := cmd.Wait(); err != nil {
			t.Errorf("after SIGTERM: %v", err)
		}
	})
	for end := time.Now().Add(20 * time.Second); ; time.Sleep(50 * time.Millisecond) {
		resp, err := http.Get("http://" + probes + "/readyz")
		if err == nil {
			_ = resp.Body.Close()
			if resp.StatusCode == http.StatusOK {
				return certificate
			}
		}
		if time.Now().After(end) {
			t.Fatalf("never ready: %v", err)
		}
	}
}

func register(t *testing.T, c *cluster.Cluster, url string, certificate []byte) {
	t.Helper()
	ca := base64.StdEncoding.EncodeToString(certificate)
	apply(t, c, fmt.Sprintf(`
apiVersion: admissionregistration.k8s.io/v1
kind: MutatingWebhookConfiguration
metadata: {name: podpass}
webhooks:
  - name: pods.podpass.io
    failurePolicy: Fail
    admissionReviewVersions: [v1]
    sideEffects: None
    reinvocationPolicy: IfNeeded
    clientConfig: {url: %q, caBundle: %s}
    rules: [{apiGroups: [""], apiVersions: [v1], operations: [CREATE], resources: [pods]}]
---
apiVersion: admissionregistration.k8s.io/v1
kind: ValidatingWebhookConfiguration
metadata: {name: podpass}
webhooks:
  - name: serviceaccounts.podpass.io
    failurePolicy: Ignore
    admissionReviewVersions: [v1]
    sideEffects: None
    clientConfig: {url: %q, caBundle: %s}
    rules: [{apiGroups: [""], apiVersions: [v1], operations: [CREATE, UPDATE], resources: [serviceaccounts]}]
`, url+"/mutate", ca, url+"/validate-serviceaccounts", ca))
	// The API server learns of a registration a moment later.
	for end := time.Now().Add(20 * time.Second); ; time.Sleep(100 * time.Millisecond) {
		out, err := c.Kubectl(t.Context(), "apply", "--dry-run=server", "-o", "jsonpath={.metadata.labels}", "-f", write(t, probe))
		if err == nil && strings.Contains(out, "podpass.io/injected") {
			return
		}
		if time.Now().After(end) {
			t.Fatalf("the webhook is not called: %s %v", out, err)
		}
		apply(t, c, `{apiVersion: v1, kind: ServiceAccount, metadata: {name: probe, annotations: {podpass.io/aws-role-arn: "arn:aws:iam::111122223333:role/x"}}}`)
	}
}

const probe = `{apiVersion: v1, kind: Pod, metadata: {name: probe}, spec: {serviceAccountName: probe, containers: [{name: app, image: "app:1"}]}}`

func apply(t *testing.T, c *cluster.Cluster, manifest string) {
	t.Helper()
	if _, err := c.Kubectl(t.Context(), "apply", "-f", write(t, manifest)); err != nil {
		t.Fatal(err)
	}
}

func write(t *testing.T, manifest string) string {
	t.Helper()
	f := filepath.Join(t.TempDir(), "manifest.yaml")
	if err := os.WriteFile(f, []byte(manifest), 0o600); err != nil {
		t.Fatal(err)
	}
	return f
}
