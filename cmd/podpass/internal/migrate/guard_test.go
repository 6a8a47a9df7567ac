package migrate

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"sigs.k8s.io/yaml"

	"github.com/podpass-io/podpass/cmd/podpass/internal/exit"
	"github.com/podpass-io/podpass/cmd/podpass/internal/migrate/graph"
)

// TestFinished: a namespace in which a key is read, or may be, is not finished; Secrets
// are named of which nothing at all is read.
func TestFinished(t *testing.T) {
	place := func(name, unused string, read bool, uses ...graph.Use) graph.Credential {
		return graph.Credential{Places: []graph.Place{{Object: graph.Object{Kind: "Secret", Namespace: "shop", Name: name}, Unused: unused, Read: read, Uses: uses}}}
	}
	orders := graph.Workload{Object: graph.Object{Kind: "Deployment", Namespace: "shop", Name: "orders"}}
	for name, test := range map[string]struct {
		g    graph.Graph
		want []string
		err  string
	}{
		"nothing":        {},
		"marked":         {g: graph.Graph{Credentials: []graph.Credential{place("b", "2026-05-04", false), place("a", "2026-05-04", false), place("a", "2026-05-04", false)}}, want: []string{"a", "b"}},
		"not marked":     {g: graph.Graph{Credentials: []graph.Credential{place("a", "", false)}}},
		"others of it":   {g: graph.Graph{Credentials: []graph.Credential{place("a", "2026-05-04", true)}}},
		"read":           {g: graph.Graph{Workloads: []graph.Workload{orders}, Credentials: []graph.Credential{place("a", "", true, graph.Use{}, graph.Use{})}}, err: "static keys are read by Deployment shop/orders"},
		"read, unseen":   {g: graph.Graph{Workloads: []graph.Workload{orders}, Unread: []graph.Unread{{What: "Secret shop/x", Uses: []graph.Use{{}}}}}, err: "static keys are read by Deployment shop/orders"},
		"more than read": {g: graph.Graph{Credentials: []graph.Credential{place(strings.Repeat("a", mostUnused+1), "2026-05-04", false)}}, err: "more than the policy reads"},
	} {
		got, err := finished(&test.g)
		if diff := cmp.Diff(test.want, got); diff != "" || (err != nil) != (test.err != "") || err != nil && !strings.Contains(err.Error(), test.err) {
			t.Errorf("%s: %v, %s", name, err, diff)
		}
		if strings.HasPrefix(name, "read") && exit.Status(err) != exit.Findings {
			t.Errorf("%s: exit status %d", name, exit.Status(err))
		}
	}
	b, err := yaml.Marshal(guarded("shop", []string{"a", "b"}))
	if err != nil {
		t.Fatal(err)
	}
	const want = `apiVersion: v1
kind: Namespace
metadata:
  annotations:
    podpass.io/unused-secrets: a,b
  labels:
    podpass.io/static-keys: denied
  name: shop
`
	if diff := cmp.Diff(want, string(b)); diff != "" {
		t.Error(diff)
	}
}
