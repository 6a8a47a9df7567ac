package e2e

import (
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

// shown: without --approve nothing is changed, and what would be is said of each.
func (m *migration) shown(t *testing.T) {
	if err := bed.SetTrust(t.Context(), trustPlan(t, m.keys, m.steps, "env-split")); err != nil {
		t.Fatal(err)
	}
	before := m.state(t)
	out := m.must(t, "apply", m.dir)
	for _, a := range m.apps {
		if !strings.Contains(out, a.Name) {
			t.Errorf("nothing is said of %s", a.Name)
		}
	}
	if d := cmp.Diff(before, m.state(t)); d != "" {
		t.Error("apply without --approve has changed something:", d)
	}
}

// state is all that apply may change: of what has a status, what somebody has asked for.
func (m *migration) state(t *testing.T) string {
	t.Helper()
	get := func(kinds, version string) string {
		return kubectl(t, "get", kinds, "-n", migrated, "-o", `jsonpath={range .items[*]}{.kind} {.metadata.name} {.metadata.uid} {.metadata.`+version+`}{"\n"}{end}`)
	}
	return get("serviceaccounts,secrets,configmaps,podtemplates", "resourceVersion") +
		get("deployments,statefulsets,daemonsets,replicasets,replicationcontrollers,jobs,cronjobs,rollouts.example.com,clusters.example.com,pods", "generation")
}

// stale: a workload that has changed since the plan was made is not touched.
func (m *migration) stale(t *testing.T) {
	const args = "/spec/jobTemplate/spec/template/spec/containers/0/args/"
	patch := func(op string) {
		if _, err := bed.Kubectl(t.Context(), "patch", "cronjob/envfrom-prefix", "-n", migrated, "--type=json", "-p", "["+op+"]"); err != nil {
			t.Fatal(err)
		}
	}
	patch(`{"op": "add", "path": "` + args + `-", "value": "--repeat=0"}`)
	before := m.state(t)
	if status, _, out := m.run(t, "apply", m.dir, m.steps["envfrom-prefix"].Name, "--approve"); status == 0 || !strings.Contains(out, "stale") || !strings.Contains(out, "make the plan again") {
		t.Errorf("a stale plan: status %d: %s", status, out)
	}
	if d := cmp.Diff(before, m.state(t)); d != "" {
		t.Error("a stale step has changed something:", d)
	}
	patch(`{"op": "remove", "path": "` + args + `3"}`)
}

// failing: a workload whose identity the cloud does not trust stays as it is.
func (m *migration) failing(t *testing.T) {
	a := m.named("env-split")[0]
	generation := func() string {
		return kubectl(t, "get", a.ref(), "-n", migrated, "-o", "jsonpath={.metadata.generation} {.spec.template}")
	}
	before := generation()
	status, _, out := m.run(t, "apply", m.dir, m.steps[a.Name].Name, "--approve", "--timeout", "20s")
	if status != 1 || !strings.Contains(out, "AccessDenied") {
		t.Errorf("status %d, and not why: %s", status, out)
	}
	if after := generation(); after != before {
		t.Errorf("the workload has changed: %s", after)
	}
	m.withoutCanaries(t)
	m.seen.await(t, "by its key, after a failed proof", []*migrant{a}, time.Now(), 2, byKey)
	if err := bed.SetTrust(t.Context(), trustPlan(t, m.keys, m.steps, "")); err != nil {
		t.Fatal(err)
	}
}

// withoutCanaries: none stays for longer than it takes to end.
func (m *migration) withoutCanaries(t *testing.T) {
	t.Helper()
	for end := time.Now().Add(20 * time.Second); ; pause(t, 200*time.Millisecond) {
		left := kubectl(t, "get", "pods", "-l", "app.kubernetes.io/managed-by=podpass-migrate", "-n", migrated, "-o", "name")
		if left == "" {
			return
		}
		if time.Now().After(end) {
			t.Errorf("canaries are left: %s", left)
			return
		}
	}
}

// killed: an apply that is killed in its second step goes on in the next run.
func (m *migration) killed(t *testing.T) {
	first, second := m.steps["google-file"], m.steps["google-projected"]
	if first.at > second.at {
		first, second = second, first
	}
	both := []string{"apply", m.dir, first.Name, second.Name, "--approve"}
	cmd, stdout, stderr := m.command(t.Context(), both...)
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	client := bed.Client(t)
	for end := time.Now().Add(time.Minute); ; pause(t, 50*time.Millisecond) {
		if _, err := client.CoreV1().Pods(migrated).Get(t.Context(), "podpass-migrate-"+second.Name, metav1.GetOptions{}); err == nil {
			break
		}
		if time.Now().After(end) {
			t.Fatalf("there is no canary of %s", second.Name)
		}
	}
	if err := cmd.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	_ = cmd.Wait() // it was killed
	m.keep(stdout, stderr)
	began := time.Now()
	if out := m.must(t, both...); strings.Count(out, "note: since ") != 1 {
		t.Errorf("not one step was done before: %s", out)
	}
	m.seen.await(t, "without its key, after a kill", m.named("google-file", "google-projected"), began, 1, m.federated)
}

// all: the rest of the plan; then no key is used any more.
func (m *migration) all(t *testing.T) {
	began := time.Now()
	m.apply(t, slices.DeleteFunc(slices.Clone(m.apps), func(a *migrant) bool { return a.Name == byHand }))
	m.hand(t)
	m.runCronJob(t, "after")
	m.seen.await(t, "without its key", m.apps, began, 1, m.federated)
	before := m.uses(t)
	from := time.Now()
	m.seen.await(t, "without its key, later", m.repeating(), from, 2, m.federated)
	if d := cmp.Diff(before, m.uses(t)); d != "" {
		t.Error("keys are still used:", d)
	}
	m.withoutCanaries(t)
}

// apply walks the steps of some, each by a command of its own: people would do it with one,
// which takes them one after the other.
func (m *migration) apply(t *testing.T, list []*migrant) {
	t.Helper()
	var commands [][]string
	for _, a := range list {
		commands = append(commands, []string{"apply", m.dir, m.steps[a.Name].Name, "--approve"})
	}
	m.each(t, commands)
}

// hand: what no tool does is asked for, and done.
func (m *migration) hand(t *testing.T) {
	t.Helper()
	if status, out, _ := m.run(t, "apply", m.dir, m.steps[byHand].Name, "--approve"); status != 1 || !strings.Contains(out, "use the token that Kubernetes mounts") {
		t.Errorf("%s: status %d, and not what to do: %s", byHand, status, out)
	}
	for _, args := range [][]string{
		{"patch", "podtemplate/" + byHand, "--type=json", "-p", `[{"op": "remove", "path": "/template/spec/volumes"}, {"op": "remove", "path": "/template/spec/containers/0/volumeMounts"}]`},
		{"delete", "secret/" + byHand},
	} {
		if _, err := bed.Kubectl(t.Context(), append(args, "-n", migrated)...); err != nil {
			t.Fatal(err)
		}
	}
}

// repeating are the apps that ask again and again.
func (m *migration) repeating() []*migrant {
	return slices.DeleteFunc(slices.Clone(m.apps), func(a *migrant) bool { return a.once() })
}

func (m *migration) uses(t *testing.T) map[string]int {
	t.Helper()
	uses, err := bed.KeyUses(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	for _, a := range m.apps {
		if a.asks() && uses[a.keyID] == 0 {
			t.Errorf("the key of %s has never been used: it shows nothing that it is no longer", a.Name)
		}
	}
	return uses
}
