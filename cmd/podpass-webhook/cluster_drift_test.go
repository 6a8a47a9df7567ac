package main

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/podpass-io/podpass/test/cluster"
	"github.com/podpass-io/podpass/test/program"
	"github.com/podpass-io/podpass/test/testbed"
)

// TestClusterDrift: what keeps applying the chart's manifests, as Argo CD and Flux do, does
// not see, undo or fight what the webhook writes into its registrations. They stand in by
// the API calls that they make: an apply by the server as a manager of their name, or
// kubectl's three-way merge; and by a diff that must be empty. What they compare is
// kubectl's dry run here.
func TestClusterDrift(t *testing.T) {
	c := cluster.Start(t, cluster.Options{Dir: filepath.Join(t.TempDir(), "kube"), ControlPlaneOnly: true})
	const namespace = "podpass-system"
	kubectl := func(args ...string) string {
		t.Helper()
		out, err := c.Kubectl(t.Context(), args...)
		if err != nil {
			t.Fatalf("kubectl %s: %v\n%s", strings.Join(args, " "), err, out)
		}
		return out
	}
	kubectl("create", "namespace", namespace)
	manifest := render(t, namespace)
	outside(t, c, namespace)
	const registration = "mutatingwebhookconfiguration/podpass"
	ca := func() string {
		t.Helper()
		return kubectl("get", registration, "-o", "jsonpath={.webhooks[*].clientConfig.caBundle}")
	}
	for _, tt := range []struct {
		name        string
		apply, diff []string
	}{
		{"Argo CD, by three-way merge", nil, nil},
		{"Argo CD, by the server", []string{"--server-side", "--field-manager=argocd-controller"}, []string{"--server-side", "--field-manager=argocd-controller"}},
		{"Flux", []string{"--server-side", "--field-manager=kustomize-controller", "--force-conflicts"}, []string{"--server-side", "--field-manager=kustomize-controller", "--force-conflicts"}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			apply := append([]string{"apply", "-n", namespace, "-f", manifest}, tt.apply...)
			kubectl(apply...)
			for end := time.Now().Add(time.Minute); len(strings.Fields(ca())) != 5; time.Sleep(200 * time.Millisecond) {
				if time.Now().After(end) {
					t.Fatalf("the webhook has not published its CA: %q", ca())
				}
			}
			before, version := ca(), kubectl("get", registration, "-o", "jsonpath={.metadata.resourceVersion}")
			if out, err := c.Kubectl(t.Context(), append([]string{"diff", "-n", namespace, "-f", manifest}, tt.diff...)...); err != nil || out != "" {
				t.Errorf("there is a difference: %v\n%s", err, out)
			}
			kubectl(apply...) // a conflict would be an error
			if after := ca(); after != before {
				t.Error("a second apply changed the CA")
			}
			if now := kubectl("get", registration, "-o", "jsonpath={.metadata.resourceVersion}"); now != version {
				t.Errorf("a second apply wrote the registration: version %s, and %s before", now, version)
			}
			kubectl("delete", "-n", namespace, "-f", manifest)
		})
	}
}

// render is a file with the chart's objects, as a tool renders them that installs no hooks.
func render(t *testing.T, namespace string) string {
	t.Helper()
	helm, err := testbed.Helm(t.Context(), t.Output())
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.CommandContext(t.Context(), helm, "template", "podpass", "../../charts/podpass", "--namespace", namespace, "--no-hooks")
	cmd.Stderr = t.Output()
	out, err := cmd.Output()
	if err != nil {
		t.Fatal(err)
	}
	file := filepath.Join(t.TempDir(), "manifest.yaml")
	if err := os.WriteFile(file, out, 0o600); err != nil {
		t.Fatal(err)
	}
	return file
}

// outside runs the webhook outside of the cluster; it keeps its CA as inside.
func outside(t *testing.T, c *cluster.Cluster, namespace string) {
	t.Helper()
	dir := t.TempDir()
	binary, config := filepath.Join(dir, "podpass-webhook"), filepath.Join(dir, "config.yaml")
	if out, err := exec.CommandContext(t.Context(), "go", "build", "-o", binary, ".").CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	if err := os.WriteFile(config, []byte("broker: {image: podpass-broker:test}\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	cmd := exec.CommandContext(context.WithoutCancel(t.Context()), binary, "--kubeconfig", c.Kubeconfig, "--config", config, "--namespace", namespace,
		"--service", "podpass-webhook,podpass-webhook-0,podpass-webhook-1", "--listen", program.Address(t), "--probe-listen", program.Address(t), "--shutdown-delay", "100ms")
	cmd.Stdout, cmd.Stderr = t.Output(), t.Output()
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := cmd.Process.Signal(syscall.SIGTERM); err != nil {
			t.Error(fmt.Errorf("end the webhook: %w", err))
		}
		if err := cmd.Wait(); err != nil {
			t.Errorf("after SIGTERM: %v", err)
		}
	})
}
