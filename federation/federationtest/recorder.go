package federationtest

import (
	"io"
	"net/http"
	"net/http/httptest"
	"testing"
)

// Recorder is a cloud that gives one answer, as JSON, and remembers the last request.
type Recorder struct {
	Path   string
	Header http.Header
	Body   string
}

// Serve starts it on loopback.
func (r *Recorder) Serve(t *testing.T, answer string) (url string) {
	t.Helper()
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, req *http.Request) {
		body, err := io.ReadAll(req.Body)
		if err != nil {
			t.Errorf("read the request: %v", err)
		}
		r.Path, r.Header, r.Body = req.URL.Path, req.Header, string(body)
		w.Header().Set("Content-Type", "application/json")
		_, _ = io.WriteString(w, answer) // loopback
	}))
	t.Cleanup(s.Close)
	return s.URL
}
