package e2e

import (
	"context"
	"encoding/json"
	"maps"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"github.com/podpass-io/podpass/test/cloud/trust"
	"github.com/podpass-io/podpass/test/statickeys"
	"github.com/podpass-io/podpass/test/testbed"
)

// migration is TestMigrate's state.
type migration struct {
	terminal
	apps  []*migrant
	keys  trust.Config // trust in the keys alone
	steps map[string]step
	plans string // the folder of all plans
	dir   string // of the last plan
	seen  *watcher
}

// TestMigrate takes workloads of every kind off their static keys by podpass migrate, and
// some of them back, while the SDKs in them ask their clouds: no request fails.
func TestMigrate(t *testing.T) {
	require(t)
	m := setUpMigration(t)
	for _, part := range []struct {
		name string
		do   func(*testing.T)
	}{
		{"scan", m.scan}, {"plan", m.plan}, {"only shown", m.shown}, {"stale", m.stale}, {"failing proof", m.failing}, {"killed", m.killed},
		{"all", m.all}, {"status", m.status}, {"undo", m.undo}, {"delete", m.delete}, {"zero", m.zero},
	} {
		began := time.Now()
		if !t.Run(part.name, part.do) {
			break
		}
		t.Logf("%s: %.1fs", part.name, time.Since(began).Seconds())
	}
	m.seen.check(t, m.apps)
	m.hidesKeys(t, m.plans, m.apps)
}

func setUpMigration(t *testing.T) *migration {
	t.Helper()
	ctx := context.WithoutCancel(t.Context())
	if err := bed.CreateNamespace(ctx, migrated); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := bed.SetTrust(ctx, bed.Trust()); err != nil {
			t.Error(err)
		}
		if _, err := bed.Kubectl(ctx, "delete", "namespace", migrated, "--wait"); err != nil {
			t.Error(err)
		}
	})
	m := &migration{plans: t.TempDir(), keys: bed.Trust(), steps: map[string]step{}}
	var all []unstructured.Unstructured
	for _, c := range statickeys.Cases(migrated) {
		a := &migrant{Case: c, program: programs[c.Name]}
		a.register(t, &m.keys)
		a.run(t)
		m.apps, all = append(m.apps, a), append(all, a.Objects...)
	}
	if err := bed.SetTrust(ctx, m.keys); err != nil {
		t.Fatal(err)
	}
	setUpCustomResources(t)
	m.seen = watch(t, bed.Client(t))
	began := time.Now()
	if err := bed.Apply(ctx, migrated, objects(t, all)); err != nil {
		t.Fatal(err)
	}
	m.runCronJob(t, "before")
	m.seen.await(t, "by its key", m.apps, began, 2, byKey)
	return m
}

func setUpCustomResources(t *testing.T) {
	t.Helper()
	kinds := objects(t, statickeys.CRDs())
	if err := bed.Apply(t.Context(), "", kinds); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		for _, c := range statickeys.CRDs() {
			if _, err := bed.Kubectl(context.WithoutCancel(t.Context()), "delete", "crd", c.GetName(), "--wait"); err != nil {
				t.Error(err)
			}
		}
	})
	for _, c := range statickeys.CRDs() {
		if _, err := bed.Kubectl(t.Context(), "wait", "--for=condition=Established", "crd/"+c.GetName(), "--timeout=30s"); err != nil {
			t.Fatal(err)
		}
	}
}

// runCronJob makes a job of the CronJob: nobody waits for its hour.
func (m *migration) runCronJob(t *testing.T, job string) {
	t.Helper()
	if _, err := bed.Kubectl(t.Context(), "create", "job", job, "--from=cronjob/envfrom-prefix", "-n", migrated); err != nil {
		t.Fatal(err)
	}
}

// byKey: a request was made with the key that the workload came with. AWS says which it was;
// at the others both are the same identity, and what the SDK was told to use tells.
func byKey(m *migrant, r request) bool {
	return strings.Contains(r.Identity, m.identity) && (m.Cloud == "aws" || !strings.Contains(r.Source, "127.0.0.1"))
}

// federated: a request was made with what podpass's sidecar gave.
func (m *migration) federated(a *migrant, r request) bool {
	identity := a.identity
	if a.Cloud == "aws" {
		identity = "assumed-role/" + migrated + "-" + m.steps[a.Name].ServiceAccount.Name + "/"
	}
	return strings.Contains(r.Identity, identity) && strings.Contains(r.Source, "127.0.0.1")
}

// named are some of the apps.
func (m *migration) named(names ...string) []*migrant {
	return slices.DeleteFunc(slices.Clone(m.apps), func(a *migrant) bool { return !slices.Contains(names, a.Name) })
}

func (m *migration) scan(t *testing.T) {
	status, out, told := m.run(t, "scan", "-o", "json")
	var g struct{ Credentials []struct{ ID string } }
	if err := json.Unmarshal([]byte(out), &g); err != nil || status != 1 {
		t.Fatalf("status %d: %v: %s%s", status, err, out, told)
	}
	var got, want []string
	for _, c := range g.Credentials {
		got = append(got, c.ID)
	}
	for _, a := range m.apps {
		want = append(want, a.ID)
	}
	slices.Sort(got)
	slices.Sort(want)
	if d := cmp.Diff(want, got); d != "" {
		t.Error("keys that were found:", d)
	}
}

func (m *migration) plan(t *testing.T) {
	m.makePlan(t, "plan")
	if len(m.steps) != len(m.apps) {
		t.Errorf("%d steps, want %d", len(m.steps), len(m.apps))
	}
}

// makePlan makes one of all that is left, in a folder of the name.
func (m *migration) makePlan(t *testing.T, name string) {
	t.Helper()
	m.dir = filepath.Join(m.plans, name)
	// The stand-ins reach the bed's issuer, which has an address that no cloud would.
	m.must(t, "plan", "--output-directory", m.dir, "--issuer", "https://oidc.example.com/bed",
		"--gcp-service-account", testbed.GCPAccount, "--azure-client-id", testbed.AzureClient, "--azure-tenant-id", testbed.AzureTenant)
	maps.Copy(m.steps, readPlan(t, m.dir))
}
