package gcpapi

import (
	"encoding/json"
	"fmt"
	"hash/fnv"
	"io"
	"net/http"

	"github.com/podpass-io/podpass/broker/failure"
	"github.com/podpass-io/podpass/federation"
)

// fail answers 400 for what retrying does not mend: the one status that Go, Python
// and Node neither retry nor hide.
func (h *Handler) fail(w http.ResponseWriter, r *http.Request, err error) {
	h.report(r, err)
	if !federation.KindOf(err).Transient() {
		text(w, http.StatusBadRequest, err.Error())
		return
	}
	w.Header().Set("Retry-After", failure.RetryAfter(err))
	text(w, http.StatusServiceUnavailable, err.Error())
}

func (h *Handler) report(r *http.Request, err error) {
	if h.reporter.New(err.Error()) {
		h.Log.Warn("No Google token for the application", "path", r.URL.Path, "kind", federation.KindOf(err), "userAgent", r.UserAgent(), "error", err)
	}
}

// redirect sends a client that left out a directory's final slash.
func redirect(w http.ResponseWriter, r *http.Request) {
	to := r.URL.EscapedPath() + "/"
	if r.URL.RawQuery != "" {
		to += "?" + r.URL.RawQuery
	}
	w.Header().Set("Location", to)
	text(w, http.StatusMovedPermanently, "")
}

// tagged answers with an ETag: a client that waits for a change (wait_for_change)
// gets the value at once, since nothing here changes, and looks for the tag.
func tagged(w http.ResponseWriter, contentType, body string) {
	sum := fnv.New64a()
	_, _ = sum.Write([]byte(body)) // never fails
	w.Header().Set("ETag", fmt.Sprintf("%016x", sum.Sum64()))
	write(w, http.StatusOK, contentType, body)
}

func text(w http.ResponseWriter, status int, body string) {
	write(w, status, "application/text", body)
}

func write(w http.ResponseWriter, status int, contentType, body string) {
	w.Header().Set("Content-Type", contentType)
	if status == http.StatusMethodNotAllowed {
		w.Header().Set("Allow", http.MethodGet)
	}
	w.WriteHeader(status)
	_, _ = io.WriteString(w, body) // an error means that the client has gone
}

// encode ends the JSON with a line feed. What it is given always has JSON.
func encode(v any) string {
	b, _ := json.Marshal(v)
	return string(b) + "\n"
}
