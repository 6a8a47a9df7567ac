package webhook_test

import (
	"context"
	"encoding/base64"
	"encoding/pem"
	"fmt"
	"io"
	"log/slog"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"k8s.io/client-go/metadata"
	"k8s.io/client-go/tools/clientcmd"

	"github.com/podpass-io/podpass/test/cluster"
	"github.com/podpass-io/podpass/webhook"
	"github.com/podpass-io/podpass/webhook/inject"
	"github.com/podpass-io/podpass/webhook/sastore"
)

// TestClusterAdmission: through a real API server, with the webhook outside of the
// cluster, as a developer runs it.
func TestClusterAdmission(t *testing.T) {
	c := cluster.Start(t, cluster.Options{Dir: filepath.Join(t.TempDir(), "kube"), ControlPlaneOnly: true})
	register(t, c, serve(t, c))

	// A ServiceAccount and, at once, a pod that uses it: the watch is behind.
	for i := range 20 {
		name := fmt.Sprintf("fresh-%d", i)
		apply(t, c, fmt.Sprintf(accountAndPod, name, "arn:aws:iam::111122223333:role/orders"))
		mode, err := c.Kubectl(t.Context(), "get", "pod", name, "-o", `jsonpath={.metadata.labels.podpass\.io/injected} {.spec.initContainers[0].name}`)
		if err != nil || mode != "broker podpass-broker" {
			t.Errorf("pod %s was missed: %q %v", name, mode, err)
		}
	}

	_, err := c.Kubectl(t.Context(), "apply", "-f", write(t, fmt.Sprintf(accountAndPod, "malformed", "orders")))
	if err == nil || !strings.Contains(err.Error(), "WI001") || !strings.Contains(err.Error(), "fix: ") {
		t.Errorf("the client is not told: %v", err)
	}
	if out, err := c.Kubectl(t.Context(), "run", "plain", "--image=app:1", "-o", "jsonpath={.metadata.labels}"); err != nil || strings.Contains(out, "podpass") {
		t.Errorf("a pod that asks for nothing: %s %v", out, err)
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

// serve runs handler and store as podpass-webhook does.
func serve(t *testing.T, c *cluster.Cluster) *httptest.Server {
	t.Helper()
	config, err := clientcmd.BuildConfigFromFlags("", c.Kubeconfig)
	if err != nil {
		t.Fatal(err)
	}
	client, err := metadata.NewForConfig(config)
	if err != nil {
		t.Fatal(err)
	}
	store := sastore.New(client)
	ctx, stop := context.WithCancel(t.Context())
	done := make(chan error, 1)
	go func() { done <- store.Run(ctx) }()
	settings, err := inject.LoadSettings([]byte("broker: {image: podpass-broker:test}\naws: {region: eu-central-1}\n"))
	if err != nil {
		t.Fatal(err)
	}
	server := httptest.NewUnstartedServer(&webhook.Handler{
		ServiceAccounts: store, Settings: settings, Metrics: webhook.NewMetrics(prometheus.NewRegistry()),
		Log: slog.New(slog.NewJSONHandler(io.Discard, nil)),
	})
	server.Config.ErrorLog = slog.NewLogLogger(slog.DiscardHandler, slog.LevelDebug)
	server.StartTLS()
	t.Cleanup(func() { server.Close(); stop(); <-done })
	return server
}

func register(t *testing.T, c *cluster.Cluster, s *httptest.Server) {
	t.Helper()
	ca := base64.StdEncoding.EncodeToString(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: s.Certificate().Raw}))
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
`, s.URL+"/mutate", ca))
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
