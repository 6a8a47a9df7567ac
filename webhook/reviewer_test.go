package webhook

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus/testutil"

	"github.com/podpass-io/podpass/webhook/sastore"
)

// panics is a store that does.
type panics struct{ ServiceAccounts }

func (panics) Get(context.Context, string, string) (sastore.Record, error) { panic("hunter3") }

// TestPanicIsAFailure: net/http would close the connection, and other reviews with it.
func TestPanicIsAFailure(t *testing.T) {
	h, logs := newHandler(t, panics{})
	w := post(t, h, reviewOf(podOf("orders", "")), "application/json")
	if w.Code != http.StatusInternalServerError || strings.Contains(w.Body.String(), "hunter3") {
		t.Errorf("status %d: %s", w.Code, w.Body)
	}
	if text := logs.String(); !strings.Contains(text, "hunter3") || !strings.Contains(text, "reviewer_test.go") || strings.Contains(text, "PASSWORD") {
		t.Errorf("the log does not name the cause and the place alone: %s", text)
	}
	if got := testutil.ToFloat64(h.Metrics.panics); got != 1 {
		t.Errorf("%v panics counted", got)
	}
	if got := count(t, h.Metrics, "failed", "failed"); got != 1 {
		t.Errorf("%v failed reviews", got)
	}
}

// count is the number of reviews with an outcome and its reason.
func count(t *testing.T, m *Metrics, outcome, reason string) float64 {
	t.Helper()
	return testutil.ToFloat64(m.reviews.WithLabelValues(outcome, reason))
}

// slow is a store whose live reads take a while, and end with their context.
type slow struct {
	ServiceAccounts
	started chan struct{}
}

func (s slow) Get(ctx context.Context, _, _ string) (sastore.Record, error) {
	close(s.started)
	select {
	case <-time.After(50 * time.Millisecond):
		return annotated("eks.amazonaws.com/role-arn", role), nil
	case <-ctx.Done():
		return sastore.Record{}, ctx.Err()
	}
}

// TestReviewsUnderWayAreFinished: the server's own context ends when it is stopped.
func TestReviewsUnderWayAreFinished(t *testing.T) {
	store := slow{started: make(chan struct{})}
	h, _ := newHandler(t, store)
	ctx, stop := context.WithCancel(t.Context())
	go func() { <-store.started; stop() }()
	req := httptest.NewRequestWithContext(ctx, http.MethodPost, "/mutate", strings.NewReader(reviewOf(podOf("orders", ""))))
	req.Header.Set("Content-Type", "application/json")
	w := httptest.NewRecorder()
	h.ServeHTTP(w, req)
	if r := decode(t, w); r.Patch == nil {
		t.Errorf("%d %s", w.Code, w.Body)
	}
}

// TestOutcomesAreCounted, each by its reason.
func TestOutcomesAreCounted(t *testing.T) {
	h, logs := newHandler(t, &fixed{cached: map[string]sastore.Record{
		"orders": annotated("eks.amazonaws.com/role-arn", role), "plain": {}, "malformed": annotated("eks.amazonaws.com/role-arn", "orders"),
		"misspelt": annotated("eks.amazonaws.com/role-arm", role),
	}})
	for name, test := range map[string]struct{ body, outcome, reason, level string }{
		"injected":  {reviewOf(podOf("orders", "")), "injected", "injected", "INFO"},
		"unchanged": {reviewOf(podOf("plain", "")), "unchanged", "no identity asked for", "DEBUG"},
		"denied":    {reviewOf(podOf("malformed", "")), "denied", "WI001", "INFO"},
		"malformed": {"{", "bad_request", "bad_request", ""},
		"warned":    {reviewOf(podOf("misspelt", `"podpass.io/inject":"true"`)), "unchanged", "no identity asked for", "INFO"},
		"an update": {strings.Replace(reviewOf(podOf("orders", "")), "CREATE", "UPDATE", 1), "unchanged", "unchanged", ""},
	} {
		t.Run(name, func(t *testing.T) {
			logs.Reset()
			before := count(t, h.Metrics, test.outcome, test.reason)
			post(t, h, test.body, "application/json")
			if got := count(t, h.Metrics, test.outcome, test.reason) - before; got != 1 {
				t.Errorf("counted %v times", got)
			}
			var line struct{ Level, Outcome string }
			_ = json.Unmarshal(logs.Bytes(), &line) // no line at all is one of the cases
			if line.Level != test.level || test.level != "" && line.Outcome != test.outcome {
				t.Errorf("log: %s", logs)
			}
		})
	}
}

// TestAnswersAreBounded: one pod was denied with 13.9 MiB, and a pod name of 1 MiB was
// copied into each of its messages.
func TestAnswersAreBounded(t *testing.T) {
	long := strings.Repeat("é", 500_000)
	account := sastore.Record{Annotations: map[string]string{"eks.amazonaws.com/role-arn": long[:3000]}}
	for i := range 1000 {
		account.Annotations[fmt.Sprintf("eks.amazonaws.com/role-ar%d", i)] = "x"
	}
	h, logs := newHandler(t, &fixed{cached: map[string]sastore.Record{"orders": account, "default": annotated("eks.amazonaws.com/role-arn", role),
		"google": annotated("cloud.google.com/workload-identity-provider", "projects/123456/locations/global/workloadIdentityPools/k8s/providers/prod")}})
	var unknown strings.Builder
	for i := range 80_000 {
		fmt.Fprintf(&unknown, `"podpass.io/x%d":"",`, i)
	}
	var own strings.Builder
	for i := range 1000 {
		fmt.Fprintf(&own, `{"name":"c%d","env":[{"name":"GCE_METADATA_HOST","value":"x"}]},`, i)
	}
	for name, pod := range map[string]string{
		"a long name":             `{"metadata":{"name":"` + long + `"},"spec":{"serviceAccountName":"orders"}}`,
		"unknown annotations":     `{"metadata":{"annotations":{` + unknown.String() + `"a":"b"}},"spec":{"serviceAccountName":"default","containers":[{"name":"c"}]}}`,
		"a thousand warnings":     `{"metadata":{"name":"` + long + `"},"spec":{"serviceAccountName":"google","containers":[` + own.String() + `{}]}}`,
		"a long container's name": `{"metadata":{},"spec":{"containers":[{"name":"` + long + `","env":[{"name":"AWS_PROFILE","value":"x"}]}]}}`,
	} {
		t.Run(name, func(t *testing.T) {
			logs.Reset()
			body := reviewOf(pod)
			var before, after runtime.MemStats
			runtime.ReadMemStats(&before)
			w := post(t, h, body, "application/json")
			runtime.ReadMemStats(&after)
			// By bytes, not by time, which other processes share.
			if n := after.TotalAlloc - before.TotalAlloc; n > 32<<20 {
				t.Errorf("%d bytes allocated", n)
			}
			r := decode(t, w)
			if n := len(strings.Join(r.Warnings, "")); n > 4096 {
				t.Errorf("%d bytes of warnings", n)
			}
			if r.Result != nil && len(r.Result.Message) > 5000 {
				t.Errorf("a denial of %d bytes", len(r.Result.Message))
			}
			for _, text := range r.AuditAnnotations {
				if len(text) > 300 {
					t.Errorf("an audit annotation of %d bytes", len(text))
				}
			}
			if w.Body.Len() > 20_000 || logs.Len() > 3000 {
				t.Errorf("an answer of %d bytes, a log of %d", w.Body.Len(), logs.Len())
			}
		})
	}
}

// marks is a store that keeps the contexts that it is asked with.
type marks struct{ asked []string }

func (m *marks) Get(ctx context.Context, _, _ string) (sastore.Record, error) {
	m.asked = append(m.asked, fmt.Sprint(ctx))
	return sastore.Record{}, nil
}

func (m *marks) GetLive(ctx context.Context, namespace, name string) (sastore.Record, error) {
	return m.Get(ctx, namespace, name)
}

// TestOptedInReadsAreMarked: the store reads for these first.
func TestOptedInReadsAreMarked(t *testing.T) {
	for label, want := range map[string]int{"": 0, `"podpass.io/inject":"true"`: 2, `"azure.workload.identity/use":"true"`: 2} {
		store := new(marks)
		h, _ := newHandler(t, store)
		post(t, h, reviewOf(podOf("orders", label)), "application/json")
		if got := strings.Count(strings.Join(store.asked, " "), "optedIn"); got != want {
			t.Errorf("%s: %d of %d reads are marked, want %d: %v", label, got, len(store.asked), want, store.asked)
		}
	}
}

// TestFailureIsLogged with what it was about, and how long that may be.
func TestFailureIsLogged(t *testing.T) {
	h, logs := newHandler(t, &fixed{err: errors.New(strings.Repeat("x", 5000))})
	body := strings.Replace(reviewOf(podOf("orders", "")), `"namespace":"shop"`, `"namespace":"shop","name":"orders-1"`, 1)
	w := post(t, h, body, "application/json")
	for _, part := range []string{`"Review failed"`, `"namespace":"shop"`, `"name":"orders-1"`, "pod web-*: xxx"} {
		if !strings.Contains(logs.String(), part) {
			t.Errorf("the log lacks %s: %s", part, logs)
		}
	}
	if w.Code != http.StatusInternalServerError || w.Body.Len() > 1100 || logs.Len() > 1500 {
		t.Errorf("status %d, an answer of %d bytes, a log of %d", w.Code, w.Body.Len(), logs.Len())
	}
}
