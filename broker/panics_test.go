package broker

import (
	"bytes"
	"errors"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/podpass-io/podpass/broker/metrics"
)

// TestPanicsAreVisible: to the client, in the log with their stack, in the metrics.
func TestPanicsAreVisible(t *testing.T) {
	var log bytes.Buffer
	b := &Broker{log: slog.New(slog.NewTextHandler(&log, nil)), metrics: metrics.New(nil)}
	handler := func(_ http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/abort" {
			panic(http.ErrAbortHandler)
		}
		var none *bytes.Buffer
		none.Reset()
	}
	w := httptest.NewRecorder()
	b.recovered(http.HandlerFunc(handler)).ServeHTTP(w, httptest.NewRequest(http.MethodGet, "/x", nil))
	if w.Code != http.StatusInternalServerError {
		t.Errorf("status %d", w.Code)
	}
	if got := log.String(); !strings.Contains(got, "level=ERROR") || !strings.Contains(got, "nil pointer") || !strings.Contains(got, "panics_test.go") {
		t.Errorf("log: %s", got)
	}
	if text := b.metrics.Text(); !strings.Contains(text, "\npodpass_broker_panics_total 1\n") {
		t.Error(text)
	}
	defer func() {
		if err, ok := recover().(error); !ok || !errors.Is(err, http.ErrAbortHandler) {
			t.Errorf("an abort: %v", err)
		}
	}()
	b.recovered(http.HandlerFunc(handler)).ServeHTTP(httptest.NewRecorder(), httptest.NewRequest(http.MethodGet, "/abort", nil))
}
