package e2e

import (
	"encoding/json"
	"maps"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

// progress is what is read of podpass migrate status.
type progress struct {
	Counts map[string]int
	Left   []struct {
		Place, Since string
		Kept         bool
	}
	Unread []string
}

// progress asks for it; status is the command's.
func (m *migration) progress(t *testing.T) (status int, p progress) {
	t.Helper()
	status, out, told := m.run(t, "status", "-o", "json")
	if err := json.Unmarshal([]byte(out), &p); err != nil {
		t.Fatalf("%v: %s%s", err, out, told)
	}
	maps.DeleteFunc(p.Counts, func(_ string, n int) bool { return n == 0 })
	if len(p.Unread) > 0 {
		t.Errorf("not read: %v", p.Unread)
	}
	return status, p
}

// status: nothing is left but what is kept for the way back, and what is marked as unused.
func (m *migration) status(t *testing.T) {
	status, p := m.progress(t)
	if d := cmp.Diff(map[string]int{"federated": len(m.apps) - 1}, p.Counts); d != "" || status != 1 {
		t.Errorf("status %d; workloads by state: %s", status, d)
	}
	for _, l := range p.Left {
		if l.Since == "" && !l.Kept {
			object, _, _ := strings.Cut(l.Place, ":")
			t.Errorf("%s is left, neither marked as unused nor kept for the way back; of it was said:\n%s", l.Place, m.of(object))
		}
	}
}

// undone are workloads of each kind, one of Google's among them.
func (m *migration) undone() []*migrant {
	return m.named("env-literal", "env-secret", "env-split", "envfrom", "envfrom-prefix", "ini-file", "json-config", "connection-url", "s3-settings", "arguments", "annotation", "google-file")
}

// undo: one of each kind gets its key back, and uses it.
func (m *migration) undo(t *testing.T) {
	back := m.undone()
	kinds := map[string]bool{}
	for _, a := range back {
		kinds[a.kind()] = true
	}
	for _, a := range m.apps {
		if !kinds[a.kind()] {
			t.Errorf("no %s is taken back", a.kind())
		}
	}
	before := m.uses(t)
	began := time.Now()
	var commands [][]string
	for _, a := range back {
		commands = append(commands, []string{"undo", a.ref(), "--approve"})
	}
	m.each(t, commands)
	m.runCronJob(t, "again")
	m.seen.await(t, "by its key again", back, began, 2, byKey)
	after := m.uses(t)
	for _, a := range m.apps {
		if again := after[a.keyID] > before[a.keyID]; a.asks() && again != slices.Contains(back, a) {
			t.Errorf("%s: its key was used %d times before undo, and then %d", a.Name, before[a.keyID], after[a.keyID])
		}
	}
}

// delete: what is marked as unused goes, and what is read again does not.
func (m *migration) delete(t *testing.T) {
	const unused, read = "secret/google-projected", "secret/env-secret"
	m.must(t, "delete", unused, "--approve")
	if left := kubectl(t, "get", unused, "-n", migrated, "--ignore-not-found", "-o", "name"); left != "" {
		t.Errorf("%s is still there", unused)
	}
	if status, _, out := m.run(t, "delete", read, "--approve"); status != 1 || !strings.Contains(out, "not marked") {
		t.Errorf("%s: status %d: %s", read, status, out)
	}
	if left := kubectl(t, "get", read, "-n", migrated, "-o", "name"); strings.TrimSpace(left) != read {
		t.Errorf("%s has gone: %s", read, left)
	}
	m.seen.await(t, "without its Secret", m.named("google-projected"), time.Now(), 2, m.federated)
}

// zero: those that were taken back go again, by another plan; what is left of all is
// deleted, and nothing is left to do.
func (m *migration) zero(t *testing.T) {
	m.makePlan(t, "again")
	m.apply(t, m.undone())
	if _, err := bed.Kubectl(t.Context(), "delete", "secrets", "-l", "podpass.io/migration", "-n", migrated); err != nil {
		t.Fatal(err)
	}
	_, p := m.progress(t)
	var commands [][]string
	for _, l := range p.Left {
		object, _, _ := strings.Cut(l.Place, ":")
		kind, name, _ := strings.Cut(object, " "+migrated+"/")
		commands = append(commands, []string{"delete", strings.ToLower(kind) + "/" + name, "--approve"})
	}
	m.each(t, commands)
	status, p := m.progress(t)
	if d := cmp.Diff(map[string]int{"done": len(m.apps) - 1}, p.Counts); d != "" || status != 0 || len(p.Left) > 0 {
		t.Errorf("status %d; workloads by state: %s; left: %v", status, d, p.Left)
	}
	m.seen.await(t, "when nothing is left of the keys", m.repeating(), time.Now(), 2, m.federated)
}
