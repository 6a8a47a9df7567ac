// Package apitest holds what the protocols promise alike that answer in JSON and know
// their clients by the Authorization header. Each test fails t.
package apitest

import (
	"encoding/json"
	"errors"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/podpass-io/podpass/federation"
)

// Failures: 4xx where asking again does not help, so that SDKs show the cause at once;
// the cloud's code in each field of codes, its words and the hint in each of messages.
// answer is that of a handler whose source of credentials fails.
func Failures(t *testing.T, answer func(error) *httptest.ResponseRecorder, codes, messages []string) {
	t.Helper()
	for kind, want := range map[federation.Kind]int{
		federation.KindConfig: 400, federation.KindIssuerUntrusted: 400, federation.KindAudienceMismatch: 400, federation.KindTokenExpired: 400,
		federation.KindSubjectMismatch: 403, federation.KindDenied: 403,
		federation.KindThrottled: 429, federation.KindUnavailable: 503, federation.KindCanceled: 503,
	} {
		w := answer(&federation.Error{Cloud: "cloud", Kind: kind, Code: "its_code", Message: "the cloud's words", Hint: "the next step", RetryAfter: 3 * time.Second})
		got := fields(t, string(kind), w)
		if w.Code != want {
			t.Errorf("%s: %d, want %d", kind, w.Code, want)
		}
		for _, field := range messages {
			if !strings.Contains(got[field], "the cloud's words") || !strings.Contains(got[field], "the next step") {
				t.Errorf("%s: %s is %q", kind, field, got[field])
			}
		}
		for _, field := range codes {
			if got[field] != "its_code" {
				t.Errorf("%s: %s is %q", kind, field, got[field])
			}
		}
		if after := w.Header().Get("Retry-After"); (after == "3") != kind.Transient() {
			t.Errorf("%s: Retry-After %q", kind, after)
		}
	}
	if w := answer(errors.New("unforeseen")); w.Code != 503 || w.Header().Get("Retry-After") != "1" {
		t.Errorf("an error of no kind: %d, want 503: nobody knows that asking again is in vain; Retry-After %q", w.Code, w.Header().Get("Retry-After"))
	}
}

// Refused: with the status and the shape of an error that SDKs read, of so many fields,
// and nothing behind it: a handler that goes on after its refusal writes a credential
// into its body. ask changes a good request, and says how often a credential was asked
// for.
func Refused(t *testing.T, ask func(change func(*http.Request)) (w *httptest.ResponseRecorder, asked int), size int) {
	t.Helper()
	for name, test := range map[string]struct {
		change func(*http.Request)
		want   int
	}{
		"no secret":      {func(r *http.Request) { r.Header.Del("Authorization") }, 401},
		"another secret": {func(r *http.Request) { r.Header.Set("Authorization", r.Header.Get("Authorization")+"x") }, 401},
		"another host":   {func(r *http.Request) { r.Host = "evil.example.com" }, 403},
		"forwarded":      {func(r *http.Request) { r.Header.Set("X-Forwarded-For", "10.0.0.1") }, 403},
		"POST":           {func(r *http.Request) { r.Method = http.MethodPost }, 405},
	} {
		w, asked := ask(test.change)
		got := fields(t, name, w)
		if w.Code != test.want || asked != 0 || (w.Header().Get("Allow") == "GET") != (test.want == 405) {
			t.Errorf("%s: %d, want %d; asked %d times; %v", name, w.Code, test.want, asked, w.Header())
		}
		if len(got) != size {
			t.Errorf("%s: fields %v", name, got)
		}
		for field, text := range got {
			if text == "" {
				t.Errorf("%s: %s is empty", name, field)
			}
		}
	}
}

// fields are those of an answer's one JSON object.
func fields(t *testing.T, name string, w *httptest.ResponseRecorder) map[string]string {
	t.Helper()
	var got map[string]string
	if err := json.Unmarshal(w.Body.Bytes(), &got); err != nil || w.Header().Get("Content-Type") != "application/json" {
		t.Errorf("%s: not one JSON object: %v, %v", name, err, w.Header())
	}
	return got
}
