package plan

import (
	"bytes"
	"encoding/json"
	"slices"
	"strings"
	"testing"
	"time"

	jsonpatch "gopkg.in/evanphx/json-patch.v4"

	"github.com/podpass-io/podpass/cmd/podpass/internal/migrate/edit"
	"github.com/podpass-io/podpass/cmd/podpass/internal/migrate/graph"
	"github.com/podpass-io/podpass/cmd/podpass/internal/migrate/scan"
	"github.com/podpass-io/podpass/federation/serviceaccount"
	"github.com/podpass-io/podpass/federation/statickey"
	"github.com/podpass-io/podpass/federation/trust"
	"github.com/podpass-io/podpass/test/statickeys"
)

var (
	testKey = []byte("of the tests alone")
	now     = time.Date(2026, 11, 2, 8, 0, 0, 0, time.UTC)
)

// testOptions are those of somebody who names what no key says.
func testOptions() Options {
	return Options{
		Identities: Identities{
			GCPServiceAccount: "apps@example-project.iam.gserviceaccount.com",
			AzureClientID:     "00000000-0000-4000-8000-000000000001", AzureTenantID: "00000000-0000-4000-8000-000000000002",
		},
		Installation: serviceaccount.Installation{GCP: serviceaccount.GCPInstallation{
			DefaultProvider: "projects/123456789012/locations/global/workloadIdentityPools/clusters/providers/prod",
		}},
		Issuers:     []trust.Cluster{{Name: "prod", Issuer: "https://oidc.example.com/prod"}},
		Fingerprint: func(k statickey.Key) string { return k.Fingerprint(testKey) },
		Tool:        "podpass test", Now: now,
	}
}

// collected is what a scan of manifests finds.
func collected(t *testing.T, manifests []byte, o Options) (*graph.Graph, *Inventory) {
	t.Helper()
	c, inventory := scan.New("shop", testKey, now), NewInventory()
	c.Seen = inventory.See
	if err := c.Files(bytes.NewReader(manifests), []string{"-"}, o.Installation); err != nil {
		t.Fatal(err)
	}
	return c.Graph(), inventory
}

func made(t *testing.T, manifests []byte, o Options) *Folder {
	t.Helper()
	g, inventory := collected(t, manifests, o)
	f, err := Make(g, inventory, o)
	if err != nil {
		t.Fatal(err)
	}
	return f
}

// TestCases: of the 24 workloads, each has a step by which a new scan finds no use of its
// key; what no tool can do is listed here.
func TestCases(t *testing.T) {
	byHand := map[string]string{
		"cluster-token": "for this cluster's own API, use the token that Kubernetes mounts",
	}
	cases := statickeys.Cases("shop")
	o := testOptions()
	f := made(t, statickeys.Manifests(cases), o)
	if len(f.Plan.Steps) != len(cases) {
		t.Errorf("%d steps for %d workloads", len(f.Plan.Steps), len(cases))
	}
	for _, c := range cases {
		t.Run(c.Name, func(t *testing.T) {
			kind, name, _ := strings.Cut(c.Workload, " ")
			i := slices.IndexFunc(f.Plan.Steps, func(s Step) bool { return s.Workload.Kind == kind && s.Workload.Name == name })
			if i < 0 {
				t.Fatal("no step")
			}
			s := f.Plan.Steps[i]
			if want, ok := byHand[c.Name]; ok != (len(s.ByHand) > 0) || ok && !strings.Contains(s.ByHand[0], want) {
				t.Errorf("by hand: %q", s.ByHand)
			}
			for j, u := range c.Objects {
				if u.GetKind() == kind {
					c.Objects[j].Object = patched(t, u.Object, s)
				}
			}
			if len(s.ServiceAccount.Annotations) == 0 && byHand[c.Name] == "" {
				t.Error("its ServiceAccount asks for nothing")
			}
			g, _ := collected(t, statickeys.Manifests([]statickeys.Case{c}), o)
			for _, found := range g.Credentials {
				if users(found) > 0 {
					t.Errorf("%s %s is still used: %+v", found.Kind, found.ID, found.Places)
				}
			}
		})
	}
	for name, b := range f.Files {
		statickeys.NotShown(t, name, b, cases)
	}
}

// patched is a workload as a step leaves it.
func patched(t *testing.T, object map[string]any, s Step) map[string]any {
	t.Helper()
	raw, err := json.Marshal(object)
	if err != nil {
		t.Fatal(err)
	}
	for _, r := range s.Removals {
		change, err := edit.Patch(raw, r)
		if err != nil {
			t.Fatal(err)
		}
		raw = applied(t, raw, change.Patch)
	}
	var out map[string]any
	if err := json.Unmarshal(raw, &out); err != nil {
		t.Fatal(err)
	}
	return out
}

func applied(t *testing.T, raw []byte, ops []edit.Op) []byte {
	t.Helper()
	b, err := json.Marshal(ops)
	if err != nil {
		t.Fatal(err)
	}
	p, err := jsonpatch.DecodePatch(b)
	if err != nil {
		t.Fatal(err)
	}
	if raw, err = p.Apply(raw); err != nil {
		t.Fatalf("%v: %s", err, b)
	}
	return raw
}
