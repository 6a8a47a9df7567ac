package apply

import (
	"bytes"
	"errors"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/kubernetes/fake"
	"k8s.io/client-go/rest"

	"github.com/podpass-io/podpass/cmd/podpass/internal/cluster"
	"github.com/podpass-io/podpass/cmd/podpass/internal/hint"
	"github.com/podpass-io/podpass/cmd/podpass/internal/migrate/live"
	"github.com/podpass-io/podpass/cmd/podpass/internal/migrate/plan"
	"github.com/podpass-io/podpass/cmd/podpass/internal/migrate/record"
	"github.com/podpass-io/podpass/test/statickeys"
)

// refusals leave everything as it is, but for what the test itself changes.
func refusals(t *testing.T, w *world) {
	for name, test := range map[string]struct {
		namespace string
		change    func(t *testing.T, namespace string, p *plan.Plan)
		says      string
	}{
		"another cluster": {"refuse-cluster", func(_ *testing.T, _ string, p *plan.Plan) { p.Cluster = "other" }, "the plan is for another cluster"},
		"made of files":   {"refuse-files", func(_ *testing.T, _ string, p *plan.Plan) { p.Cluster = "" }, "made of files"},
		"excluded":        {"excluded", func(*testing.T, string, *plan.Plan) {}, "leaves the pods of namespace excluded alone"},
		"stale": {"refuse-stale", func(t *testing.T, namespace string, _ *plan.Plan) {
			w.Do(t, "set", "env", "-n", namespace, "statefulset/env-secret", "MORE=1")
		}, "the plan is stale: the pod template of StatefulSet refuse-stale/env-secret has changed"},
		"gone": {"refuse-gone", func(t *testing.T, namespace string, _ *plan.Plan) {
			w.Do(t, "delete", "-n", namespace, "statefulset/env-secret")
		}, "is not there any more"},
		"partition": {"refuse-partition", func(t *testing.T, namespace string, _ *plan.Plan) {
			w.Do(t, "patch", "-n", namespace, "statefulset/env-secret", "-p", `{"spec":{"updateStrategy":{"rollingUpdate":{"partition":1}}}}`)
		}, "partition 1"},
		"conflict": {"refuse-conflict", func(t *testing.T, namespace string, p *plan.Plan) {
			for key := range p.Steps[0].ServiceAccount.Annotations {
				w.Do(t, "annotate", "-n", namespace, "--field-manager=argocd", "serviceaccount/env-secret", key+"=other")
			}
		}, `conflict with "argocd"`},
	} {
		t.Run(name, func(t *testing.T) {
			cases := only(statickeys.Cases(test.namespace), "env-secret")
			statickeys.Install(t, w.Cluster, test.namespace, cases)
			p := w.plan(t, test.namespace)
			test.change(t, test.namespace, p)
			before := w.workloads(t, test.namespace)
			var said bytes.Buffer
			for _, approve := range []bool{false, true} {
				r := w.runner(&said)
				r.Approve = approve
				_, err := r.Walk(t.Context(), p, p.Steps)
				if err == nil || !strings.Contains(err.Error(), test.says) {
					t.Errorf("approved %t: %v", approve, err)
				}
				if hint.Of(err) == "" {
					t.Errorf("no next step: %v", err)
				}
				statickeys.NotShown(t, "the error", []byte(err.Error()), cases)
			}
			if after := w.workloads(t, test.namespace); before != after {
				t.Error("the workload has been changed")
			}
		})
	}
}

// workloads are the names and generations of a namespace's.
func (w *world) workloads(t *testing.T, namespace string) string {
	t.Helper()
	return w.Do(t, "get", "-n", namespace, "statefulsets,deployments", "-o", `jsonpath={range .items[*]}{.metadata.name} {.metadata.generation}{"\n"}{end}`)
}

func TestNotInstalled(t *testing.T) {
	r := &Runner{Client: fake.NewClientset()}
	if err := r.checkInstallation(t.Context(), []string{"shop"}); !errors.Is(err, cluster.ErrNotInstalled) {
		t.Error(err)
	}
}

// rights that are missing are all said before anything is changed.
func rights(t *testing.T, w *world) {
	cases := only(statickeys.Cases("rights"), "env-literal")
	statickeys.Install(t, w.Cluster, "rights", cases)
	p := w.plan(t, "rights")
	w.Do(t, "create", "clusterrole", "look", "--verb=get,list", "--resource=namespaces,deployments.apps,serviceaccounts,secrets")
	w.Do(t, "create", "clusterrolebinding", "look", "--clusterrole=look", "--user=dana")
	config := rest.CopyConfig(w.config)
	config.Impersonate = rest.ImpersonationConfig{UserName: "dana", Groups: []string{"system:authenticated"}}
	client, err := kubernetes.NewForConfig(config)
	if err != nil {
		t.Fatal(err)
	}
	var said bytes.Buffer
	r := w.runner(&said)
	r.Client = client
	if r.Objects, err = live.Open(client, config); err != nil {
		t.Fatal(err)
	}
	_, err = r.Walk(t.Context(), p, p.Steps)
	if err == nil {
		t.Fatal("it walked")
	}
	list := strings.Split(strings.TrimPrefix(err.Error(), "you may not: "), ", ")
	want := []string{
		"create pods in namespace rights", "create pods/exec in namespace rights", "create secrets in namespace rights", "create serviceaccounts in namespace rights",
		"delete pods in namespace rights", "get pods in namespace rights", "get pods/exec in namespace rights", "get replicasets.apps in namespace rights", "list pods in namespace rights",
		"patch deployments.apps in namespace rights", "patch secrets in namespace rights", "patch serviceaccounts in namespace rights", "update secrets in namespace rights",
	}
	if diff := cmp.Diff(want, list); diff != "" {
		t.Error(diff)
	}
}

// twoAtATime: whoever comes second is told.
func twoAtATime(t *testing.T, w *world) {
	statickeys.Install(t, w.Cluster, "two", nil)
	var said bytes.Buffer
	store := w.runner(&said).records()
	s := plan.Step{Name: "one"}
	s.Workload.Namespace = "two"
	first := record.New(s, metav1.Now().Time)
	if err := store.Save(t.Context(), first); err != nil {
		t.Fatal(err)
	}
	second, err := store.Load(t.Context(), "two", "one")
	if err != nil {
		t.Fatal(err)
	}
	second.To(record.Annotated, metav1.Now().Time)
	if err := store.Save(t.Context(), second); err != nil {
		t.Fatal(err)
	}
	for name, rec := range map[string]*record.Record{"began": record.New(s, metav1.Now().Time), "went on": first} {
		if err := store.Save(t.Context(), rec); err == nil || !strings.Contains(err.Error(), "at the same time") {
			t.Errorf("%s: %v", name, err)
		}
	}
}
