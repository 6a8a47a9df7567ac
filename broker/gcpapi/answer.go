package gcpapi

import (
	"fmt"
	"hash/fnv"
	"net/http"
	"net/url"

	"github.com/podpass-io/podpass/broker/answer"
	"github.com/podpass-io/podpass/broker/failure"
)

func (h *Handler) fail(w http.ResponseWriter, r *http.Request, err error) {
	h.reporter.Report(h.Log, r, err)
	status, _ := failure.GCE.Answer(w, err)
	text(w, status, err.Error())
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

// value answers with something that never changes, and its ETag: to a client that
// waits for a change, only when it has waited for long enough.
func (h *Handler) value(w http.ResponseWriter, r *http.Request, query url.Values, contentType []string, body string) {
	sum := fnv.New64a()
	_, _ = sum.Write([]byte(body)) // never fails
	tag := fmt.Sprintf("%016x", sum.Sum64())
	if h.wait(w, r, query, func() string { return tag }) {
		w.Header().Set("ETag", tag)
		answer.Write(w, http.StatusOK, contentType, []byte(body))
	}
}

func text(w http.ResponseWriter, status int, body string) {
	answer.Write(w, status, answer.TextType, []byte(body))
}
