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
// The code is the cloud's own, or the kind.
func (t Table) Answer(w http.ResponseWriter, err error) (status int, code string) {
	kind := federation.KindOf(err)
	code = string(kind)
	if e, ok := errors.AsType[*federation.Error](err); ok {
		code = cmp.Or(e.Code, code)
		if e.Local() {
			// No cloud has refused anything: kubelet may replace the token's file at any time.
			kind = federation.KindUnavailable
		}
	}
	status, known := t[kind]
	if !known {
		// Nobody knows that asking again is in vain.
		kind, status = federation.KindUnavailable, t[federation.KindUnavailable]
	}
	if kind.Transient() {
		w.Header().Set("Retry-After", retryAfter(err))
	}
	return status, code
}

// retryAfter is that header of the answer to a failure which may pass: whole seconds,
// at least one.
func retryAfter(err error) string {
	seconds := 1.0
	if e, ok := errors.AsType[*federation.Error](err); ok {
		seconds = max(seconds, math.Ceil(e.RetryAfter.Seconds()))
	}
	return strconv.Itoa(int(seconds))
}
