package plan

import (
	"bytes"
	"encoding/json"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/podpass-io/podpass/cmd/podpass/internal/migrate/edit"
	"github.com/podpass-io/podpass/cmd/podpass/internal/migrate/graph"
	"github.com/podpass-io/podpass/test/cluster"
	"github.com/podpass-io/podpass/test/statickeys"
)

const settings = `broker: {image: example.com/broker}
gcp: {defaultProvider: projects/123456789012/locations/global/workloadIdentityPools/clusters/providers/prod}
`

// run gives what the command prints.
func run(t *testing.T, args ...string) (stdout []byte, err error) {
	t.Helper()
	cmd := Command("test")
	var out bytes.Buffer
	cmd.SetOut(&out)
	cmd.SetErr(t.Output())
	cmd.SetArgs(args)
	cmd.SilenceErrors, cmd.SilenceUsage = true, true
	err = cmd.ExecuteContext(t.Context())
	return out.Bytes(), err
}

// world is a real API server with the 24 workloads, and as many that only look so.
type world struct {
	*cluster.Cluster
	all []statickeys.Case
}

func newWorld(t *testing.T) *world {
	w := &world{Cluster: cluster.Start(t, cluster.Options{ControlPlaneOnly: true})}
	w.all = slices.Concat(statickeys.Cases("shop"), statickeys.Decoys("shop"))
	statickeys.Define(t, w.Cluster)
	statickeys.Install(t, w.Cluster, "shop", w.all)
	return w
}

// object of the cluster, and its name for kubectl.
func (w *world) object(t *testing.T, o graph.Object) (name string, content map[string]any, raw []byte) {
	t.Helper()
	kind := strings.ToLower(o.Kind)
	if group, version, ok := strings.Cut(o.APIVersion, "/"); ok {
		kind += "." + version + "." + group
	}
	name = kind + "/" + o.Name
	raw = []byte(w.Do(t, "get", "-n", o.Namespace, name, "-o", "json"))
	if err := json.Unmarshal(raw, &content); err != nil {
		t.Fatal(err)
	}
	return name, content, raw
}

// TestClusterMigratePlan: the plan of a real cluster takes the API server's own objects off
// their keys, kubectl's copies of them too, and becomes stale by what matters alone.
func TestClusterMigratePlan(t *testing.T) {
	w := newWorld(t)
	dir := t.TempDir()
	settingsFile := filepath.Join(t.TempDir(), "settings.yaml")
	if err := os.WriteFile(settingsFile, []byte(settings), 0o600); err != nil {
		t.Fatal(err)
	}
	out, err := run(t, "--kubeconfig", w.Kubeconfig, "-n", "shop", "--issuer", "https://oidc.example.com/prod", "--settings", settingsFile,
		"--gcp-service-account", "apps@example-project.iam.gserviceaccount.com",
		"--azure-client-id", "00000000-0000-4000-8000-000000000001", "--azure-tenant-id", "00000000-0000-4000-8000-000000000002", "--output-directory", dir)
	if err != nil {
		t.Fatal(err)
	}
	if want := dir + ": 24 steps, 1 with something to do by hand; begin with " + dir + "/README.md\n"; string(out) != want {
		t.Errorf("%s, want %s", out, want)
	}
	p, err := Read(filepath.Join(dir, Name))
	if err != nil {
		t.Fatal(err)
	}
	if uid := w.Do(t, "get", "namespace", "kube-system", "-o", "jsonpath={.metadata.uid}"); p.Cluster != uid {
		t.Errorf("cluster %s, want %s", p.Cluster, uid)
	}
	err = filepath.WalkDir(dir, func(path string, d os.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		b, err := os.ReadFile(path)
		statickeys.NotShown(t, path, b, w.all)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	for _, s := range p.Steps {
		if (len(s.ByHand) > 0) != (s.Name == "podtemplate-cluster-token") {
			t.Errorf("%s: by hand: %q", s.Name, s.ByHand)
		}
		w.take(t, s)
	}
	w.left(t, map[string]string{
		// The API server lets nobody change their pod templates: apply makes them again.
		"Job": "azure-terraform envfrom", "Pod": "azure-sas connection-url",
	})
}

// take does a step's change, as far as an object can be changed.
func (w *world) take(t *testing.T, s Step) {
	t.Helper()
	name, content, raw := w.object(t, s.Workload)
	if d, err := Digest(content, s.Removals); err != nil || d != s.From {
		t.Errorf("%s: digest %s, want %s, %v", s.Name, d, s.From, err)
	}
	if s.Workload.Kind == "Job" || s.Workload.Kind == "Pod" {
		return
	}
	for _, r := range s.Removals {
		change, err := edit.Patch(raw, r)
		if err != nil || len(change.Left) > 0 {
			t.Errorf("%s: left %q, %v", s.Name, change.Left, err)
		}
		if s.ServiceAccount.New {
			change.Patch = append(change.Patch, edit.Account(raw, r.Template, s.ServiceAccount.Name)...)
		}
		patch, err := json.Marshal(change.Patch)
		if err != nil {
			t.Fatal(err)
		}
		w.Do(t, "patch", "-n", s.Workload.Namespace, name, "--type=json", "-p", string(patch))
	}
	_, content, raw = w.object(t, s.Workload)
	if d, _ := Digest(content, s.Removals); d == s.From {
		t.Errorf("%s: its digest is the same when the key is gone", s.Name)
	}
	statickeys.NotShown(t, s.Name+" as it is then", raw, w.all)
}

// left is who still uses keys, by kind.
func (w *world) left(t *testing.T, want map[string]string) {
	t.Helper()
	dir := filepath.Join(t.TempDir(), "second")
	if _, err := run(t, "--kubeconfig", w.Kubeconfig, "-n", "shop", "--issuer", "https://oidc.example.com/prod", "--output-directory", dir); err != nil {
		t.Fatal(err)
	}
	p, err := Read(filepath.Join(dir, Name))
	if err != nil {
		t.Fatal(err)
	}
	got := map[string]string{}
	for _, s := range p.Steps {
		names := append(strings.Fields(got[s.Workload.Kind]), s.Workload.Name)
		slices.Sort(names)
		got[s.Workload.Kind] = strings.Join(names, " ")
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
}
