package apply

import (
	"bytes"
	"errors"
	"maps"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/podpass-io/podpass/cmd/podpass/internal/exit"
	"github.com/podpass-io/podpass/cmd/podpass/internal/migrate/plan"
	"github.com/podpass-io/podpass/cmd/podpass/internal/migrate/record"
	"github.com/podpass-io/podpass/test/statickeys"
)

// sharedAccount: what one step takes back of a ServiceAccount, another one keeps.
func sharedAccount(t *testing.T, w *world) {
	statickeys.Install(t, w.Cluster, "shared", nil)
	w.Do(t, "create", "-n", "shared", "serviceaccount", "apps")
	w.Do(t, "annotate", "-n", "shared", "serviceaccount/apps", "team=shop")
	var said bytes.Buffer
	r := w.runner(&said)
	var records []*record.Record
	for name, annotations := range map[string]map[string]string{
		"one": {"eks.amazonaws.com/role-arn": "arn:aws:iam::111122223333:role/shop", "podpass.io/aws-region": "eu-central-1"},
		"two": {"azure.workload.identity/client-id": "00000000-0000-4000-8000-000000000001", "podpass.io/aws-region": "eu-central-1"},
	} {
		s := plan.Step{Name: name, ServiceAccount: plan.ServiceAccount{Namespace: "shared", Name: "apps", Annotations: annotations}}
		s.Workload.Namespace = "shared"
		if err := r.annotate(t.Context(), s, false); err != nil {
			t.Fatal(err)
		}
		rec := record.New(s, r.Now())
		if err := r.records().Save(t.Context(), rec); err != nil {
			t.Fatal(err)
		}
		records = append(records, rec)
	}
	slices.SortFunc(records, func(a, b *record.Record) int { return strings.Compare(a.Step.Name, b.Step.Name) })
	for _, want := range [][]string{
		{"azure.workload.identity/client-id", "podpass.io/aws-region", "team"},
		{"team"},
	} {
		rec := records[0]
		records = records[1:]
		if err := errors.Join(r.restoreAccount(t.Context(), rec), r.records().Delete(t.Context(), rec)); err != nil {
			t.Fatal(err)
		}
		a, err := w.client.CoreV1().ServiceAccounts("shared").Get(t.Context(), "apps", metav1.GetOptions{})
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(want, slices.Sorted(maps.Keys(a.Annotations))); diff != "" {
			t.Error(diff)
		}
	}
}

// undoRefused: what has ended is not run again, and nothing is made to read what was deleted.
func undoRefused(t *testing.T, w *world) {
	cases := only(statickeys.Cases("undo"), "env-secret", "envfrom")
	statickeys.Install(t, w.Cluster, "undo", cases)
	p := w.plan(t, "undo")
	var said bytes.Buffer
	r := w.runner(&said)
	if _, err := r.Walk(t.Context(), p, p.Steps); err != nil {
		t.Fatal(err)
	}
	records, err := r.records().List(t.Context(), "undo")
	if err != nil {
		t.Fatal(err)
	}

	w.Do(t, "patch", "-n", "undo", "secret/env-secret", "--type=json", "-p", `[{"op": "remove", "path": "/data/secret-access-key"}]`)
	set := record.Find(records, "StatefulSet", "env-secret")
	before := w.workloads(t, "undo")
	if out, err := r.Undo(t.Context(), set); exit.Status(err) != exit.Findings || out.State != Waits || !strings.Contains(err.Error(), "Secret undo/env-secret has no data secret-access-key any more") {
		t.Errorf("%+v %v", out, err)
	}
	if after := w.workloads(t, "undo"); before != after {
		t.Error("it was changed")
	}

	job := record.Find(records, "Job", "envfrom")
	uid := w.get(t, job.Step.Workload).GetUID()
	w.Do(t, "patch", "-n", "undo", jobPod(t, w), "--subresource=status", "-p", `{"status":{"phase":"Succeeded"}}`)
	w.Do(t, "wait", "-n", "undo", "--for=condition=Complete", "job/envfrom", "--timeout=60s")
	if out, err := r.Undo(t.Context(), job); err != nil || out.State != Done {
		t.Errorf("%+v %v", out, err)
	}
	if now := w.get(t, job.Step.Workload); now.GetUID() != uid || has(now, job) {
		t.Error("the Job has been made again, or names its record still")
	}
}

// jobPod is the pod of the Job envfrom.
func jobPod(t *testing.T, w *world) string {
	t.Helper()
	return strings.TrimSpace(w.Do(t, "get", "-n", "undo", "pod", "-l", "job-name=envfrom", "-o", "name"))
}
