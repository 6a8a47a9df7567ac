package migrate

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	corev1 "k8s.io/api/core/v1"

	"github.com/podpass-io/podpass/cmd/podpass/internal/exit"
	"github.com/podpass-io/podpass/cmd/podpass/internal/migrate/graph"
	"github.com/podpass-io/podpass/cmd/podpass/internal/report"
	"github.com/podpass-io/podpass/test/cluster"
	"github.com/podpass-io/podpass/test/statickeys"
	"github.com/podpass-io/podpass/test/testbed"
)

// run gives what the command prints, and its exit status.
func run(t *testing.T, stdin io.Reader, args ...string) (stdout, stderr []byte, status int) {
	t.Helper()
	cmd := Command("test")
	var out, errs bytes.Buffer
	cmd.SetIn(stdin)
	cmd.SetOut(&out)
	cmd.SetErr(&errs)
	cmd.SetArgs(args)
	cmd.SilenceErrors, cmd.SilenceUsage = true, true
	err := cmd.ExecuteContext(t.Context())
	if err != nil {
		errs.WriteString(err.Error())
	}
	return out.Bytes(), errs.Bytes(), exit.Status(err)
}

// scanned is the graph that a scan prints, which must say that something was found, and
// in no format what.
func scanned(t *testing.T, stdin []byte, cases []statickeys.Case, args ...string) *graph.Graph {
	t.Helper()
	var g graph.Graph
	for _, format := range report.Formats {
		out, errs, status := run(t, bytes.NewReader(stdin), append(args, "-o", format)...)
		if status != exit.Findings {
			t.Fatalf("%s: exit status %d: %s", format, status, errs)
		}
		statickeys.NotShown(t, "standard output as "+format, out, cases)
		statickeys.NotShown(t, "standard error", errs, cases)
		if format == "json" {
			if err := json.Unmarshal(out, &g); err != nil {
				t.Fatal(err)
			}
		}
	}
	return &g
}

// lastApplied is where client-side kubectl apply keeps an object once more.
const lastApplied = "annotation " + corev1.LastAppliedConfigAnnotation

// found is what a graph says, a line for each use: what a Case says of itself.
func found(g *graph.Graph) []string {
	var lines []string
	for _, c := range g.Credentials {
		for _, p := range c.Places {
			keys := slices.DeleteFunc(slices.Clone(p.Keys), func(key string) bool { return key == lastApplied })
			users := map[string]bool{}
			for _, u := range p.Uses {
				w := g.Workloads[u.Workload]
				users[w.Kind+" "+w.Name] = true
			}
			for user := range users {
				lines = append(lines, strings.Join([]string{c.Cloud, string(c.Kind), c.ID, p.Object.Kind + " " + p.Object.Name, strings.Join(keys, ","), user}, " | "))
			}
			if len(users) == 0 {
				lines = append(lines, "unused: "+c.ID+" in "+p.Object.String())
			}
		}
	}
	slices.Sort(lines)
	return lines
}

func expected(cases []statickeys.Case) []string {
	var lines []string
	for _, c := range cases {
		lines = append(lines, strings.Join([]string{c.Cloud, c.Kind, c.ID, c.Object, c.Key, c.Workload}, " | "))
	}
	slices.Sort(lines)
	return lines
}

func both(namespace string) (cases, all []statickeys.Case) {
	cases = statickeys.Cases(namespace)
	return cases, append(slices.Clone(cases), statickeys.Decoys(namespace)...)
}

// TestScanManifests: of 24 workloads with a static key and 24 with what looks like one, the
// 24 are found and nothing else; from a stream, from a file each in folders, and from what
// helm renders of a chart.
func TestScanManifests(t *testing.T) {
	cases, all := both("shop")
	check := func(t *testing.T, g *graph.Graph) {
		t.Helper()
		if diff := cmp.Diff(expected(cases), found(g)); diff != "" || len(g.Credentials) != 24 {
			t.Errorf("%d credentials: %s", len(g.Credentials), diff)
		}
		if len(g.Unread) > 0 {
			t.Errorf("not read: %v", g.Unread)
		}
	}
	t.Run("stream", func(t *testing.T) {
		check(t, scanned(t, statickeys.Manifests(all), all, "scan", "-f", "-"))
	})
	t.Run("folder", func(t *testing.T) {
		dir := t.TempDir()
		for _, c := range all {
			file := filepath.Join(dir, c.Name[:1], c.Name+".yaml")
			if err := errors.Join(os.MkdirAll(filepath.Dir(file), 0o755), os.WriteFile(file, statickeys.Manifests([]statickeys.Case{c}), 0o600)); err != nil {
				t.Fatal(err)
			}
		}
		check(t, scanned(t, nil, all, "scan", "-f", dir))
	})
	t.Run("chart", func(t *testing.T) {
		dir := t.TempDir()
		if err := statickeys.Chart(dir, all); err != nil {
			t.Fatal(err)
		}
		helm, err := testbed.Helm(t.Context(), t.Output())
		if err != nil {
			t.Fatal(err)
		}
		cmd := exec.CommandContext(t.Context(), helm, "template", "shop", dir)
		rendered, err := cmd.Output()
		if err != nil {
			t.Fatal(err)
		}
		check(t, scanned(t, rendered, all, "scan", "-f", "-"))
		// The chart itself has them in its values, which no object reads.
		g := scanned(t, nil, all, "scan", "-f", dir)
		for _, c := range g.Credentials {
			if len(c.Places) != 1 || c.Places[0].Object.Kind != "File" || filepath.Base(c.Places[0].Object.Name) != "values.yaml" {
				t.Errorf("%s %s is in %v", c.Kind, c.ID, c.Places)
			}
		}
	})
}

// TestClusterMigrateScan: the same of a real API server, whatever the user may read.
func TestClusterMigrateScan(t *testing.T) {
	c := cluster.Start(t, cluster.Options{ControlPlaneOnly: true})
	cases, all := both("shop")
	statickeys.Define(t, c)
	statickeys.Install(t, c, "shop", all)

	g := scanned(t, nil, all, "scan", "-A", "--kubeconfig", c.Kubeconfig)
	if diff := cmp.Diff(expected(cases), found(g)); diff != "" || len(g.Credentials) != 24 {
		t.Errorf("%d credentials: %s", len(g.Credentials), diff)
	}
	for _, cr := range g.Credentials {
		for _, p := range cr.Places {
			if p.Created.IsZero() || p.Writer == "" || p.Written.IsZero() {
				t.Errorf("%s in %s: made %s, written by %q %s", cr.ID, p.Object, p.Created, p.Writer, p.Written)
			}
		}
	}

	// Somebody who may see nothing: that nothing was found says nothing.
	if _, errs, status := run(t, nil, "scan", "-A", "--kubeconfig", c.Kubeconfig, "--as", "nobody"); status != exit.CouldNotRun || !strings.Contains(string(errs), "not all could be looked at: all of ") {
		t.Errorf("whoever may read nothing gets exit status %d: %s", status, errs)
	}
	if _, errs, status := run(t, nil, "guard", "-n", "shop", "--kubeconfig", c.Kubeconfig, "--as", "nobody"); status != exit.CouldNotRun {
		t.Errorf("whoever may read nothing guards, with exit status %d: %s", status, errs)
	}

	// Somebody who may see all but Secrets and the schemas of custom resources.
	c.Do(t, "create", "clusterrole", "viewer", "--verb=get,list", "--resource=pods,deployments.apps,statefulsets.apps,daemonsets.apps,replicasets.apps,jobs.batch,cronjobs.batch,podtemplates,replicationcontrollers,serviceaccounts,configmaps,rollouts.example.com,clusters.example.com")
	c.Do(t, "create", "clusterrolebinding", "viewer", "--clusterrole=viewer", "--user=viewer")
	g = scanned(t, nil, all, "scan", "-n", "shop", "--kubeconfig", c.Kubeconfig, "--as", "viewer")
	inSecrets := 0
	for _, one := range cases {
		if strings.HasPrefix(one.Object, "Secret ") {
			inSecrets++
		}
	}
	if len(g.Credentials) != 24-inSecrets {
		t.Errorf("%d credentials without the right to read Secrets, want %d", len(g.Credentials), 24-inSecrets)
	}
	unread := map[string]bool{}
	for _, u := range g.Unread {
		unread[u.What] = true
		if u.What == "Secret shop/env-secret" && (len(u.Uses) == 0 || !strings.Contains(u.Why, "you may not list secrets")) {
			t.Errorf("%+v", u)
		}
	}
	for _, what := range []string{"all of Secret", "Secret shop/env-secret", "Secret shop/google-file", "Secret shop/azure-secret"} {
		if !unread[what] {
			t.Errorf("nothing is said of %s, which could not be read: %v", what, g.Unread)
		}
	}
}
