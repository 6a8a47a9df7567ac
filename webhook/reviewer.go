package webhook

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"runtime/debug"
	"strings"
	"time"

	admissionv1 "k8s.io/api/admission/v1"

	"github.com/podpass-io/podpass/federation"
)

// reviewer is the way that all reviews take, of whatever kind.
type reviewer struct {
	kind    string
	room    *Room
	metrics *Metrics
	log     *slog.Logger
	// warn: user errors do not deny.
	warn bool
}

// reviewTime bounds a review: the API server waits for an answer up to 30 s, and by
// default 10.
const reviewTime = 10 * time.Second

// optedInPath is how the registration's entries for pods that opted in end.
const optedInPath = "/opted-in"

// serve answers one review by what decide says, and gives the outcome where there was
// no answer; "" otherwise. An error of decide that is errNotReview is the caller's
// fault, errNoRoom nobody's, any other podpass's own: none of them is status 200.
func (v reviewer) serve(w http.ResponseWriter, r *http.Request, decide func(context.Context, *admissionv1.AdmissionRequest) (*admissionv1.AdmissionResponse, error)) (result outcome) {
	defer func() {
		if p := recover(); p != nil {
			v.metrics.panics.Inc()
			v.log.Error("Review panicked", "kind", v.kind, "panic", federation.Clip(fmt.Sprint(p), maxError), "stack", string(debug.Stack()))
			result = refuse(w, http.StatusInternalServerError, errors.New("podpass: internal error, which the webhook's log names"))
		}
	}()
	if status, err := refuseEarly(r); err != nil {
		if status == http.StatusRequestEntityTooLarge && strings.HasSuffix(r.URL.Path, optedInPath) && denyUnread(w, r, v.warn) {
			return outcomeDenied
		}
		return refuse(w, status, err)
	}
	// Not the server's own context: what is under way when it stops is finished.
	ctx, cancel := context.WithTimeout(context.WithoutCancel(r.Context()), reviewTime)
	defer cancel()
	release, err := v.room.body(ctx, strings.HasSuffix(r.URL.Path, optedInPath), r.ContentLength)
	if err != nil {
		return refuse(w, http.StatusServiceUnavailable, err)
	}
	defer release()
	body, status, err := readReview(w, r)
	if err != nil {
		return refuse(w, status, err)
	}
	req, err := decodeReview(body, v.kind)
	if err != nil {
		return refuse(w, http.StatusBadRequest, err)
	}
	answer, err := decide(ctx, req)
	if err == nil {
		err = writeReview(w, answer)
	}
	switch {
	case err == nil:
		return ""
	case errors.Is(err, errNotReview):
		return refuse(w, http.StatusBadRequest, err)
	case errors.Is(err, errNoRoom):
		return refuse(w, http.StatusServiceUnavailable, err)
	}
	v.log.Error("Review failed", "kind", v.kind, "namespace", req.Namespace, "name", req.Name, "error", federation.Clip(err.Error(), maxError))
	return refuse(w, http.StatusInternalServerError, fmt.Errorf("podpass: %w", err))
}

// maxError bounds the text of an error, in an answer and in the log.
const maxError = 1000

func refuse(w http.ResponseWriter, status int, err error) outcome {
	http.Error(w, federation.Clip(err.Error(), maxError), status)
	switch status {
	case http.StatusInternalServerError:
		return outcomeFailed
	case http.StatusServiceUnavailable:
		return outcomeOverloaded
	}
	return outcomeBadRequest
}
