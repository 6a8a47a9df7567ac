package broker

import (
	"errors"
	"fmt"
	"net/http"
	"runtime/debug"

	"github.com/podpass-io/podpass/federation"
)

// recovered answers 500 where h panics, and reports it: net/http would close the
// connection, and write a line that nobody sees.
func (b *Broker) recovered(h http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		defer func() {
			cause := recover()
			if cause == nil {
				return
			}
			if err, ok := cause.(error); ok && errors.Is(err, http.ErrAbortHandler) {
				panic(cause) // a handler's way to close the connection
			}
			if b.metrics != nil {
				b.metrics.Panicked()
			}
			b.log.Error("Handler panicked", "path", federation.Clip(r.URL.Path, 256), "panic", fmt.Sprint(cause), "stack", string(debug.Stack()))
			http.Error(w, "podpass-broker: internal error; its log has the cause", http.StatusInternalServerError)
		}()
		h.ServeHTTP(w, r)
	})
}
