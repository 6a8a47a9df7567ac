package policies

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	admissionregistrationv1 "k8s.io/api/admissionregistration/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/client-go/dynamic"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/rest"

	"github.com/podpass-io/podpass/test/cluster"
)

// server is a real API server, and what it warned of.
type server struct {
	*cluster.Cluster
	config   *rest.Config
	client   kubernetes.Interface
	warnings *warnings
}

type warnings struct {
	mu   sync.Mutex
	list []string
}

// HandleWarningHeader keeps a warning.
func (w *warnings) HandleWarningHeader(_ int, _, text string) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.list = append(w.list, text)
}

// take gives what there was since the last time.
func (w *warnings) take() []string {
	w.mu.Lock()
	defer w.mu.Unlock()
	list := w.list
	w.list = nil
	return list
}

// namespaces of the tests, with their labels.
var namespaces = map[string]map[string]string{
	"shop": {}, "shop-1": {}, "other": {}, "vault": {}, "listed": {}, "trusted": {}, "payments-gcp": {},
	"payments":      {"team": "payments", "stage": "prod"},
	"shop-payments": {"team": "payments", "stage": "test"},
	"frozen":        {"team": "payments", "stage": "prod", "frozen": ""},
	"keyless":       {"podpass.io/static-keys": "denied"},
}

// start gives an API server with the namespaces, and in each its default ServiceAccount.
func start(t testing.TB) *server {
	t.Helper()
	s := &server{Cluster: cluster.Start(t, cluster.Options{Dir: filepath.Join(t.TempDir(), "kube"), ControlPlaneOnly: true}), warnings: &warnings{}}
	s.connect(t)
	var all []string
	for name, labels := range namespaces {
		all = append(all, marked(name, labels))
	}
	s.apply(t, strings.Join(all, "\n---\n"))
	if _, err := s.Kubectl(t.Context(), "annotate", "namespace", "keyless", "podpass.io/unused-secrets=former,older"); err != nil {
		t.Fatal(err)
	}
	for name := range namespaces {
		eventually(t, "the default ServiceAccount of "+name, func() error {
			_, err := s.client.CoreV1().ServiceAccounts(name).Get(t.Context(), "default", metav1.GetOptions{})
			return err
		})
	}
	return s
}

func (s *server) connect(t testing.TB) {
	s.config = s.Config(t)
	s.config.WarningHandler = s.warnings
	var err error
	if s.client, err = kubernetes.NewForConfig(s.config); err != nil {
		t.Fatal(err)
	}
}

// as is a client of somebody else, who may do anything: the policies are all that keeps
// them from it.
func (s *server) as(t testing.TB, user string, groups ...string) *rest.Config {
	t.Helper()
	config := rest.CopyConfig(s.config)
	config.Impersonate = rest.ImpersonationConfig{UserName: user, Groups: append(groups, "system:masters")}
	return config
}

// apply applies manifests, as people do.
func (s *server) apply(t testing.TB, manifests string) {
	t.Helper()
	if _, err := s.Kubectl(t.Context(), "apply", "-f", file(t, manifests)); err != nil {
		t.Fatal(err)
	}
}

// install creates the policies of values, and waits until each has been type-checked. The API
// server has them in force a moment later.
func (s *server) install(t testing.TB, values string) []admissionregistrationv1.ValidatingAdmissionPolicy {
	t.Helper()
	manifests, list, _ := policies(t, values)
	s.apply(t, manifests)
	for i, p := range list {
		eventually(t, "the type check of "+p.Name, func() error {
			got, err := s.client.AdmissionregistrationV1().ValidatingAdmissionPolicies().Get(t.Context(), p.Name, metav1.GetOptions{})
			if err == nil && (got.Status.TypeChecking == nil || got.Status.ObservedGeneration != got.Generation) {
				err = errors.New("not yet")
			}
			if err == nil {
				list[i] = *got
			}
			return err
		})
	}
	return list
}

var resources = map[string]schema.GroupVersionResource{
	"Pod":            {Version: "v1", Resource: "pods"},
	"ServiceAccount": {Version: "v1", Resource: "serviceaccounts"},
	"Deployment":     {Group: "apps", Version: "v1", Resource: "deployments"},
	"CronJob":        {Group: "batch", Version: "v1", Resource: "cronjobs"},
}

// create creates an object in a namespace, or only asks whether it could be.
func (s *server) create(t testing.TB, namespace, manifest string, options metav1.CreateOptions) error {
	t.Helper()
	client, err := dynamic.NewForConfig(s.config)
	if err != nil {
		t.Fatal(err)
	}
	o := unstructured.Unstructured{Object: object(t, manifest)}
	_, err = client.Resource(resources[o.GetKind()]).Namespace(namespace).Create(t.Context(), &o, options)
	return err
}

var dryRun = metav1.CreateOptions{DryRun: []string{metav1.DryRunAll}}

// refusal is what a policy says in a refusal; all of an error that is none.
func refusal(err error) string {
	if err == nil {
		return ""
	}
	if _, message, ok := strings.Cut(err.Error(), " denied request: "); ok && apierrors.IsInvalid(err) || apierrors.IsForbidden(err) && ok {
		return message
	}
	return err.Error()
}

// eventually fails the test unless something is so within some time.
func eventually(t testing.TB, what string, is func() error) {
	t.Helper()
	for end := time.Now().Add(90 * time.Second); ; time.Sleep(100 * time.Millisecond) {
		err := is()
		if err == nil {
			return
		}
		if time.Now().After(end) {
			t.Fatalf("%s: %v", what, err)
		}
	}
}

// inForce waits until an attempt of each policy is answered as it is to be.
func (s *server) inForce(t testing.TB, answered func(attempt, error) bool) {
	t.Helper()
	for policy, list := range attempts {
		for name, a := range list {
			if a.want == "" {
				continue
			}
			eventually(t, policy, func() error {
				s.warnings.take()
				if err := s.create(t, a.namespace, a.object, dryRun); !answered(a, err) {
					return fmt.Errorf("%s: %w", name, err)
				}
				return nil
			})
			break
		}
	}
}

// TestClusterPolicies: enforced, what each policy refuses, with the whole message, and what
// it lets pass; then, as warnings, the same messages.
func TestClusterPolicies(t *testing.T) {
	s := start(t)
	s.before(t)
	list := s.install(t, every("enforce"))
	t.Run("type checking", func(t *testing.T) { s.typeChecked(t, list) })
	s.inForce(t, func(_ attempt, err error) bool { return err != nil })
	n := 0
	for policy, list := range attempts {
		t.Run(policy, func(t *testing.T) {
			for name, a := range list {
				n++
				if got := refusal(s.create(t, a.namespace, a.object, dryRun)); got != a.want {
					t.Errorf("%s:\n%s\nwant:\n%s", name, got, a.want)
				}
			}
		})
	}
	t.Logf("%d attempts", n)
	t.Run("what was there before", s.staysAsItWas)
	t.Run("workloads", s.workloads)
	t.Run("token requests", s.tokenRequests)
	t.Run("registrations", s.registrations)

	s.install(t, every("warn"))
	s.inForce(t, func(_ attempt, err error) bool { return err == nil })
	t.Run("as warnings", s.warned)
}

// typeChecked: the API server's type check finds nothing, and would find something.
func (s *server) typeChecked(t *testing.T, list []admissionregistrationv1.ValidatingAdmissionPolicy) {
	for _, p := range list {
		for _, w := range p.Status.TypeChecking.ExpressionWarnings {
			t.Errorf("%s %s: %s", p.Name, w.FieldRef, w.Warning)
		}
	}
	p := list[0].DeepCopy()
	p.ObjectMeta = metav1.ObjectMeta{Name: "wrong"}
	p.Spec.Validations = append(p.Spec.Validations, admissionregistrationv1.Validation{Expression: "object.metadata.nam == ''"})
	policies := s.client.AdmissionregistrationV1().ValidatingAdmissionPolicies()
	if _, err := policies.Create(t.Context(), p, metav1.CreateOptions{}); err != nil {
		t.Fatal(err)
	}
	eventually(t, "a warning of a field that is none", func() error {
		got, err := policies.Get(t.Context(), p.Name, metav1.GetOptions{})
		if err == nil && (got.Status.TypeChecking == nil || len(got.Status.TypeChecking.ExpressionWarnings) == 0) {
			err = errors.New("none")
		}
		return err
	})
	if err := policies.Delete(context.WithoutCancel(t.Context()), p.Name, metav1.DeleteOptions{}); err != nil {
		t.Error(err)
	}
}

// warned: what was refused is created, and its author reads what the refusal said.
func (s *server) warned(t *testing.T) {
	for policy, list := range attempts {
		for name, a := range list {
			s.warnings.take()
			err := s.create(t, a.namespace, a.object, dryRun)
			said := s.warnings.take()
			found := false
			for _, w := range said {
				_, message, ok := strings.Cut(w, "': ")
				found = found || ok && message == a.want
			}
			if err != nil || found != (a.want != "") {
				t.Errorf("%s, %s: %v, %q\nwant %s", policy, name, err, said, a.want)
			}
		}
	}
}
