package metrics

import (
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/podpass-io/podpass/federation"
)

func has(t *testing.T, text string, lines ...string) {
	t.Helper()
	for _, line := range lines {
		if !strings.Contains(text, "\n"+line+"\n") {
			t.Errorf("no line %q in\n%s", line, text)
		}
	}
}

// TestSeriesExistFromTheStart: at zero, for each kind of error of each of the pod's
// clouds, and for no other.
func TestSeriesExistFromTheStart(t *testing.T) {
	text := New(nil, "aws", "gcp").Text()
	for _, cloud := range []string{"aws", "gcp"} {
		for _, kind := range federation.Kinds() {
			has(t, text, `podpass_broker_exchanges_total{cloud="`+cloud+`",outcome="failure",kind="`+string(kind)+`"} 0`)
		}
		has(t, text, `podpass_broker_exchanges_total{cloud="`+cloud+`",outcome="success",kind=""} 0`,
			`podpass_broker_renewal_failures_total{cloud="`+cloud+`"} 0`,
			`podpass_broker_cache_requests_total{cloud="`+cloud+`",result="hit"} 0`,
			`podpass_broker_cache_requests_total{cloud="`+cloud+`",result="miss"} 0`,
			`podpass_broker_exchange_duration_seconds_bucket{cloud="`+cloud+`",le="0.025"} 0`,
			`podpass_broker_exchange_duration_seconds_sum{cloud="`+cloud+`"} 0`,
			`podpass_broker_exchange_duration_seconds_count{cloud="`+cloud+`"} 0`)
	}
	has(t, text, "podpass_broker_panics_total 0")
	if strings.Contains(text, "azure") {
		t.Error("a cloud in which the pod has no identity")
	}
}

// TestCounts: each event where it belongs, and nowhere else.
func TestCounts(t *testing.T) {
	m := New(func() map[string]time.Duration {
		return map[string]time.Duration{"aws": 90 * time.Second, "gcp": -time.Second}
	}, "aws")
	m.Asked("aws", true)
	m.Asked("aws", true)
	m.Asked("aws", false)
	denied := &federation.Error{Kind: federation.KindDenied, Cloud: "aws"}
	m.Exchanged("aws", nil, 25*time.Millisecond, true)
	m.Exchanged("aws", denied, 300*time.Millisecond, true)
	m.Exchanged("aws", denied, 20*time.Second, false)
	m.Requested("aws", 200)
	m.Panicked()
	text := m.Text()
	has(t, text,
		`podpass_broker_cache_requests_total{cloud="aws",result="hit"} 2`,
		`podpass_broker_cache_requests_total{cloud="aws",result="miss"} 1`,
		`podpass_broker_exchanges_total{cloud="aws",outcome="success",kind=""} 1`,
		`podpass_broker_exchanges_total{cloud="aws",outcome="failure",kind="Denied"} 2`,
		`podpass_broker_exchanges_total{cloud="aws",outcome="failure",kind="Config"} 0`,
		`podpass_broker_renewal_failures_total{cloud="aws"} 1`,
		`podpass_broker_requests_total{protocol="aws",status="200"} 1`,
		"podpass_broker_panics_total 1",
		`podpass_broker_credential_remaining_seconds{cloud="aws"} 90`,
		`podpass_broker_credential_remaining_seconds{cloud="gcp"} 0`,
		"# TYPE podpass_broker_exchange_duration_seconds histogram",
	)
	const d = "podpass_broker_exchange_duration_seconds"
	// In this order: parsers want the bounds to rise.
	want := strings.Join([]string{
		d + `_bucket{cloud="aws",le="0.025"} 1`, d + `_bucket{cloud="aws",le="0.05"} 1`, d + `_bucket{cloud="aws",le="0.1"} 1`, d + `_bucket{cloud="aws",le="0.25"} 1`,
		d + `_bucket{cloud="aws",le="0.5"} 2`, d + `_bucket{cloud="aws",le="1"} 2`, d + `_bucket{cloud="aws",le="2.5"} 2`, d + `_bucket{cloud="aws",le="5"} 2`, d + `_bucket{cloud="aws",le="10"} 2`,
		d + `_bucket{cloud="aws",le="+Inf"} 3`,
	}, "\n")
	if !strings.Contains(text, want) {
		t.Errorf("the buckets are not\n%s\nin\n%s", want, text)
	}
	has(t, text, d+`_sum{cloud="aws"} 20.325`, d+`_count{cloud="aws"} 3`)
}

// TestScrapes: one after the other, each with what was counted until then, in the type by
// which Prometheus knows the format.
func TestScrapes(t *testing.T) {
	m := New(nil, "aws")
	for _, want := range []string{"0", "1", "2"} {
		w := httptest.NewRecorder()
		m.ServeHTTP(w, httptest.NewRequestWithContext(t.Context(), http.MethodGet, "/metrics", nil))
		if got := w.Header().Get("Content-Type"); w.Code != http.StatusOK || got != "text/plain; version=0.0.4; charset=utf-8" {
			t.Errorf("%d %s", w.Code, got)
		}
		has(t, w.Body.String(), "podpass_broker_panics_total "+want)
		m.Panicked()
	}
}
