package scan

import (
	"testing"
	"time"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/podpass-io/podpass/cmd/podpass/internal/migrate/graph"
)

// TestUnused: a key is marked as unused if all that holds it is, also where the Secret has
// other data that is read.
func TestUnused(t *testing.T) {
	at := metav1.NewTime(time.Date(2026, 11, 2, 8, 0, 0, 0, time.UTC))
	const applied = "annotation " + corev1.LastAppliedConfigAnnotation
	for name, test := range map[string]struct {
		annotations map[string]string
		manager     string
		keys        []string
		want        string
	}{
		"the whole Secret":         {map[string]string{graph.KeyUnused: "2026-11-01T00:00:00Z", graph.KeyUnusedData: "id,key"}, graph.Manager, []string{"key"}, "2026-11-01T00:00:00Z"},
		"its data keys":            {map[string]string{graph.KeyUnusedData: "id,key"}, graph.Manager, []string{"key"}, "2026-11-02T08:00:00Z"},
		"and kubectl's copy of it": {map[string]string{graph.KeyUnusedData: "id,key"}, graph.Manager, []string{applied, "key"}, "2026-11-02T08:00:00Z"},
		"one of two data keys":     {map[string]string{graph.KeyUnusedData: "id"}, graph.Manager, []string{"id", "key"}, ""},
		"kubectl's copy alone":     {map[string]string{graph.KeyUnusedData: "id"}, graph.Manager, []string{applied}, ""},
		"nothing":                  {nil, graph.Manager, []string{"key"}, ""},
		"at no known time":         {map[string]string{graph.KeyUnusedData: "key"}, "kubectl", []string{"key"}, ""},
	} {
		k := keeper{Metadata: metav1.ObjectMeta{Annotations: test.annotations, ManagedFields: []metav1.ManagedFieldsEntry{{Manager: test.manager, Time: &at}}}}
		if got := k.unused(test.keys); got != test.want {
			t.Errorf("%s: %q, want %q", name, got, test.want)
		}
	}
}

// TestForgotten: a workload whose way back has been deleted has none, whatever it still
// says; whoever may not read Secrets, or reads manifests, cannot tell.
func TestForgotten(t *testing.T) {
	for name, test := range map[string]struct {
		record, file, why string
		want              bool
	}{
		"its record is there": {record: "podpass-migrate-orders"},
		"that of another is":  {record: "podpass-migrate-reports", want: true},
		"Secrets are not read": {
			record: "podpass-migrate-reports", why: "you may not list secrets",
		},
		"of a file": {record: "podpass-migrate-reports", file: "orders.yaml"},
	} {
		c := New("shop", []byte("a key of this test"), time.Time{})
		if err := c.Keep([]byte(`{"apiVersion":"v1","kind":"Secret","metadata":{"namespace":"shop","name":"`+test.record+`","labels":{"podpass.io/migration":"x"}}}`), ""); err != nil {
			t.Fatal(err)
		}
		if test.why != "" {
			c.NotRead("Secret", test.why)
		}
		w := graph.Workload{Object: graph.Object{Kind: "Deployment", Namespace: "shop", Name: "orders", File: test.file}, Migration: "podpass-migrate-orders"}
		if got := c.forgotten(w); got != test.want {
			t.Errorf("%s: %t, want %t", name, got, test.want)
		}
	}
}
