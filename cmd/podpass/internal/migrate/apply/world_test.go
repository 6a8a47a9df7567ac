package apply

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/rest"

	"github.com/podpass-io/podpass/cmd/podpass/internal/migrate/graph"
	"github.com/podpass-io/podpass/cmd/podpass/internal/migrate/live"
	"github.com/podpass-io/podpass/cmd/podpass/internal/migrate/plan"
	"github.com/podpass-io/podpass/cmd/podpass/internal/migrate/rollout"
	"github.com/podpass-io/podpass/cmd/podpass/internal/migrate/scan"
	"github.com/podpass-io/podpass/federation/finding"
	"github.com/podpass-io/podpass/federation/serviceaccount"
	"github.com/podpass-io/podpass/federation/statickey"
	"github.com/podpass-io/podpass/federation/trust"
	"github.com/podpass-io/podpass/test/cluster"
	"github.com/podpass-io/podpass/test/statickeys"
	"github.com/podpass-io/podpass/webhook/inject"
)

const brokerImage = "registry.example.com/podpass-broker:test"

// world is a real API server with its controllers, a webhook that marks pods as podpass's
// does, and somebody who plays kubelet.
type world struct {
	*cluster.Cluster
	client  kubernetes.Interface
	config  *rest.Config
	objects *live.Objects

	mu sync.Mutex
	// refused are namespaces in which the broker of a canary is refused by its cloud.
	refused map[string]bool
	// lags is how many pods of a namespace the webhook lets pass before it knows.
	lags map[string]int
	// seen are the canaries that were made.
	seen map[string]*corev1.Pod
}

func startWorld(t *testing.T) *world {
	t.Helper()
	w := &world{Cluster: cluster.Start(t, cluster.Options{ControlPlaneOnly: true}), refused: map[string]bool{}, lags: map[string]int{}, seen: map[string]*corev1.Pod{}}
	w.client, w.config = w.Client(t), w.Config(t)
	var err error
	if w.objects, err = live.Open(w.client, w.config); err != nil {
		t.Fatal(err)
	}
	w.register(t)
	ctx, stop := context.WithCancel(context.WithoutCancel(t.Context()))
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		w.kubelet(ctx)
	}()
	t.Cleanup(func() {
		stop()
		<-ended
	})
	return w
}

var fingerprintKey = []byte("of the tests alone")

// collect scans a namespace.
func (w *world) collect(t *testing.T, namespace string, seen func(graph.Object, map[string]any)) *graph.Graph {
	t.Helper()
	c := scan.New(namespace, fingerprintKey, time.Now())
	c.Seen = seen
	if err := c.Cluster(t.Context(), scan.Cluster{Client: w.client, Installation: installation(), Namespace: namespace, Say: func(string, ...any) {}}); err != nil {
		t.Fatal(err)
	}
	return c.Graph()
}

func installation() serviceaccount.Installation {
	return serviceaccount.Installation{GCP: serviceaccount.GCPInstallation{
		DefaultProvider: "projects/123456789012/locations/global/workloadIdentityPools/clusters/providers/prod",
	}}
}

// plan of a namespace's workloads.
func (w *world) plan(t *testing.T, namespace string) *plan.Plan {
	t.Helper()
	system, err := w.client.CoreV1().Namespaces().Get(t.Context(), metav1.NamespaceSystem, metav1.GetOptions{})
	if err != nil {
		t.Fatal(err)
	}
	inventory := plan.NewInventory()
	g := w.collect(t, namespace, inventory.See)
	folder, err := plan.Make(g, inventory, plan.Options{
		Identities: plan.Identities{
			GCPServiceAccount: "apps@example-project.iam.gserviceaccount.com",
			AzureClientID:     "00000000-0000-4000-8000-000000000001", AzureTenantID: "00000000-0000-4000-8000-000000000002",
		},
		Installation: installation(),
		Issuers:      []trust.Cluster{{Name: "prod", Issuer: "https://oidc.example.com/prod"}},
		Fingerprint:  func(k statickey.Key) string { return k.Fingerprint(fingerprintKey) },
		Cluster:      string(system.UID), Tool: "podpass test", Now: time.Now().UTC().Truncate(time.Second),
	})
	if err != nil {
		t.Fatal(err)
	}
	return folder.Plan
}

// runner walks; what it says is kept in said.
func (w *world) runner(said *bytes.Buffer) *Runner {
	return &Runner{
		Client: w.client, Objects: w.objects, Approve: true, Timeout: 30 * time.Second, Now: time.Now, poll: 50 * time.Millisecond,
		Settings: inject.Settings{Installation: installation(), Broker: inject.BrokerSettings{Image: brokerImage}},
		Explain:  func(context.Context, string, string) ([]finding.Finding, error) { return nil, nil },
		Say:      func(format string, args ...any) { fmt.Fprintf(said, format+"\n", args...) },
	}
}

// templates of the workloads in a namespace as they are, by the workload.
func (w *world) templates(t *testing.T, cases []statickeys.Case) map[string]any {
	t.Helper()
	all := map[string]any{}
	for _, c := range cases {
		u := w.get(t, workloadIn(c))
		all[c.Name] = essence(u)
	}
	return all
}

// running is how many pods of the workload of a name are ready, all of them without the key.
func (w *world) running(t *testing.T, p *plan.Plan, name string) (n int) {
	t.Helper()
	at := slices.IndexFunc(p.Steps, func(s plan.Step) bool { return s.Workload.Name == name })
	pods, err := w.client.CoreV1().Pods(p.Steps[at].Workload.Namespace).List(t.Context(), metav1.ListOptions{LabelSelector: "app=" + name})
	if err != nil {
		t.Fatal(err)
	}
	for i := range pods.Items {
		if has, err := rollout.Has(&pods.Items[i], p.Steps[at].Removals); err != nil || has {
			t.Errorf("pod %s has the key: %v", pods.Items[i].Name, err)
		}
		if pods.Items[i].Status.Phase == corev1.PodRunning {
			n++
		}
	}
	return n
}

// workloadIn is the workload among a case's objects.
func workloadIn(c statickeys.Case) graph.Object {
	kind, name, _ := strings.Cut(c.Workload, " ")
	for _, u := range c.Objects {
		if u.GetKind() == kind && u.GetName() == name {
			return graph.Object{APIVersion: u.GetAPIVersion(), Kind: kind, Namespace: u.GetNamespace(), Name: name}
		}
	}
	panic("a case without its workload: " + c.Name)
}

func (w *world) get(t *testing.T, o graph.Object) *unstructured.Unstructured {
	t.Helper()
	u, err := w.objects.Get(t.Context(), o)
	if err != nil || u == nil {
		t.Fatalf("%s: %v", o, err)
	}
	return u
}

// essence of an object is what somebody has applied.
func essence(u *unstructured.Unstructured) any {
	u = applicable(u)
	annotations := u.GetAnnotations()
	for key := range annotations {
		if strings.HasPrefix(key, "deployment.kubernetes.io/") || strings.HasPrefix(key, "deprecated.daemonset") {
			delete(annotations, key)
		}
	}
	u.SetAnnotations(annotations)
	b, err := json.Marshal(u.Object)
	if err != nil {
		panic(err)
	}
	var out any
	if err := json.Unmarshal(b, &out); err != nil {
		panic(err)
	}
	return out
}

func secret(namespace, name string) graph.Object {
	return graph.Object{APIVersion: "v1", Kind: "Secret", Namespace: namespace, Name: name}
}

// refusedByCloud is what a broker explains that its cloud refuses.
func refusedByCloud(context.Context, string, string) ([]finding.Finding, error) {
	return []finding.Finding{{Code: "WI141", Severity: finding.Error, Where: "pod", Message: "AccessDenied"}}, nil
}

// only are cases by name.
func only(cases []statickeys.Case, names ...string) []statickeys.Case {
	return slices.DeleteFunc(cases, func(c statickeys.Case) bool { return !slices.Contains(names, c.Name) })
}
