package main

import (
	"bytes"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/podpass-io/podpass/test/cluster"
	"github.com/podpass-io/podpass/test/statickeys"
	"github.com/podpass-io/podpass/test/testbed"
)

// TestClusterMigrateExamples runs the examples of commands that look at a cluster, and in
// which nothing is changed, on a real API server; guard's first, while its namespace has no
// key.
func TestClusterMigrateExamples(t *testing.T) {
	c := cluster.Start(t, cluster.Options{Dir: filepath.Join(t.TempDir(), "kube"), ControlPlaneOnly: true})
	cases := statickeys.Cases("shop")
	dir := t.TempDir()
	t.Chdir(dir)
	helm, err := testbed.Helm(t.Context(), t.Output())
	if err != nil {
		t.Fatal(err)
	}
	t.Setenv("PATH", filepath.Dir(helm)+":"+filepath.Dir(c.KubectlCommand())+":"+os.Getenv("PATH"))
	t.Setenv("KUBECONFIG", c.Kubeconfig)
	if err := errors.Join(statickeys.Chart("chart", cases), os.Mkdir("deploy", 0o755),
		os.WriteFile("deploy/all.yaml", statickeys.Manifests(cases), 0o600),
		os.WriteFile("key", bytes.Repeat([]byte("k"), 32), 0o600)); err != nil {
		t.Fatal(err)
	}
	statickeys.Install(t, c, "shop", nil)
	migrateExamples(t, "podpass migrate guard", cases)
	if got := c.Do(t, "get", "namespace", "shop", "-o", `jsonpath={.metadata.labels.podpass\.io/static-keys}`); got != "denied" {
		t.Errorf("the namespace's label is %q", got)
	}
	statickeys.Define(t, c)
	c.Apply(t, statickeys.Manifests(cases))
	c.Do(t, "create", "deployment", "orders", "-n", "shop", "--image=registry.example.com/app:1")
	c.Do(t, "set", "env", "deployment/orders", "-n", "shop", "--from=secret/envfrom")
	for _, path := range []string{"podpass migrate", "podpass migrate scan", "podpass migrate status", "podpass migrate plan"} {
		migrateExamples(t, path, cases)
	}
	if out, err := exec.CommandContext(t.Context(), "sh", "-c", "podpass migrate guard -n shop").CombinedOutput(); err == nil || !strings.Contains(string(out), "the namespace is not finished: static keys are read by") {
		t.Errorf("a namespace with keys is taken for finished: %v %s", err, out)
	}
	for name, of := range map[string]string{
		"keys.html": "ini-file", "keys.sarif": "ini-file", "keys.json": "ini-file", "monday.json": "ini-file",
		"migration/plan.yaml": "deployment-orders", "shop-keys/plan.yaml": "ini-file", "chart-keys/plan.yaml": "ini-file", "deploy-keys/plan.yaml": "ini-file",
	} {
		text, err := os.ReadFile(name)
		if err != nil || !strings.Contains(string(text), of) {
			t.Errorf("%s: %v, %d bytes", name, err, len(text))
		}
		statickeys.NotShown(t, name, text, cases)
	}
}

// migrateExamples runs those of a command, of which some find something.
func migrateExamples(t *testing.T, path string, cases []statickeys.Case) {
	t.Helper()
	cmd, _, err := newRoot().Find(strings.Fields(path)[1:])
	if err != nil {
		t.Fatal(err)
	}
	lines := examplesOf(cmd)
	if len(lines) == 0 {
		t.Logf("%s has no examples of its own", path)
	}
	for _, line := range lines {
		run := exec.CommandContext(t.Context(), "sh", "-euc", line)
		out, err := run.CombinedOutput()
		if code := run.ProcessState.ExitCode(); !slices.Contains([]int{0, 1}, code) {
			t.Errorf("%s: %v\n%s", line, err, out)
		}
		statickeys.NotShown(t, line, out, cases)
	}
}
