package chart

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/podpass-io/podpass/test/cluster"
)

// limitedPriority is what GKE's API servers are configured with: pods of the system-*
// classes need a ResourceQuota that speaks of them, in whichever namespace.
const limitedPriority = `apiVersion: apiserver.config.k8s.io/v1
kind: AdmissionConfiguration
plugins:
  - name: ResourceQuota
    configuration:
      apiVersion: apiserver.config.k8s.io/v1
      kind: ResourceQuotaConfiguration
      limitedResources:
        - resource: pods
          matchScopes:
            - {scopeName: PriorityClass, operator: In, values: [system-node-critical, system-cluster-critical]}
`

// shared is the one cluster of this package's tests: a control plane.
var shared struct {
	once    sync.Once
	dir     string
	cluster *cluster.Cluster
	err     error
}

func TestMain(m *testing.M) {
	code := m.Run()
	if shared.dir != "" {
		err := cluster.Down(context.Background(), cluster.Options{Dir: filepath.Join(shared.dir, "cluster"), Log: io.Discard})
		if err == nil {
			err = os.RemoveAll(shared.dir)
		}
		if err != nil {
			fmt.Fprintln(os.Stderr, "remove the cluster:", err)
			code = 1
		}
	}
	os.Exit(code)
}

// up is the shared cluster, with the release's namespace.
func up(t *testing.T) *cluster.Cluster {
	t.Helper()
	opts := cluster.Options{ControlPlaneOnly: true, Log: t.Output()}
	cluster.Require(t, opts)
	shared.once.Do(func() {
		if shared.dir, shared.err = os.MkdirTemp("", "podpass-chart-"); shared.err != nil {
			return
		}
		opts.Dir, opts.AdmissionConfig = filepath.Join(shared.dir, "cluster"), filepath.Join(shared.dir, "admission.yaml")
		if shared.err = os.WriteFile(opts.AdmissionConfig, []byte(limitedPriority), 0o600); shared.err != nil {
			return
		}
		if shared.cluster, shared.err = cluster.Up(t.Context(), opts); shared.err == nil {
			_, shared.err = shared.cluster.Kubectl(t.Context(), "create", "namespace", own)
		}
	})
	if shared.err != nil {
		t.Fatal(shared.err)
	}
	return shared.cluster
}

// install runs helm upgrade --install against the cluster, with these values and none of the
// release before, which Helm takes where it is given none.
func install(t *testing.T, c *cluster.Cluster, args ...string) error {
	t.Helper()
	_, err := helm(t, slices.Concat([]string{"upgrade", "--install", "podpass", chartDir, "--kubeconfig", c.Kubeconfig, "--namespace", own, "--reset-values"}, args)...)
	return err
}

// uninstall removes the release.
func uninstall(t *testing.T, c *cluster.Cluster) {
	t.Helper()
	if _, err := helm(t, "uninstall", "podpass", "--kubeconfig", c.Kubeconfig, "--namespace", own, "--ignore-not-found"); err != nil {
		t.Fatal(err)
	}
}

// eventually waits for a minute or two: on a machine that builds other things the control
// plane is slow.
func eventually(t *testing.T, what string, done func() bool) {
	t.Helper()
	for end := time.Now().Add(3 * time.Minute); !done(); time.Sleep(time.Second) {
		if time.Now().After(end) {
			t.Fatalf("not %s after three minutes", what)
		}
	}
}

// certManagerCRDs are the definitions of cert-manager's kinds, as its module has them.
func certManagerCRDs(t *testing.T) []string {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), "go", "mod", "download", "-json", "github.com/cert-manager/cert-manager@v1.21.2")
	cmd.Dir = t.TempDir() // outside of this module, whose go.sum need not know it
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("cert-manager's module: %v: %s", err, out)
	}
	var module struct{ Dir string }
	if err := json.Unmarshal(out, &module); err != nil {
		t.Fatal(err)
	}
	var files []string
	for _, kind := range []string{"issuers", "certificates", "clusterissuers"} {
		files = append(files, filepath.Join(module.Dir, "deploy", "crds", "cert-manager.io_"+kind+".yaml"))
	}
	return files
}

// TestClusterMatrix: a real API server takes all objects of each of the values files, by
// server-side apply as Helm does it, and warns of none.
func TestClusterMatrix(t *testing.T) {
	c := up(t)
	uninstall(t, c) // what another test left would be merged with
	for _, file := range certManagerCRDs(t) {
		if _, err := c.Kubectl(t.Context(), "apply", "--server-side", "-f", file); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := c.Kubectl(t.Context(), "wait", "--for=condition=Established", "crd", "--all", "--timeout=1m"); err != nil {
		t.Fatal(err)
	}
	files := matrix(t)
	for name, values := range files {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			out, err := helm(t, "template", "podpass", chartDir, "--namespace", own, "--kube-version", kubeVersion, "--no-hooks", "--values", values)
			if err != nil {
				t.Fatal(err)
			}
			file := filepath.Join(t.TempDir(), "manifest.yaml")
			if err := os.WriteFile(file, []byte(out), 0o600); err != nil {
				t.Fatal(err)
			}
			applied, err := c.Kubectl(t.Context(), "apply", "--server-side", "--dry-run=server", "--warnings-as-errors", "-f", file)
			if err != nil {
				t.Fatal(err)
			}
			if got, want := strings.Count(applied, "serverside-applied"), len(objects(t, out)); got != want {
				t.Errorf("%d of %d objects applied:\n%s", got, want, applied)
			}
		})
	}
	t.Logf("%d values files", len(files))
}
