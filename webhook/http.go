package webhook

import (
	"log/slog"
	"net/http"
	"time"
)

// Bounds of a connection and of a request. The API server waits at most 30 s for an
// admission.
const (
	headerTimeout  = 5 * time.Second // the TLS handshake too
	requestTimeout = 30 * time.Second
	idleTimeout    = 3 * time.Minute // the API server keeps connections; let it
	maxHeaderBytes = 16 << 10
	// maxStreams of one connection: an API server opens another when it needs more.
	maxStreams = 100
)

// newHTTPServer has a bound for all that a client may take of it.
func newHTTPServer(listen string, handler http.Handler, maxConnections int, log *slog.Logger) *http.Server {
	connections := &connections{most: maxConnections}
	return &http.Server{
		Addr: listen, Handler: handler, ConnState: connections.changed,
		ReadHeaderTimeout: headerTimeout, ReadTimeout: requestTimeout, WriteTimeout: requestTimeout, IdleTimeout: idleTimeout,
		MaxHeaderBytes: maxHeaderBytes, HTTP2: &http.HTTP2Config{MaxConcurrentStreams: maxStreams},
		// Anybody can make a TLS handshake fail. Panics do not come here: the handlers
		// count and log their own.
		ErrorLog: slog.NewLogLogger(log.Handler(), slog.LevelDebug),
	}
}
