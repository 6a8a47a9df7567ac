package webhook

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	jsonpatch "gopkg.in/evanphx/json-patch.v4"
	admissionv1 "k8s.io/api/admission/v1"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/podpass-io/podpass/webhook/inject"
	"github.com/podpass-io/podpass/webhook/sastore"
)

// fixed is a store of ServiceAccounts in namespace shop; without live, the API server
// has what memory has.
type fixed struct {
	cached, live map[string]sastore.Record
	err          error
	liveReads    int
}

func (f *fixed) Get(ctx context.Context, namespace, name string) (sastore.Record, error) {
	if r, ok := f.cached[name]; ok {
		return r, f.err
	}
	return f.GetLive(ctx, namespace, name)
}

func (f *fixed) GetLive(_ context.Context, _, name string) (sastore.Record, error) {
	f.liveReads++
	if f.err != nil {
		return sastore.Record{}, f.err
	}
	there := f.live
	if there == nil {
		there = f.cached
	}
	if r, ok := there[name]; ok {
		return r, nil
	}
	return sastore.Record{}, sastore.ErrNotFound
}

func annotated(key, value string) sastore.Record {
	return sastore.Record{Annotations: map[string]string{key: value}}
}

const role = "arn:aws:iam::111122223333:role/orders"

func newHandler(t testing.TB, accounts ServiceAccounts) (*PodHandler, *bytes.Buffer) {
	t.Helper()
	settings, err := inject.LoadSettings([]byte("broker: {image: podpass-broker:test}\naws: {region: eu-central-1}\n"))
	if err != nil {
		t.Fatal(err)
	}
	logs := new(bytes.Buffer)
	return &PodHandler{
		ServiceAccounts: accounts, Settings: inject.Fixed(settings), Room: NewRoom(0), Metrics: NewMetrics(prometheus.NewRegistry()),
		Log: slog.New(slog.NewJSONHandler(logs, &slog.HandlerOptions{Level: slog.LevelDebug})),
	}, logs
}

func reviewOf(pod string) string {
	return `{"apiVersion":"admission.k8s.io/v1","kind":"AdmissionReview","request":{"uid":"u-1","kind":{"group":"","version":"v1","kind":"Pod"},
"namespace":"shop","operation":"CREATE","object":` + pod + `}}`
}

func podOf(serviceAccount, labels string) string {
	return `{"apiVersion":"v1","kind":"Pod","metadata":{"generateName":"web-","labels":{` + labels + `},"newField":{"a":1}},
"spec":{"serviceAccountName":"` + serviceAccount + `","containers":[{"name":"app","image":"app:1","env":[{"name":"PASSWORD","value":"hunter2"}]}]}}`
}

func post(t testing.TB, h http.Handler, body, contentType string) *httptest.ResponseRecorder {
	t.Helper()
	req := httptest.NewRequestWithContext(t.Context(), http.MethodPost, "/mutate", strings.NewReader(body))
	req.Header.Set("Content-Type", contentType)
	w := httptest.NewRecorder()
	h.ServeHTTP(w, req)
	return w
}

func decode(t *testing.T, w *httptest.ResponseRecorder) *admissionv1.AdmissionResponse {
	t.Helper()
	var r admissionv1.AdmissionReview
	if err := json.Unmarshal(w.Body.Bytes(), &r); err != nil || r.Response == nil || r.Kind != "AdmissionReview" || r.Response.UID != "u-1" {
		t.Fatalf("not an answer to the review: %d %s", w.Code, w.Body)
	}
	if got := w.Header().Get("Content-Type"); got != "application/json" {
		t.Errorf("Content-Type %q", got)
	}
	return r.Response
}

func TestInjects(t *testing.T) {
	h, logs := newHandler(t, &fixed{cached: map[string]sastore.Record{"orders": annotated("eks.amazonaws.com/role-arn", role)}})
	r := decode(t, post(t, h, reviewOf(podOf("orders", "")), "application/json"))
	if !r.Allowed || *r.PatchType != "JSONPatch" {
		t.Fatalf("allowed %t, patch type %q", r.Allowed, *r.PatchType)
	}
	patch, err := jsonpatch.DecodePatch(r.Patch)
	if err != nil {
		t.Fatal(err)
	}
	patched, err := patch.Apply([]byte(podOf("orders", "")))
	if err != nil {
		t.Fatal(err)
	}
	for _, part := range []string{`"newField":{"a":1}`, `"podpass-broker"`, `AWS_CONTAINER_CREDENTIALS_FULL_URI`, `"podpass.io/injected":"broker"`} {
		if !strings.Contains(string(patched), part) {
			t.Errorf("the patched pod lacks %s", part)
		}
	}
	if !strings.Contains(logs.String(), `"pod":"web-*"`) || strings.Contains(logs.String(), "hunter2") {
		t.Errorf("the log does not name the pod, or holds its environment: %s", logs)
	}
}

func TestLeavesAlone(t *testing.T) {
	h, _ := newHandler(t, &fixed{cached: map[string]sastore.Record{"plain": {}, "orders": annotated("eks.amazonaws.com/role-arn", role)}})
	for name, pod := range map[string]string{
		"no identity":                podOf("plain", ""),
		"opted out":                  podOf("orders", `"podpass.io/inject":"false"`),
		"opted out in EKS' spelling": podOf("orders", `"eks.amazonaws.com/skip-pod-identity-webhook":""`),
	} {
		t.Run(name, func(t *testing.T) {
			if r := decode(t, post(t, h, reviewOf(pod), "application/json")); !r.Allowed || r.Patch != nil || r.Warnings != nil {
				t.Errorf("allowed %t, patch %s, warnings %v", r.Allowed, r.Patch, r.Warnings)
			}
		})
	}
}

func TestDeniesUserErrors(t *testing.T) {
	h, _ := newHandler(t, &fixed{cached: map[string]sastore.Record{"orders": annotated("eks.amazonaws.com/role-arn", "orders")}})
	r := decode(t, post(t, h, reviewOf(podOf("orders", "")), "application/json"))
	if r.Allowed || r.Result == nil || r.Result.Code != 403 || r.Patch != nil {
		t.Fatalf("not denied: %+v", r)
	}
	for _, part := range []string{"WI001", "ServiceAccount shop/orders annotation eks.amazonaws.com/role-arn", `"orders"`, "fix: "} {
		if !strings.Contains(r.Result.Message, part) {
			t.Errorf("the denial does not say %q: %s", part, r.Result.Message)
		}
	}
	if r.AuditAnnotations["denied"] != "WI001" {
		t.Errorf("audit annotations %v", r.AuditAnnotations)
	}
}

// TestSystemPodsStart: where the administrator includes kube-system, no mistake on a
// ServiceAccount there keeps the cluster's own pods from starting.
func TestSystemPodsStart(t *testing.T) {
	h, _ := newHandler(t, &fixed{cached: map[string]sastore.Record{
		"broken": annotated("eks.amazonaws.com/role-arn", "orders"), "orders": annotated("eks.amazonaws.com/role-arn", role),
	}})
	system := func(account, labels string) *admissionv1.AdmissionResponse {
		review := strings.Replace(reviewOf(podOf(account, labels)), `"namespace":"shop"`, `"namespace":"kube-system"`, 1)
		return decode(t, post(t, h, review, "application/json"))
	}
	for _, labels := range []string{"", `"podpass.io/inject":"true"`} {
		r := system("broken", labels)
		if !r.Allowed || r.Patch != nil || len(r.Warnings) != 1 || !strings.Contains(r.Warnings[0], "the pod starts without its identity: podpass: WI001") {
			t.Errorf("labels %s: allowed %t, patch %s, warnings %q", labels, r.Allowed, r.Patch, r.Warnings)
		}
		if r.AuditAnnotations["warned"] != "WI001" {
			t.Errorf("audit annotations %v", r.AuditAnnotations)
		}
	}
	if r := system("orders", ""); !r.Allowed || r.Patch == nil {
		t.Errorf("a good one is not injected: %+v", r)
	}
}

// TestOurOwnFailuresAreNotAnswers: failurePolicy must decide, so the status is not 200.
func TestOurOwnFailuresAreNotAnswers(t *testing.T) {
	h, _ := newHandler(t, &fixed{err: errors.New("the API server is down")})
	good := reviewOf(podOf("orders", ""))
	for name, test := range map[string]struct {
		body, contentType string
		want              int
	}{
		"store fails":     {good, "application/json", 500},
		"not JSON":        {"{", "application/json", 400},
		"another type":    {good, "text/plain", 415},
		"another version": {strings.Replace(good, "admission.k8s.io/v1", "admission.k8s.io/v1beta1", 1), "application/json", 400},
		"another kind":    {strings.Replace(good, `"kind":"Pod"},`, `"kind":"Job"},`, 1), "application/json", 400},
		"no uid":          {strings.Replace(good, "u-1", "", 1), "application/json", 400},
		"no pod":          {reviewOf(`"x"`), "application/json", 400},
		"too large":       {strings.Repeat(" ", maxBody+1), "application/json", 413},
	} {
		t.Run(name, func(t *testing.T) {
			if w := post(t, h, test.body, test.contentType); w.Code != test.want {
				t.Errorf("status %d, want %d: %.200s", w.Code, test.want, w.Body)
			}
		})
	}
}

// TestOptedInAsksOnceMore: the watch may be behind an annotation that was just made.
func TestOptedInAsksOnceMore(t *testing.T) {
	accounts := &fixed{cached: map[string]sastore.Record{"orders": {}}, live: map[string]sastore.Record{"orders": annotated("eks.amazonaws.com/role-arn", role)}}
	h, _ := newHandler(t, accounts)
	if r := decode(t, post(t, h, reviewOf(podOf("orders", `"podpass.io/inject":"true"`)), "application/json")); r.Patch == nil {
		t.Error("an opted-in pod was missed")
	}
	if accounts.liveReads != 1 {
		t.Errorf("%d live reads, want 1", accounts.liveReads)
	}
	if r := decode(t, post(t, h, reviewOf(podOf("orders", "")), "application/json")); r.Patch != nil || accounts.liveReads != 1 {
		t.Errorf("a pod that did not opt in cost a live read")
	}
	accounts.cached = accounts.live
	if r := decode(t, post(t, h, reviewOf(podOf("orders", `"podpass.io/inject":"true"`)), "application/json")); r.Patch == nil || accounts.liveReads != 1 {
		t.Errorf("a pod whose identity is in memory cost a live read")
	}
}

// TestMendedAMomentAgo: a mistake that only memory still has does not deny the next pod.
func TestMendedAMomentAgo(t *testing.T) {
	wrong := map[string]sastore.Record{"orders": annotated("eks.amazonaws.com/role-arn", "orders")}
	for name, live := range map[string]map[string]sastore.Record{
		"mended":       {"orders": annotated("eks.amazonaws.com/role-arn", role)},
		"still wrong":  wrong,
		"deleted":      {},
		"asks nothing": {"orders": {}},
	} {
		t.Run(name, func(t *testing.T) {
			accounts := &fixed{cached: wrong, live: live}
			h, _ := newHandler(t, accounts)
			r := decode(t, post(t, h, reviewOf(podOf("orders", "")), "application/json"))
			if r.Allowed != (name != "still wrong") || (r.Patch != nil) != (name == "mended") {
				t.Errorf("allowed %t, patch %s", r.Allowed, r.Patch)
			}
			if accounts.liveReads != 1 {
				t.Errorf("%d live reads, want 1", accounts.liveReads)
			}
		})
	}
}

// TestPlansMistakeMendedAMomentAgo: so with a mistake that only the pod's plan finds, such
// as what direct mode cannot give; and one live read says whether it is mended.
func TestPlansMistakeMendedAMomentAgo(t *testing.T) {
	chained := annotated("eks.amazonaws.com/role-arn", role)
	chained.Annotations["podpass.io/mode"], chained.Annotations["podpass.io/aws-session-policy"] = "direct", "{}"
	for name, live := range map[string]sastore.Record{"mended": annotated("eks.amazonaws.com/role-arn", role), "still wrong": chained} {
		t.Run(name, func(t *testing.T) {
			accounts := &fixed{cached: map[string]sastore.Record{"orders": chained}, live: map[string]sastore.Record{"orders": live}}
			h, _ := newHandler(t, accounts)
			r := decode(t, post(t, h, reviewOf(podOf("orders", "")), "application/json"))
			if mended := name == "mended"; r.Allowed != mended || (r.Patch != nil) != mended {
				t.Errorf("allowed %t, patch %s", r.Allowed, r.Patch)
			}
			if accounts.liveReads != 1 {
				t.Errorf("%d live reads, want 1", accounts.liveReads)
			}
		})
	}
}

func TestOptedInWithoutIdentityWarns(t *testing.T) {
	h, _ := newHandler(t, &fixed{cached: map[string]sastore.Record{"orders": {}}})
	r := decode(t, post(t, h, reviewOf(podOf("orders", `"podpass.io/inject":"true"`)), "application/json"))
	if !r.Allowed || len(r.Warnings) != 1 || !strings.Contains(r.Warnings[0], "asks for no identity") || r.AuditAnnotations["warned"] != "WI038" {
		t.Errorf("allowed %t, warnings %q, audit annotations %v", r.Allowed, r.Warnings, r.AuditAnnotations)
	}
}

func FuzzReview(f *testing.F) {
	f.Add([]byte(reviewOf(podOf("orders", ""))))
	f.Add([]byte(`{"apiVersion":"admission.k8s.io/v1","kind":"AdmissionReview","request":{"uid":"u","kind":{"kind":"Pod"},"object":null}}`))
	for _, pod := range []string{ // small relatives of those that once ended the process
		`{"metadata":{"name":"` + strings.Repeat("é", 1000) + `"},"spec":{"serviceAccountName":"orders","containers":[` + strings.Repeat(`{"name":"c","env":[{"name":"AWS_PROFILE","value":"x"}]},`, 50) + `{}]}}`,
		`{"metadata":{"annotations":{` + strings.Repeat(`"podpass.io/x":"",`, 200) + `"podpass.io/y":""}},"spec":{"serviceAccountName":"orders","containers":[` + strings.Repeat(`{"name":"c"},`, 200) + `null]}}`,
		`{"metadata":{},"spec":{"serviceAccountName":"orders","volumes":[{},{}],"initContainers":[{"env":[{},{}],"ports":[{}]}],"containers":` + strings.Repeat("[", 500) + strings.Repeat("]", 500) + `}}`,
	} {
		f.Add([]byte(reviewOf(pod)))
	}
	h, _ := newHandler(f, &fixed{cached: map[string]sastore.Record{"orders": annotated("eks.amazonaws.com/role-arn", role), "default": {}}})
	h.Log = slog.New(slog.DiscardHandler)
	f.Fuzz(func(t *testing.T, body []byte) {
		w := post(t, h, string(body), "application/json")
		if w.Code == http.StatusOK {
			var r admissionv1.AdmissionReview
			if err := json.Unmarshal(w.Body.Bytes(), &r); err != nil || r.Response == nil || r.Response.UID == "" {
				t.Fatalf("status 200 without an answer: %s", w.Body)
			}
			if len(r.Response.Patch) == 0 && w.Body.Len() > 20_000 {
				t.Errorf("an answer of %d bytes", w.Body.Len())
			}
		}
	})
}
