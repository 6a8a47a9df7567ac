package apply

import (
	"bytes"
	"context"
	"errors"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/podpass-io/podpass/cmd/podpass/internal/exit"
	"github.com/podpass-io/podpass/cmd/podpass/internal/hint"
	"github.com/podpass-io/podpass/cmd/podpass/internal/migrate/plan"
	"github.com/podpass-io/podpass/cmd/podpass/internal/migrate/record"
	"github.com/podpass-io/podpass/test/statickeys"
)

// killed: after each phase, a walk that is killed goes on, and can be taken back.
func killed(t *testing.T, w *world) {
	for _, phase := range []record.Phase{record.Begun, record.Annotated, record.Proved, record.Changing, record.Ready} {
		t.Run(string(phase), func(t *testing.T) {
			namespace := "killed-" + string(phase)
			// A Deployment, and a Job, which is made again.
			cases := only(statickeys.Cases(namespace), "env-literal", "envfrom")
			statickeys.Install(t, w.Cluster, namespace, cases)
			p := w.plan(t, namespace)
			before := w.templates(t, cases)
			for _, s := range p.Steps {
				var said bytes.Buffer
				kill := func() *record.Record {
					ctx, cancel := context.WithCancel(t.Context())
					defer cancel()
					r := w.runner(&said)
					r.reached = func(_ string, reached record.Phase) {
						if reached == phase {
							cancel()
						}
					}
					_, err := r.Walk(ctx, p, []plan.Step{s})
					if !errors.Is(err, context.Canceled) {
						t.Fatalf("%v\n%s", err, said.String())
					}
					rec, err := r.records().Load(t.Context(), namespace, s.Name)
					if err != nil || rec == nil || rec.Phase != phase {
						t.Fatalf("%+v, %v", rec, err)
					}
					return rec
				}
				r := w.runner(&said)
				if out, err := r.Undo(t.Context(), kill()); err != nil || out.State != Done {
					t.Fatalf("undo: %+v, %v", out, err)
				}
				kill()
				outcomes, err := r.Walk(t.Context(), p, []plan.Step{s})
				if err != nil || outcomes[0].State != Done {
					t.Fatalf("%+v, %v", outcomes, err)
				}
				rec, err := r.records().Load(t.Context(), namespace, s.Name)
				if err != nil {
					t.Fatal(err)
				}
				if out, err := r.Undo(t.Context(), rec); err != nil || out.State != Done {
					t.Fatalf("undo: %+v, %v", out, err)
				}
			}
			if !cmp.Equal(before, w.templates(t, cases)) {
				t.Error("not as before")
			}
			left(t, w, namespace)
		})
	}
}

// killedWithoutJob: also where a walk was killed when the former Job was gone, and the next
// one not there yet, it goes on, and can be taken back.
func killedWithoutJob(t *testing.T, w *world) {
	for name, next := range map[string]func(*Runner, *plan.Plan, *record.Record) error{
		"goes on": func(r *Runner, p *plan.Plan, _ *record.Record) error {
			_, err := r.Walk(t.Context(), p, p.Steps)
			return err
		},
		"is taken back": func(r *Runner, _ *plan.Plan, rec *record.Record) error {
			_, err := r.Undo(t.Context(), rec)
			return err
		},
	} {
		t.Run(name, func(t *testing.T) {
			namespace := "gap-" + strings.ReplaceAll(name, " ", "-")
			cases := only(statickeys.Cases(namespace), "envfrom")
			statickeys.Install(t, w.Cluster, namespace, cases)
			p := w.plan(t, namespace)
			var said bytes.Buffer
			ctx, cancel := context.WithCancel(t.Context())
			defer cancel()
			r := w.runner(&said)
			r.reached = func(_ string, phase record.Phase) {
				if phase == record.Changing {
					cancel()
				}
			}
			if _, err := r.Walk(ctx, p, p.Steps); !errors.Is(err, context.Canceled) {
				t.Fatal(err)
			}
			w.Do(t, "delete", "-n", namespace, "job/envfrom")
			rec, err := r.records().Load(t.Context(), namespace, p.Steps[0].Name)
			if err != nil {
				t.Fatal(err)
			}
			if err := next(w.runner(&said), p, rec); err != nil {
				t.Fatal(err)
			}
			w.get(t, rec.Step.Workload)
		})
	}
}

// failingProof: the workload is not touched, and the canary is gone.
func failingProof(t *testing.T, w *world) {
	cases := only(statickeys.Cases("refused"), "env-literal")
	statickeys.Install(t, w.Cluster, "refused", cases)
	p := w.plan(t, "refused")
	before := w.templates(t, cases)
	w.mu.Lock()
	w.refused["refused"], w.lags["refused"] = true, 2
	w.mu.Unlock()
	var said bytes.Buffer
	r := w.runner(&said)
	outcomes, err := r.Walk(t.Context(), p, p.Steps)
	if exit.Status(err) != exit.Findings || !strings.Contains(err.Error(), "AccessDenied") || len(outcomes) != 1 || outcomes[0].State != Stopped {
		t.Fatalf("%+v %v", outcomes, err)
	}
	if !cmp.Equal(before, w.templates(t, cases)) {
		t.Error("the workload has been changed")
	}
	pods, err := w.client.CoreV1().Pods("refused").List(t.Context(), metav1.ListOptions{LabelSelector: managedBy})
	if err != nil || len(pods.Items) > 0 {
		t.Errorf("%d canaries are left, %v", len(pods.Items), err)
	}
	w.mu.Lock()
	delete(w.refused, "refused")
	w.mu.Unlock()
	if outcomes, err = r.Walk(t.Context(), p, p.Steps); err != nil || outcomes[0].State != Done {
		t.Errorf("it does not go on: %+v %v", outcomes, err)
	}
}

// failingBroker stops a step after its rollout, and it goes on from there.
func failingBroker(t *testing.T, w *world) {
	cases := only(statickeys.Cases("broker"), "env-literal")
	statickeys.Install(t, w.Cluster, "broker", cases)
	p := w.plan(t, "broker")
	var said bytes.Buffer
	r := w.runner(&said)
	r.Explain = refusedByCloud
	outcomes, err := r.Walk(t.Context(), p, p.Steps)
	if exit.Status(err) != exit.Findings || outcomes[0].State != Stopped || !strings.Contains(err.Error(), "AccessDenied") {
		t.Fatalf("%+v %v", outcomes, err)
	}
	if hint.Of(err) != "run the same again to go on, or podpass migrate undo deployment/env-literal -n broker --approve" {
		t.Errorf("%v", err)
	}
	rec, err := r.records().Load(t.Context(), "broker", p.Steps[0].Name)
	if err != nil || rec.Phase != record.Changing {
		t.Fatalf("%+v %v", rec, err)
	}
	if outcomes, err = w.runner(&said).Walk(t.Context(), p, p.Steps); err != nil || outcomes[0].State != Done {
		t.Errorf("%+v %v", outcomes, err)
	}
}

// keptByHelm: what Helm keeps is not patched; when its owner has done it, apply goes on.
func keptByHelm(t *testing.T, w *world) {
	cases := only(statickeys.Cases("helm"), "env-secret")
	statickeys.Install(t, w.Cluster, "helm", cases)
	w.Do(t, "annotate", "-n", "helm", "statefulset/env-secret", "meta.helm.sh/release-name=shop")
	p := w.plan(t, "helm")
	s := p.Steps[0]
	if s.Manager != "Helm release shop" {
		t.Fatalf("manager %q", s.Manager)
	}
	before := w.workloads(t, "helm")
	var said bytes.Buffer
	r := w.runner(&said)
	for range 2 {
		outcomes, err := r.Walk(t.Context(), p, p.Steps)
		if exit.Status(err) != exit.Findings || outcomes[0].State != Waits || !strings.Contains(outcomes[0].Notes[0], "Helm release shop keeps it") {
			t.Fatalf("%+v %v", outcomes, err)
		}
	}
	if after := w.workloads(t, "helm"); before != after {
		t.Error("what Helm keeps has been changed")
	}
	object, err := w.get(t, s.Workload).MarshalJSON()
	if err != nil {
		t.Fatal(err)
	}
	c, err := changeOf(object, s)
	if err != nil {
		t.Fatal(err)
	}
	if err := w.objects.Patch(t.Context(), s.Workload, c.ops[:len(c.ops)-1], false); err != nil { // but for the record's name
		t.Fatal(err)
	}
	outcomes, err := r.Walk(t.Context(), p, p.Steps)
	if err != nil || outcomes[0].State != Done {
		t.Fatalf("%+v %v", outcomes, err)
	}

	rec, err := r.records().Load(t.Context(), "helm", s.Name)
	if err != nil {
		t.Fatal(err)
	}
	if out, err := r.Undo(t.Context(), rec); exit.Status(err) != exit.Findings || out.State != Waits {
		t.Errorf("its identity is taken from a workload without a key: %+v %v", out, err)
	}
	w.Apply(t, statickeys.Manifests(cases))
	if out, err := r.Undo(t.Context(), rec); err != nil || out.State != Done {
		t.Errorf("%+v %v", out, err)
	}
	left(t, w, "helm")
}
