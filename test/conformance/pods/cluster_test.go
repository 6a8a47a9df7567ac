package pods

import (
	"bytes"
	"context"
	"encoding/json"
	"encoding/pem"
	"fmt"
	"io"
	"maps"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	admissionregistrationv1 "k8s.io/api/admissionregistration/v1"
	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/metadata"
	"k8s.io/client-go/rest"

	"github.com/podpass-io/podpass/test/cluster"
	"github.com/podpass-io/podpass/webhook/sastore"
)

// TestClusterCases runs the cases through a real API server, by server-side
// dry-run: its decoding, its defaults, its other admission, its validation.
func TestClusterCases(t *testing.T) {
	c := cluster.Start(t, cluster.Options{Dir: filepath.Join(t.TempDir(), "kube"), ControlPlaneOnly: true})
	a := newAPIServer(t, c)
	testCases(t, a.admit, func(c *Case) error {
		if c.Expect.Pod == nil {
			return nil
		}
		var want any
		if err := json.Unmarshal(c.Expect.Pod, &want); err != nil {
			return err
		}
		raw, err := json.Marshal(known(want))
		c.Expect.Pod = raw
		return err
	})
}

// apiServer is admission by a real one. One case at a time is under way.
type apiServer struct {
	client   kubernetes.Interface
	metadata metadata.Interface
	// podpass answers reviews as the case's webhook, other as the other webhook; nil:
	// admit, without a patch.
	podpass, other atomic.Pointer[http.Handler]
	calls          atomic.Int64
}

func newAPIServer(t *testing.T, c *cluster.Cluster) *apiServer {
	t.Helper()
	config := c.Config(t)
	a := &apiServer{client: c.Client(t)}
	var err error
	if a.metadata, err = metadata.NewForConfig(config); err != nil {
		t.Fatal(err)
	}
	mux := http.NewServeMux()
	mux.HandleFunc("/podpass", func(w http.ResponseWriter, r *http.Request) {
		a.calls.Add(1)
		answer(&a.podpass, w, r)
	})
	mux.HandleFunc("/other", func(w http.ResponseWriter, r *http.Request) { answer(&a.other, w, r) })
	server := httptest.NewTLSServer(mux)
	t.Cleanup(server.Close)
	if _, err := a.client.CoreV1().Namespaces().Create(t.Context(), &corev1.Namespace{ObjectMeta: metav1.ObjectMeta{Name: Namespace}}, metav1.CreateOptions{}); err != nil {
		t.Fatal(err)
	}
	a.register(t, server)
	return a
}

func answer(by *atomic.Pointer[http.Handler], w http.ResponseWriter, r *http.Request) {
	if h := by.Load(); h != nil {
		(*h).ServeHTTP(w, r)
		return
	}
	admitUnchanged.ServeHTTP(w, r)
}

// admitUnchanged is a webhook that wants nothing.
var admitUnchanged = patching(func([]byte) ([]byte, error) { return nil, nil })

// patching is a webhook by its patch for a pod.
func patching(patch func(pod []byte) ([]byte, error)) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		var in struct {
			Request struct {
				UID    string          `json:"uid"`
				Object json.RawMessage `json:"object"`
			} `json:"request"`
		}
		body, err := io.ReadAll(r.Body)
		if err == nil {
			err = json.Unmarshal(body, &in)
		}
		var p []byte
		if err == nil {
			p, err = patch(in.Request.Object)
		}
		if err != nil {
			http.Error(w, err.Error(), http.StatusInternalServerError)
			return
		}
		response := map[string]any{"uid": in.Request.UID, "allowed": true}
		if p != nil {
			response["patchType"], response["patch"] = "JSONPatch", p
		}
		w.Header().Set("Content-Type", "application/json")
		_ = json.NewEncoder(w).Encode(map[string]any{"apiVersion": "admission.k8s.io/v1", "kind": "AdmissionReview", "response": response})
	})
}

// register puts the other webhook after podpass: they are called in the order of
// their names.
func (a *apiServer) register(t *testing.T, server *httptest.Server) {
	t.Helper()
	ca := pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: server.Certificate().Raw})
	for name, reinvocation := range map[string]admissionregistrationv1.ReinvocationPolicyType{
		"podpass": admissionregistrationv1.IfNeededReinvocationPolicy, "zz-other": admissionregistrationv1.NeverReinvocationPolicy,
	} {
		url := server.URL + "/" + strings.TrimPrefix(name, "zz-")
		_, err := a.client.AdmissionregistrationV1().MutatingWebhookConfigurations().Create(t.Context(), &admissionregistrationv1.MutatingWebhookConfiguration{
			ObjectMeta: metav1.ObjectMeta{Name: name},
			Webhooks: []admissionregistrationv1.MutatingWebhook{{
				Name: "pods." + name + ".io", AdmissionReviewVersions: []string{"v1"},
				SideEffects: new(admissionregistrationv1.SideEffectClassNone), FailurePolicy: new(admissionregistrationv1.Fail), ReinvocationPolicy: &reinvocation,
				ClientConfig: admissionregistrationv1.WebhookClientConfig{URL: &url, CABundle: ca},
				Rules: []admissionregistrationv1.RuleWithOperations{{
					Operations: []admissionregistrationv1.OperationType{admissionregistrationv1.Create},
					Rule:       admissionregistrationv1.Rule{APIGroups: []string{""}, APIVersions: []string{"v1"}, Resources: []string{"pods"}},
				}},
			}},
		}, metav1.CreateOptions{})
		if err != nil {
			t.Fatal(err)
		}
	}
	// An API server learns of a registration a moment later.
	probe := Case{Pod: []byte(`{"spec":{"containers":[{"name":"app","image":"app"}]}}`)}
	for end := time.Now().Add(20 * time.Second); a.calls.Load() == 0; time.Sleep(100 * time.Millisecond) {
		if _, err := a.admit(t.Context(), probe); err != nil && time.Now().After(end) {
			t.Fatal(err)
		}
		if time.Now().After(end) {
			t.Fatal("the webhook is never called")
		}
	}
}

func (a *apiServer) admit(ctx context.Context, c Case) (Outcome, error) {
	if err := a.objects(ctx, c); err != nil {
		return Outcome{}, err
	}
	if err := a.account(ctx, c); err != nil {
		return Outcome{}, err
	}
	pod, err := c.PodJSON()
	if err == nil {
		pod, err = withoutAPIToken(pod)
	}
	if err != nil {
		return Outcome{}, err
	}
	a.other.Store(nil)
	if !c.OtherWebhook.IsZero() {
		other := patching(c.otherPatch)
		a.other.Store(&other)
	}
	a.podpass.Store(nil)
	before, _, err := a.create(ctx, c.PodNamespace(), pod)
	if c.Refused != "" {
		return a.refused(ctx, c, c.Refused, err)
	}
	if err != nil {
		return Outcome{}, fmt.Errorf("the API server refuses the pod even without podpass: %w", err)
	}
	// A store that nothing feeds: each ServiceAccount is read live.
	store := sastore.New(a.metadata)
	h, err := c.handler(store)
	if err != nil {
		return Outcome{}, err
	}
	second, err := c.again().handler(store)
	if err != nil {
		return Outcome{}, err
	}
	around, err := c.Around()
	if err != nil {
		return Outcome{}, err
	}
	around.RuntimeClasses = nil // merged into the pod by the API server
	h.Cluster, second.Cluster = theCluster(around), theCluster(around)
	calls := 0
	podpass := http.Handler(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if calls++; calls > 1 {
			second.ServeHTTP(w, r)
			return
		}
		h.ServeHTTP(w, r)
	}))
	a.podpass.Store(&podpass)
	defer a.podpass.Store(nil)
	after, warnings, err := a.create(ctx, c.PodNamespace(), pod)
	o := Outcome{Before: before, After: after, Warnings: ownWarnings(warnings)}
	if apierrors.IsForbidden(err) && strings.Contains(err.Error(), "denied the request: podpass: ") {
		o.After, o.Denied = nil, problems(err.Error())
		return o, nil
	}
	if c.RefusedInjected != "" {
		return a.refused(ctx, c, c.RefusedInjected, err)
	}
	return o, err
}

// refused holds that the API server refuses the pod for the case's reason, and
// falls back to the handler for what podpass says of it.
func (a *apiServer) refused(ctx context.Context, c Case, reason string, err error) (Outcome, error) {
	if err == nil {
		return Outcome{}, fmt.Errorf("the API server should refuse the pod with %q", reason)
	}
	if !strings.Contains(err.Error(), reason) {
		return Outcome{}, fmt.Errorf("the API server should refuse the pod with %q, and says: %w", reason, err)
	}
	return admitByHandler(ctx, c)
}

// withoutAPIToken says that the pod wants no token of the API server's, whose volume
// has a random name each time. The ServiceAccount may say so too, but admission looks
// at its cache of them.
func withoutAPIToken(pod []byte) ([]byte, error) {
	var p map[string]json.RawMessage
	if err := json.Unmarshal(pod, &p); err != nil {
		return nil, err
	}
	var spec map[string]json.RawMessage
	if err := json.Unmarshal(p["spec"], &spec); err != nil {
		return nil, err
	}
	spec["automountServiceAccountToken"] = json.RawMessage("false")
	raw, err := json.Marshal(spec)
	if err != nil {
		return nil, err
	}
	p["spec"] = raw
	return json.Marshal(p)
}

// objects makes the case's namespace, if it has one of its own, with what is in it.
func (a *apiServer) objects(ctx context.Context, c Case) error {
	if len(c.Objects) == 0 {
		return nil
	}
	core := a.client.CoreV1()
	if _, err := core.Namespaces().Create(ctx, &corev1.Namespace{ObjectMeta: metav1.ObjectMeta{Name: c.Name}}, metav1.CreateOptions{}); err != nil {
		return err
	}
	for _, raw := range c.Objects {
		var kind metav1.TypeMeta
		if err := json.Unmarshal(raw, &kind); err != nil {
			return err
		}
		client := core.RESTClient().Post().Namespace(c.Name)
		switch kind.Kind {
		case "LimitRange":
			client.Resource("limitranges")
		case "ResourceQuota":
			client.Resource("resourcequotas")
		case "RuntimeClass":
			client = a.client.NodeV1().RESTClient().Post().Resource("runtimeclasses")
		}
		if err := client.Body([]byte(raw)).SetHeader("Content-Type", "application/json").Do(ctx).Error(); err != nil {
			return err
		}
	}
	return nil
}

// account makes the case's ServiceAccount what the case says.
func (a *apiServer) account(ctx context.Context, c Case) error {
	accounts := a.client.CoreV1().ServiceAccounts(c.PodNamespace())
	sa := &corev1.ServiceAccount{
		ObjectMeta: metav1.ObjectMeta{
			Name: c.AccountName(), Namespace: c.PodNamespace(),
			Annotations: c.ServiceAccount.Annotations, Labels: c.ServiceAccount.Labels,
		},
	}
	_, err := accounts.Update(ctx, sa, metav1.UpdateOptions{})
	if apierrors.IsNotFound(err) {
		_, err = accounts.Create(ctx, sa, metav1.CreateOptions{})
	}
	return err
}

// otherPatch appends the other webhook's containers, if they are not there.
func (c Case) otherPatch(pod []byte) ([]byte, error) {
	all, err := c.AddOthers(pod)
	if err != nil {
		return nil, err
	}
	var p struct {
		Spec map[string]json.RawMessage `json:"spec"`
	}
	if err := json.Unmarshal(all, &p); err != nil {
		return nil, err
	}
	type operation struct {
		Op    string          `json:"op"`
		Path  string          `json:"path"`
		Value json.RawMessage `json:"value"`
	}
	var ops []operation
	for _, list := range []string{"containers", "initContainers"} {
		if raw, ok := p.Spec[list]; ok {
			ops = append(ops, operation{"add", "/spec/" + list, raw})
		}
	}
	return json.Marshal(ops)
}

// create creates a pod by dry-run, and gives it as it would be.
func (a *apiServer) create(ctx context.Context, namespace string, pod []byte) ([]byte, []string, error) {
	var warnings recorder
	result := a.client.CoreV1().RESTClient().Post().Namespace(namespace).Resource("pods").
		Param("dryRun", "All").Param("fieldValidation", "Ignore").
		SetHeader("Content-Type", "application/json").SetHeader("Accept", "application/json").
		WarningHandlerWithContext(&warnings).Body(pod).Do(ctx)
	if err := result.Error(); err != nil { // decoded, where Raw's says "unknown"
		return nil, warnings.texts, err
	}
	raw, err := result.Raw()
	if err != nil {
		return nil, warnings.texts, err
	}
	raw, err = timeless(raw)
	return raw, warnings.texts, err
}

// timeless leaves out of a pod what is new each time, and the status, where the
// API server keeps the QoS class: a sidecar with requests makes it Burstable.
func timeless(raw []byte) ([]byte, error) {
	var p map[string]any
	d := json.NewDecoder(bytes.NewReader(raw))
	d.UseNumber()
	if err := d.Decode(&p); err != nil {
		return nil, err
	}
	delete(p, "status")
	m, _ := p["metadata"].(map[string]any)
	for _, key := range []string{"uid", "creationTimestamp", "managedFields", "resourceVersion", "generation"} {
		delete(m, key)
	}
	if m["generateName"] != nil {
		delete(m, "name")
	}
	return json.Marshal(p)
}

type recorder struct{ texts []string }

var _ rest.WarningHandlerWithContext = (*recorder)(nil)

func (r *recorder) HandleWarningHeaderWithContext(_ context.Context, code int, _, text string) {
	if code == 299 && !slices.Contains(r.texts, text) {
		r.texts = append(r.texts, text)
	}
}

// known takes out of an expectation the fields that no API server of today knows,
// named "future...": it drops them before any webhook sees the pod.
func known(v any) any {
	switch v := v.(type) {
	case map[string]any:
		maps.DeleteFunc(v, func(k string, _ any) bool { return strings.HasPrefix(k, "future") })
		for k := range v {
			v[k] = known(v[k])
		}
	case []any:
		for i := range v {
			v[i] = known(v[i])
		}
	}
	return v
}
