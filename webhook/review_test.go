package webhook

import (
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strconv"
	"strings"
	"testing"
	"testing/iotest"
	"time"

	"github.com/google/go-cmp/cmp"
	admissionv1 "k8s.io/api/admission/v1"

	"github.com/podpass-io/podpass/webhook/sastore"

	"github.com/podpass-io/podpass/webhook/inject"
)

// TestRequestsThatAreTaken, and those that are not, at each of the limits.
func TestRequestsThatAreTaken(t *testing.T) {
	h, _ := newHandler(t, &fixed{cached: map[string]sastore.Record{"orders": {}}})
	good := reviewOf(podOf("orders", ""))
	padded := func(n int) string { return good + strings.Repeat(" ", n-len(good)) }
	uid := func(n int) string { return strings.Replace(good, `"u-1"`, `"`+strings.Repeat("u", n)+`"`, 1) }
	for name, test := range map[string]struct {
		method, body, contentType string
		length                    int64 // 0: the body's; -1: not said
		want                      int
	}{
		"as API servers write it":        {"POST", good, "application/json", 0, 200},
		"with a charset":                 {"POST", good, "application/json; charset=utf-8", 0, 200},
		"no Content-Type":                {"POST", good, "", 0, 415},
		"a malformed Content-Type":       {"POST", good, "application/json; charset", 0, 415},
		"GET":                            {"GET", good, "application/json", 0, 405},
		"the largest":                    {"POST", padded(maxBody), "application/json", 0, 200},
		"one byte more":                  {"POST", padded(maxBody + 1), "application/json", 0, 413},
		"of a length that is not said":   {"POST", good, "application/json", -1, 200},
		"the largest, not said":          {"POST", padded(maxBody), "application/json", -1, 200},
		"one byte more, not said":        {"POST", padded(maxBody + 1), "application/json", -1, 413},
		"shorter than it said":           {"POST", good, "application/json", int64(len(good)) + 1, 400},
		"the longest uid":                {"POST", uid(maxName), "application/json", 0, 200},
		"a longer one":                   {"POST", uid(maxName + 1), "application/json", 0, 400},
		"no request":                     {"POST", `{"apiVersion":"admission.k8s.io/v1","kind":"AdmissionReview","request":null}`, "application/json", 0, 400},
		"another review":                 {"POST", strings.Replace(good, `"AdmissionReview"`, `"TokenReview"`, 1), "application/json", 0, 400},
		"a Pod of another group":         {"POST", strings.Replace(good, `"group":""`, `"group":"x"`, 1), "application/json", 0, 400},
		"a pod whose containers are bad": {"POST", reviewOf(`{"metadata":{},"spec":{"containers":[1]}}`), "application/json", 0, 200},
		"no object":                      {"POST", strings.Replace(good, `"object"`, `"other"`, 1), "application/json", 0, 400},
	} {
		t.Run(name, func(t *testing.T) {
			req := httptest.NewRequestWithContext(t.Context(), test.method, "/mutate", iotest.HalfReader(strings.NewReader(test.body)))
			req.ContentLength = int64(len(test.body))
			if test.length != 0 {
				req.ContentLength = test.length
			}
			req.Header.Set("Content-Type", test.contentType)
			w := httptest.NewRecorder()
			h.ServeHTTP(w, req)
			if w.Code != test.want {
				t.Errorf("status %d, want %d: %.200s", w.Code, test.want, w.Body)
			}
		})
	}
}

// TestReviewThatEndsEarly is said to have done so, rather than to make no sense.
func TestReviewThatEndsEarly(t *testing.T) {
	h, _ := newHandler(t, &fixed{})
	req := httptest.NewRequestWithContext(t.Context(), http.MethodPost, "/mutate", strings.NewReader("{}"))
	req.ContentLength = 3
	req.Header.Set("Content-Type", "application/json")
	w := httptest.NewRecorder()
	if h.ServeHTTP(w, req); w.Code != http.StatusBadRequest || !strings.Contains(w.Body.String(), "the review cannot be read") {
		t.Errorf("%d %s", w.Code, w.Body)
	}
}

// TestPodThatCannotBeRead: with an identity to give, one whose containers make no sense
// is the caller's fault.
func TestPodThatCannotBeRead(t *testing.T) {
	h, _ := newHandler(t, &fixed{cached: map[string]sastore.Record{"orders": annotated("eks.amazonaws.com/role-arn", role)}})
	pod := `{"metadata":{},"spec":{"serviceAccountName":"orders","containers":[1]}}`
	if w := post(t, h, reviewOf(pod), "application/json"); w.Code != http.StatusBadRequest {
		t.Errorf("status %d: %s", w.Code, w.Body)
	}
}

// TestReviewIsRead: what of a request decides, each from its place.
func TestReviewIsRead(t *testing.T) {
	long := strings.Repeat("n", maxName+10)
	req, err := decodeReview(fmt.Appendf(nil, `{"kind":"AdmissionReview","apiVersion":"admission.k8s.io/v1","response":{"uid":"no"},"request":{"uid":"u",
"kind":{"group":"","kind":"Pod","version":"v1"},"name":%q,"namespace":"shop","operation":"UPDATE","dryRun":true,"object": {"a":1} ,"oldObject":[2]}}`, long), "Pod")
	if err != nil {
		t.Fatal(err)
	}
	got := []any{string(req.UID), req.Kind.Kind, len(req.Name) < len(long), req.Namespace, string(req.Operation), *req.DryRun, string(req.Object.Raw), string(req.OldObject.Raw)}
	want := []any{"u", "Pod", true, "shop", "UPDATE", true, `{"a":1}`, `[2]`}
	if d := cmp.Diff(want, got); d != "" {
		t.Error(d)
	}
}

// deadlines is a connection that notes how long it was given, in all.
type deadlines struct {
	*httptest.ResponseRecorder
	read, write []time.Time
}

func (d *deadlines) SetReadDeadline(t time.Time) error  { d.read = append(d.read, t); return nil }
func (d *deadlines) SetWriteDeadline(t time.Time) error { d.write = append(d.write, t); return nil }

// TestLargeReviewsHaveLittleTime: they keep their room until they have come, or have
// been taken. What is small has the server's time-outs.
func TestLargeReviewsHaveLittleTime(t *testing.T) {
	h, _ := newHandler(t, &fixed{cached: map[string]sastore.Record{"orders": annotated("eks.amazonaws.com/role-arn", role)}})
	containers := func(n int) string {
		return reviewOf(`{"metadata":{"name":"p"},"spec":{"serviceAccountName":"orders","containers":[` + strings.Repeat(`{"name":"c"},`, n) + `{"name":"d"}]}}`)
	}
	padded := func(n int) string { s := containers(1); return s + strings.Repeat(" ", n-len(s)) }
	for name, test := range map[string]struct {
		body        string
		length      int64
		read, write bool
	}{
		"small":                     {containers(1), 0, false, false},
		"just not large":            {padded(largeBody), 0, false, false},
		"large":                     {padded(largeBody + 1), 0, true, false},
		"a length that is not said": {containers(1), -1, true, false},
		"a large answer":            {containers(300), 0, false, true},
	} {
		t.Run(name, func(t *testing.T) {
			req := httptest.NewRequestWithContext(t.Context(), http.MethodPost, "/mutate", io.NopCloser(strings.NewReader(test.body)))
			req.ContentLength = int64(len(test.body))
			if test.length != 0 {
				req.ContentLength = test.length
			}
			req.Header.Set("Content-Type", "application/json")
			d := &deadlines{ResponseRecorder: httptest.NewRecorder()}
			before := time.Now()
			h.ServeHTTP(d, req)
			if r := decode(t, d.ResponseRecorder); r.Patch == nil {
				t.Fatalf("%d %s", d.Code, d.Body)
			}
			within := func(at time.Time) bool { return at.After(before) && !at.After(time.Now().Add(bodyTime)) }
			if test.read != (len(d.read) == 2 && within(d.read[0]) && d.read[1].IsZero()) || !test.read && d.read != nil {
				t.Errorf("time to read: %v", d.read)
			}
			if test.write != (len(d.write) == 1 && within(d.write[0])) || !test.write && d.write != nil {
				t.Errorf("time to write an answer of %d bytes: %v", d.Body.Len(), d.write)
			}
		})
	}
}

// TestAnswerBecomesLarge with more than 128 KiB.
func TestAnswerBecomesLarge(t *testing.T) {
	write := func(warning string) *deadlines {
		d := &deadlines{ResponseRecorder: httptest.NewRecorder()}
		if err := writeReview(d, &admissionv1.AdmissionResponse{UID: "u-1", Warnings: []string{warning}}); err != nil {
			t.Fatal(err)
		}
		return d
	}
	most := 128<<10 - write("").Body.Len()
	for more, want := range map[int]int{0: 0, 1: 1} {
		if d := write(strings.Repeat("w", most+more)); len(d.write) != want {
			t.Errorf("%d bytes; time to write: %v", d.Body.Len(), d.write)
		}
	}
}

// TestLogNamesWhatWasDone, and no more than that.
func TestLogNamesWhatWasDone(t *testing.T) {
	h, logs := newHandler(t, &fixed{cached: map[string]sastore.Record{
		"orders": annotated("eks.amazonaws.com/role-arn", role), "wrong": annotated("eks.amazonaws.com/role-arn", "orders"), "misspelt": annotated("eks.amazonaws.com/role-arm", role),
	}})
	for name, test := range map[string]struct {
		account, labels string
		want            map[string]any
		warned          string
	}{
		"injected": {"orders", "", map[string]any{"level": "INFO", "outcome": "injected", "aws": "broker"}, ""},
		"denied":   {"wrong", "", map[string]any{"level": "INFO", "outcome": "denied", "errors": "WI001"}, ""},
		"warned":   {"misspelt", `"podpass.io/inject":"true"`, map[string]any{"level": "INFO", "outcome": "unchanged", "warnings": "WI034,WI038"}, "WI034,WI038"},
	} {
		t.Run(name, func(t *testing.T) {
			logs.Reset()
			r := decode(t, post(t, h, strings.Replace(reviewOf(podOf(test.account, test.labels)), `"operation"`, `"dryRun":true,"operation"`, 1), "application/json"))
			got := map[string]any{}
			if err := json.Unmarshal(logs.Bytes(), &got); err != nil {
				t.Fatalf("%v: %s", err, logs)
			}
			for _, key := range []string{"time", "reason"} {
				delete(got, key)
			}
			for k, v := range map[string]any{"msg": "Reviewed pod", "namespace": "shop", "pod": "web-*", "serviceAccount": test.account, "dryRun": true} {
				test.want[k] = v
			}
			if d := cmp.Diff(test.want, got); d != "" {
				t.Error(d)
			}
			if r.AuditAnnotations["warned"] != test.warned {
				t.Errorf("audit annotations %v", r.AuditAnnotations)
			}
		})
	}
}

// TestUnreadPodIsDenied: one that opted in and is too large to be read is denied with
// its code; any other is left to the registration, which lets it pass.
func TestUnreadPodIsDenied(t *testing.T) {
	const uid = "0f6e5c0a-9d0c-4a57-8a3e-3f2b1f0e7d11"
	begin := `{"kind":"AdmissionReview","apiVersion":"admission.k8s.io/v1","request":{"uid":"` + uid + `",`
	for name, test := range map[string]struct {
		path, begin, contentType string
		warn                     bool
		status                   int
	}{
		"opted in":             {"/mutate/opted-in", begin, "application/json", false, http.StatusOK},
		"errors only warn":     {"/mutate/opted-in", begin, "application/json", true, http.StatusOK},
		"did not":              {"/mutate", begin, "application/json", false, http.StatusRequestEntityTooLarge},
		"not an API server's":  {"/mutate/opted-in", `{"request":{"uid":"` + uid + `",`, "application/json", false, http.StatusRequestEntityTooLarge},
		"a uid that is no uid": {"/mutate/opted-in", strings.Replace(begin, uid, "<script>", 1), "application/json", false, http.StatusRequestEntityTooLarge},
		"of another type":      {"/mutate/opted-in", begin, "text/plain", false, http.StatusUnsupportedMediaType},
	} {
		t.Run(name, func(t *testing.T) {
			h, _ := newHandler(t, &fixed{})
			if test.warn {
				h.Settings = inject.Fixed(inject.Settings{UserErrors: inject.UserErrorsWarn})
			}
			req := httptest.NewRequestWithContext(t.Context(), http.MethodPost, test.path, strings.NewReader(test.begin+strings.Repeat(" ", maxBody)))
			req.Header.Set("Content-Type", test.contentType)
			w := httptest.NewRecorder()
			h.ServeHTTP(w, req)
			if w.Code != test.status {
				t.Fatalf("status %d, want %d: %s", w.Code, test.status, w.Body)
			}
			if test.status != http.StatusOK {
				return
			}
			for _, part := range []string{`"uid":"` + uid + `"`, `"allowed":` + strconv.FormatBool(test.warn), "WI068"} {
				if !strings.Contains(w.Body.String(), part) {
					t.Errorf("lacks %s: %s", part, w.Body)
				}
			}
		})
	}
}
