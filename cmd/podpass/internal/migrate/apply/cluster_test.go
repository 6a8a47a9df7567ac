package apply

import (
	"bytes"
	"encoding/json"
	"encoding/pem"
	"errors"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/podpass-io/podpass/cmd/podpass/internal/exit"
	"github.com/podpass-io/podpass/cmd/podpass/internal/migrate/graph"
	"github.com/podpass-io/podpass/test/statickeys"
)

func pemOf(der []byte) []byte {
	return pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der})
}

// TestClusterApply walks plans on a real API server.
func TestClusterApply(t *testing.T) {
	w := startWorld(t)
	statickeys.Define(t, w.Cluster)
	t.Run("all kinds there and back", func(t *testing.T) { thereAndBack(t, w) })
	t.Run("killed after each phase", func(t *testing.T) { killed(t, w) })
	t.Run("killed without a Job", func(t *testing.T) { killedWithoutJob(t, w) })
	t.Run("a failing proof", func(t *testing.T) { failingProof(t, w) })
	t.Run("a broker with an error", func(t *testing.T) { failingBroker(t, w) })
	t.Run("kept by Helm", func(t *testing.T) { keptByHelm(t, w) })
	t.Run("refusals", func(t *testing.T) { refusals(t, w) })
	t.Run("rights", func(t *testing.T) { rights(t, w) })
	t.Run("a shared ServiceAccount", func(t *testing.T) { sharedAccount(t, w) })
	t.Run("delete", func(t *testing.T) { deletion(t, w) })
	t.Run("undo refused", func(t *testing.T) { undoRefused(t, w) })
	t.Run("two at a time", func(t *testing.T) { twoAtATime(t, w) })
}

// byHand is the one of the 24 cases that no tool can take off its key.
const byHand = "cluster-token"

func thereAndBack(t *testing.T, w *world) {
	cases := statickeys.Cases("all")
	statickeys.Install(t, w.Cluster, "all", cases)
	// Their pods nobody replaces but apply.
	w.Do(t, "scale", "-n", "all", "--replicas=3", "replicaset/ini-file", "replicationcontroller/json-config")
	p := w.plan(t, "all")
	before := w.templates(t, cases)
	var said, shown bytes.Buffer
	r := w.runner(&said)

	r.Approve = false
	outcomes, err := r.Walk(t.Context(), p, p.Steps)
	if err != nil {
		t.Fatal(err)
	}
	if err := errors.Join(write(&shown, outcomes, "table"), write(&shown, outcomes, "json")); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(before, w.templates(t, cases)); diff != "" {
		t.Errorf("something was changed without --approve")
	}
	for _, o := range outcomes {
		if want := o.Step != p.Steps[0].Name; o.State != ToDo && !strings.Contains(o.Workload, byHand) || len(o.Changes) == 0 && o.State == ToDo && want {
			t.Errorf("%+v", o)
		}
	}

	r.Approve = true
	outcomes, err = r.Walk(t.Context(), p, p.Steps)
	if exit.Status(err) != exit.Findings || !strings.Contains(err.Error(), byHand) {
		t.Fatalf("%v\n%s", err, said.String())
	}
	if err := errors.Join(write(&shown, outcomes, "table"), write(&shown, outcomes, "json")); err != nil {
		t.Fatal(err)
	}
	for _, o := range outcomes {
		if want := map[bool]State{true: Waits, false: Done}[strings.Contains(o.Workload, byHand)]; o.State != want {
			t.Errorf("%s: %s, want %s", o.Workload, o.State, want)
		}
	}
	g := w.collect(t, "all", nil)
	for _, c := range g.Credentials {
		for _, place := range c.Places {
			for _, u := range place.Uses {
				if name := g.Workloads[u.Workload].Name; name != byHand {
					t.Errorf("%s still uses %s of %s", name, c.Kind, place.Object)
				}
			}
		}
	}
	for name, want := range map[string]int{"ini-file": 3, "json-config": 3, "env-secret": 1} {
		if n := w.running(t, p, name); n != want {
			t.Errorf("%d pods of %s run without their key, want %d", n, name, want)
		}
	}
	t.Run("again", func(t *testing.T) {
		again, err := r.Walk(t.Context(), p, p.Steps)
		if exit.Status(err) != exit.Findings || len(again) != len(p.Steps) {
			t.Errorf("%d outcomes, %v", len(again), err)
		}
	})

	records, err := r.records().List(t.Context(), "all")
	if err != nil || len(records) != len(p.Steps)-1 {
		t.Fatalf("%d records, %v", len(records), err)
	}
	for _, rec := range records {
		out, err := r.Undo(t.Context(), rec)
		if err != nil || out.State != Done {
			t.Errorf("%+v: %v", out, err)
		}
		outcomes = append(outcomes, out)
	}
	if err := write(&shown, outcomes, "json"); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(before, w.templates(t, cases)); diff != "" {
		var different []string
		for name, now := range w.templates(t, cases) {
			if !cmp.Equal(now, before[name]) {
				different = append(different, name)
			}
		}
		t.Errorf("not as before: %v", different) // the diff has keys in it
	}
	left(t, w, "all")
	w.mu.Lock()
	canaries, err := json.Marshal(w.seen)
	n := len(w.seen)
	w.mu.Unlock()
	if err != nil || n != len(p.Steps)-1 {
		t.Errorf("%d canaries, %v", n, err)
	}
	statickeys.NotShown(t, "a canary", canaries, cases)
	statickeys.NotShown(t, "what was said", said.Bytes(), cases)
	statickeys.NotShown(t, "what was shown", shown.Bytes(), cases)
}

// left finds what an undo should have taken away.
func left(t *testing.T, w *world, namespace string) {
	t.Helper()
	accounts, err := w.client.CoreV1().ServiceAccounts(namespace).List(t.Context(), metav1.ListOptions{})
	if err != nil {
		t.Fatal(err)
	}
	for _, a := range accounts.Items {
		if a.Labels[managedBy] != "" || asks(a.Annotations) {
			t.Errorf("ServiceAccount %s is left: %v", a.Name, a.Annotations)
		}
	}
	secrets, err := w.client.CoreV1().Secrets(namespace).List(t.Context(), metav1.ListOptions{})
	if err != nil {
		t.Fatal(err)
	}
	for _, s := range secrets.Items {
		if s.Type == graph.KeyMigration || s.Annotations[graph.KeyUnusedData] != "" {
			t.Errorf("Secret %s is left, or its mark", s.Name)
		}
	}
	pods, err := w.client.CoreV1().Pods(namespace).List(t.Context(), metav1.ListOptions{LabelSelector: managedBy})
	if err != nil || len(pods.Items) > 0 {
		t.Errorf("%d canaries are left, %v", len(pods.Items), err)
	}
}
