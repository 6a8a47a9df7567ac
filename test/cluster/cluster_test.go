package cluster_test

import (
	"context"
	"crypto/sha256"
	"crypto/tls"
	"crypto/x509"
	"encoding/hex"
	"encoding/json"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/podpass-io/podpass/test/cluster"
)

// TestClusterControlPlane: a real API server without root, whose issuer anybody can
// look up, that survives a SIGKILL, and leaves nothing behind.
func TestClusterControlPlane(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "kube")
	c := cluster.Start(t, cluster.Options{Dir: dir, ControlPlaneOnly: true})
	discovery(t, c)
	if _, err := c.Kubectl(t.Context(), "create", "namespace", "kept"); err != nil {
		t.Fatal(err)
	}
	if err := c.Restart(t.Context(), "kube-apiserver", true); err != nil {
		t.Fatal(err)
	}
	if _, err := c.Kubectl(t.Context(), "get", "namespace", "kept"); err != nil {
		t.Errorf("lost over a restart: %v", err)
	}
	if err := c.Down(t.Context()); err != nil {
		t.Fatal(err)
	}
	nothingLeft(t, dir)
}

func discovery(t *testing.T, c *cluster.Cluster) {
	t.Helper()
	ca, err := os.ReadFile(c.CAFile)
	if err != nil {
		t.Fatal(err)
	}
	pool := x509.NewCertPool()
	pool.AppendCertsFromPEM(ca)
	client := &http.Client{Timeout: 5 * time.Second, Transport: &http.Transport{TLSClientConfig: &tls.Config{RootCAs: pool}, DisableKeepAlives: true}}
	resp, err := client.Get(c.Issuer + "/.well-known/openid-configuration")
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	var document struct{ Issuer string }
	if err := json.NewDecoder(resp.Body).Decode(&document); err != nil || document.Issuer != c.Issuer {
		t.Errorf("discovery says issuer %q, want %q: %v", document.Issuer, c.Issuer, err)
	}
}

// TestClusterNode: pods run, Jobs with a native sidecar end; what a start that was
// killed half-way left is removed by the next; nothing is left at the end.
func TestClusterNode(t *testing.T) {
	cluster.Require(t, cluster.Options{})
	dir := filepath.Join(t.TempDir(), "kube")
	opts := cluster.Options{Dir: dir, Log: t.Output()}
	binary, err := cluster.Build(t.Context(), t.Output())
	if err != nil {
		t.Fatal(err)
	}
	// Killed when the node's containerd is up, and other things are not.
	ctx, kill := context.WithTimeout(t.Context(), 4*time.Second)
	defer kill()
	if out, err := exec.CommandContext(ctx, binary, "up", "--dir", dir).CombinedOutput(); err == nil {
		t.Fatalf("came up too fast to be killed half-way:\n%s", out)
	}
	c := cluster.Start(t, opts)
	if err := c.LoadImage(t.Context(), cluster.ImageOptions{
		Name: "example.com/pause:dev", Entrypoint: []string{"/pause"}, User: "65532:65532",
		Files: []string{filepath.Join(filepath.Dir(binary), "pause") + "=/pause"},
	}); err != nil {
		t.Fatal(err)
	}
	manifest := filepath.Join(t.TempDir(), "pod.yaml")
	if err := os.WriteFile(manifest, []byte(sidecarPod), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := c.Kubectl(t.Context(), "apply", "-f", manifest); err != nil {
		t.Fatal(err)
	}
	if _, err := c.Kubectl(t.Context(), "wait", "--for=condition=Ready", "pod/with-sidecar", "--timeout=60s"); err != nil {
		t.Error(err)
	}
	if err := c.Down(t.Context()); err != nil {
		t.Fatal(err)
	}
	nothingLeft(t, dir)
}

const sidecarPod = `
apiVersion: v1
kind: Pod
metadata: {name: with-sidecar}
spec:
  terminationGracePeriodSeconds: 1
  initContainers:
    - {name: sidecar, image: "example.com/pause:dev", imagePullPolicy: Never, restartPolicy: Always}
  containers:
    - name: app
      image: example.com/pause:dev
      imagePullPolicy: Never
      volumeMounts: [{name: token, mountPath: /token}]
  volumes:
    - name: token
      projected: {sources: [{serviceAccountToken: {audience: test, path: token}}]}
`

// nothingLeft looks for processes, mounts, bridges and files of a cluster.
func nothingLeft(t *testing.T, dir string) {
	t.Helper()
	if _, err := os.Stat(dir); err == nil {
		t.Errorf("%s is still there", dir)
	}
	mounts, err := os.ReadFile("/proc/self/mountinfo")
	if err != nil {
		t.Fatal(err)
	}
	if strings.Contains(string(mounts), dir) {
		t.Errorf("mounts are left below %s", dir)
	}
	lines, err := filepath.Glob("/proc/[0-9]*/cmdline")
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range lines {
		if b, err := os.ReadFile(f); err == nil && strings.Contains(string(b), dir) && !strings.Contains(string(b), "cluster.test") {
			t.Errorf("a process is left: %s", strings.ReplaceAll(string(b), "\x00", " "))
		}
	}
	sum := sha256.Sum256([]byte(dir))
	if _, err := os.Stat("/sys/class/net/pp" + hex.EncodeToString(sum[:3])); err == nil {
		t.Error("the bridge is left")
	}
}
