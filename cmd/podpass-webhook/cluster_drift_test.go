package main

import (
	"context"
	"encoding/base64"
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
	replica := outside(t, c, namespace)
	signal := func(s syscall.Signal) {
		t.Helper()
		if err := replica.Signal(s); err != nil {
			t.Fatal(err)
		}
	}
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
			signal(syscall.SIGSTOP) // or it would mend at once what is spoilt, and go on with a rotation
			defer signal(syscall.SIGCONT)
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
			signal(syscall.SIGCONT)
			kubectl("delete", "-n", namespace, "-f", manifest)
			goesWithTheRelease(t, c, namespace)
		})
	}
}

// TestClusterRelease: a CA that is replaced stays over an upgrade and a rollback to before
// it, by Helm; and what podpass has made goes when Helm uninstalls, although a replica
// still runs, as one does that goes down slowly.
func TestClusterRelease(t *testing.T) {
	c := cluster.Start(t, cluster.Options{Dir: filepath.Join(t.TempDir(), "kube"), ControlPlaneOnly: true})
	const namespace = "podpass-system"
	binary, err := testbed.Helm(t.Context(), t.Output())
	if err != nil {
		t.Fatal(err)
	}
	helm := func(args ...string) {
		t.Helper()
		cmd := exec.CommandContext(t.Context(), binary, append(args, "--namespace", namespace)...)
		cmd.Env = append(os.Environ(), "KUBECONFIG="+c.Kubeconfig)
		if out, err := cmd.CombinedOutput(); err != nil {
			t.Fatalf("helm %s: %v\n%s", strings.Join(args, " "), err, out)
		}
	}
	helm("install", "podpass", "../../charts/podpass", "--create-namespace")
	replica := outside(t, c, namespace)
	get := func(args ...string) string {
		out, err := c.Kubectl(t.Context(), append([]string{"get", "-n", namespace, "--ignore-not-found"}, args...)...)
		if err != nil {
			t.Fatal(err)
		}
		return out
	}
	// published is the Secret's CA, in base64, once all entries trust it and it is not old.
	published := func(old string) string {
		t.Helper()
		for end := time.Now().Add(time.Minute); ; time.Sleep(200 * time.Millisecond) {
			key := `jsonpath={.data.ca\.crt}`
			if old != "" {
				key = `jsonpath={.data.next\.crt}` // the next one is published before it signs
			}
			ca, entries := get("secret", "podpass-webhook-ca", "-o", key), strings.Fields(get("mutatingwebhookconfiguration", "podpass", "-o", "jsonpath={.webhooks[*].clientConfig.caBundle}"))
			if ca != "" && ca != old && trustedBy(t, entries, ca) {
				return ca
			}
			if time.Now().After(end) {
				t.Fatalf("the CA is not published: %q in %q", ca, entries)
			}
		}
	}
	first := published("")
	if _, err := c.Kubectl(t.Context(), "delete", "secret", "podpass-webhook-ca", "-n", namespace); err != nil {
		t.Fatal(err)
	}
	next := published(first)
	entries := func() []string {
		return strings.Fields(get("mutatingwebhookconfiguration", "podpass", "-o", "jsonpath={.webhooks[*].clientConfig.caBundle}"))
	}
	signal := func(s syscall.Signal) {
		t.Helper()
		if err := replica.Signal(s); err != nil {
			t.Fatal(err)
		}
	}
	signal(syscall.SIGSTOP) // or it would mend at once what Helm has spoilt
	for _, step := range [][]string{{"upgrade", "podpass", "../../charts/podpass", "--set", "replicas=3"}, {"rollback", "podpass", "1"}} {
		helm(step...)
		if now := entries(); !trustedBy(t, now, first) || !trustedBy(t, now, next) {
			t.Errorf("after helm %s the registration does not trust both CAs: %q", step[0], now)
		}
	}
	signal(syscall.SIGCONT)
	helm("uninstall", "podpass", "--wait")
	goesWithTheRelease(t, c, namespace)
	if left := get("all,secrets,leases,roles,rolebindings", "-o", "name"); left != "" {
		t.Errorf("left in the namespace: %s", left)
	}
}

// trustedBy reports whether all five entries of a registration have a CA. Both are PEM in
// base64.
func trustedBy(t *testing.T, entries []string, ca string) bool {
	t.Helper()
	plain := func(s string) string {
		b, err := base64.StdEncoding.DecodeString(s)
		if err != nil {
			t.Fatal(err)
		}
		return string(b)
	}
	has := 0
	for _, e := range entries {
		if strings.Contains(plain(e), plain(ca)) {
			has++
		}
	}
	return has == 5
}

// goesWithTheRelease: the garbage collector removes what podpass has made, and a replica
// that still runs does not make it again.
func goesWithTheRelease(t *testing.T, c *cluster.Cluster, namespace string) {
	t.Helper()
	left := func() string {
		out, err := c.Kubectl(t.Context(), "get", "secrets,leases", "-n", namespace, "-o", "name")
		if err != nil {
			t.Fatal(err)
		}
		return out
	}
	for end := time.Now().Add(time.Minute); left() != ""; time.Sleep(200 * time.Millisecond) {
		if time.Now().After(end) {
			t.Fatalf("left without the registration: %s", left())
		}
	}
	time.Sleep(7 * time.Second) // the audit's elector tries again after five
	if again := left(); again != "" {
		t.Errorf("made again: %s", again)
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
func outside(t *testing.T, c *cluster.Cluster, namespace string) *os.Process {
	t.Helper()
	dir := t.TempDir()
	binary, config := filepath.Join(dir, "podpass-webhook"), filepath.Join(dir, "config.yaml")
	if err := program.Build(t.Context(), dir, "."); err != nil {
		t.Fatal(err)
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
	return cmd.Process
}
