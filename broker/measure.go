package broker

import (
	"context"
	"errors"
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
// in the pod; they tell no secret. Who cannot be measured still has its credentials: a
// port that is taken is reported, and no reason to end.
func (b *Broker) serveMetrics(ctx context.Context) error {
	if b.metrics == nil {
		return nil
	}
	listener, err := new(net.ListenConfig).Listen(ctx, "tcp", b.config.MetricsListen)
	if err != nil {
		b.log.Error("No metrics are served", "address", b.config.MetricsListen, "error", err, "hint", "let no other container of the pod use the port of the chart value broker.metricsPort")
		return nil
	}
	mux := http.NewServeMux()
	mux.Handle("GET /metrics", b.metrics)
	server := b.httpServer(b.recovered(mux))
	stop := context.AfterFunc(ctx, func() { _ = server.Close() })
	defer stop()
	if err := server.Serve(listener); !errors.Is(err, http.ErrServerClosed) {
		b.log.Error("Metrics are served no longer", "error", err)
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

// Unwrap is for http.ResponseController.
func (w *statusWriter) Unwrap() http.ResponseWriter { return w.ResponseWriter }

func (w *statusWriter) WriteHeader(status int) {
	w.status = status
	w.ResponseWriter.WriteHeader(status)
}
