// Package failure is what protocol handlers have in common where there is no
// credential to serve: how it is answered, and when it is worth a line in the log.
package failure

import (
	"cmp"
	"errors"
	"math"
	"net/http"
	"strconv"

	"github.com/podpass-io/podpass/federation"
)

// Answer gives the status and the code of the answer to err, and sets its Retry-After.
// The status is 4xx for what retrying does not mend, so that SDKs show the cause at
// once, and 429 or 503 for what it may; the code is the cloud's own, or the kind.
func Answer(w http.ResponseWriter, err error) (status int, code string) {
	kind := federation.KindOf(err)
	code = string(kind)
	if e, ok := errors.AsType[*federation.Error](err); ok {
		code = cmp.Or(e.Code, code)
	}
	if kind.Transient() {
		w.Header().Set("Retry-After", RetryAfter(err))
	}
	switch kind {
	case federation.KindDenied, federation.KindSubjectMismatch:
		return http.StatusForbidden, code
	case federation.KindThrottled:
		return http.StatusTooManyRequests, code
	case federation.KindUnavailable, federation.KindCanceled:
		return http.StatusServiceUnavailable, code
	default:
		return http.StatusBadRequest, code
	}
}

// RetryAfter is that header of the answer to a failure which may pass: whole seconds,
// at least one.
func RetryAfter(err error) string {
	seconds := 1.0
	if e, ok := errors.AsType[*federation.Error](err); ok {
		seconds = max(seconds, math.Ceil(e.RetryAfter.Seconds()))
	}
	return strconv.Itoa(int(seconds))
}
