package record

import (
	"encoding/json"
	"fmt"
	"log/slog"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/kubernetes/fake"

	"github.com/podpass-io/podpass/cmd/podpass/internal/migrate/graph"
	"github.com/podpass-io/podpass/cmd/podpass/internal/migrate/plan"
)

var start = time.Date(2026, 11, 2, 8, 0, 0, 0, time.UTC)

func step() plan.Step {
	return plan.Step{Name: "job-orders", Workload: graph.Object{APIVersion: "batch/v1", Kind: "Job", Namespace: "shop", Name: "orders"}, From: "sha256:1"}
}

// TestStore: a record comes back as it was kept, with what it holds of keys.
func TestStore(t *testing.T) {
	store := Store{fake.NewClientset()}
	if r, err := store.Load(t.Context(), "shop", "job-orders"); r != nil || err != nil {
		t.Fatalf("%v %v", r, err)
	}
	r := New(step(), start)
	r.Accounts["/spec/template"] = "default"
	if err := store.Save(t.Context(), r); err != nil {
		t.Fatal(err)
	}
	r.To(Changing, start.Add(time.Minute))
	r.Keep([]byte(`["undo"]`), []byte(`{"former":1}`))
	if err := store.Save(t.Context(), r); err != nil {
		t.Fatal(err)
	}
	got, err := store.Load(t.Context(), "shop", "job-orders")
	if err != nil {
		t.Fatal(err)
	}
	if got.Phase != Changing || string(got.Undo()) != `["undo"]` || string(got.Former()) != `{"former":1}` {
		t.Errorf("%s %s %s", got.Phase, got.Undo(), got.Former())
	}
	want := map[Phase]time.Time{Begun: start, Changing: start.Add(time.Minute)}
	if diff := cmp.Diff(want, got.Times); diff != "" {
		t.Error(diff)
	}
	list, err := store.List(t.Context(), "shop")
	if err != nil || len(list) != 1 || Find(list, "job", "orders") == nil || Find(list, "Deployment", "orders") != nil {
		t.Errorf("%d %v", len(list), err)
	}
	if err := store.Delete(t.Context(), r); err != nil {
		t.Fatal(err)
	}
	if err := store.Delete(t.Context(), r); err != nil {
		t.Errorf("it is gone already: %v", err)
	}
}

// TestDoesNotPrint: whatever prints a record, its keys are not there.
func TestDoesNotPrint(t *testing.T) {
	r := New(step(), start)
	r.Keep([]byte("a-key"), []byte("another-key"))
	b, err := json.Marshal(r)
	if err != nil {
		t.Fatal(err)
	}
	var logged strings.Builder
	slog.New(slog.NewTextHandler(&logged, nil)).Info("Record", "record", r)
	for how, text := range map[string]string{"%v": fmt.Sprintf("%v", r), "%+v": fmt.Sprintf("%+v", *r), "%#v": fmt.Sprintf("%#v", *r), "json": string(b), "slog": logged.String()} {
		if strings.Contains(text, "a-key") || strings.Contains(text, "another-key") {
			t.Errorf("%s shows it", how)
		}
	}
}

func TestNotARecord(t *testing.T) {
	for name, secret := range map[string]corev1.Secret{
		"another type":  {Data: map[string][]byte{stateKey: []byte(`{"phase":"done","step":{"name":"job-orders"}}`)}},
		"no state":      {Type: secretType},
		"another phase": {Type: secretType, Data: map[string][]byte{stateKey: []byte(`{"phase":"later","step":{"name":"job-orders"}}`)}},
		"another step":  {Type: secretType, Data: map[string][]byte{stateKey: []byte(`{"phase":"done","step":{"name":"other"}}`)}},
	} {
		t.Run(name, func(t *testing.T) {
			secret.ObjectMeta = metav1.ObjectMeta{Namespace: "shop", Name: "podpass-migrate-job-orders"}
			_, err := Store{fake.NewClientset(&secret)}.Load(t.Context(), "shop", "job-orders")
			if err == nil || err.Error() != "no record of a migration: Secret shop/podpass-migrate-job-orders" {
				t.Error(err)
			}
		})
	}
}

func TestReached(t *testing.T) {
	if !Changing.Reached(Proved) || !Changing.Reached(Changing) || Changing.Reached(Ready) {
		t.Error("the order of the phases")
	}
}
