package broker

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"strings"
	"time"

	"github.com/podpass-io/podpass/broker/awsapi"
	"github.com/podpass-io/podpass/broker/azureapi"
	"github.com/podpass-io/podpass/broker/gcpapi"
	"github.com/podpass-io/podpass/broker/imdsapi"
	"github.com/podpass-io/podpass/broker/metrics"
	"github.com/podpass-io/podpass/broker/tokenapi"
)

// serveMetrics serves Prometheus on an address of its own, for the scraper is not
// in the pod; they tell no secret.
func (b *Broker) serveMetrics(ctx context.Context) error {
	if b.metrics == nil {
		return nil
	}
	listener, err := new(net.ListenConfig).Listen(ctx, "tcp", b.config.MetricsListen)
	if err != nil {
		return fmt.Errorf("listen for metrics: %w", err)
	}
	mux := http.NewServeMux()
	mux.Handle("GET /metrics", b.metrics)
	server := &http.Server{
		Handler: mux, ReadTimeout: readTimeout, WriteTimeout: writeTimeout, IdleTimeout: idleTimeout, MaxHeaderBytes: maxHeaderBytes,
		ErrorLog: slog.NewLogLogger(b.log.Handler(), slog.LevelDebug),
	}
	stop := context.AfterFunc(ctx, func() { _ = server.Close() })
	defer stop()
	if err := server.Serve(listener); !errors.Is(err, http.ErrServerClosed) {
		return fmt.Errorf("serve metrics: %w", err)
	}
	return nil
}

// remaining is the life left of the pod's own credential, by cloud; of several, the
// least.
func (b *Broker) remaining() map[string]time.Duration {
	m := map[string]time.Duration{}
	for _, s := range b.cache.Snapshot() {
		if s.Pinned {
			left := time.Duration(0)
			if s.Valid() {
				left = time.Until(s.ValidUntil)
			}
			if least, ok := m[s.Cloud]; !ok || left < least {
				m[s.Cloud] = left
			}
		}
	}
	return m
}

// counted counts the requests of a handler.
type counted struct {
	http.Handler
	metrics *metrics.Metrics
}

func (c counted) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	s := &statusWriter{ResponseWriter: w, status: http.StatusOK}
	c.Handler.ServeHTTP(s, r)
	c.metrics.Requested(protocol(r.URL.Path), s.status)
}

// protocol of a path, for metrics.
func protocol(path string) string {
	switch {
	case path == awsapi.Path || strings.HasPrefix(path, awsapi.Path+"/") || imdsapi.IsIMDS(path):
		return "aws"
	case gcpapi.IsMetadata(path):
		return "gcp"
	case path == azureapi.Path || azureapi.IsIMDS(path):
		return "azure"
	case strings.HasPrefix(path, tokenapi.Path+"/"):
		return "oidc"
	case path == ReadyPath || path == HealthPath:
		return "probe"
	case path == ExplainPath:
		return "explain"
	}
	return "other"
}

type statusWriter struct {
	http.ResponseWriter
	status int
}

func (w *statusWriter) WriteHeader(status int) {
	w.status = status
	w.ResponseWriter.WriteHeader(status)
}
