package webhook

import (
	"log/slog"
	"net/http"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/promhttp"
	"sigs.k8s.io/controller-runtime/pkg/healthz"
)

const (
	// maxProbeConnections at one time: kubelet opens one a probe, scrapers keep theirs.
	maxProbeConnections = 32
	// maxScrapes at one time, each of some 100 KiB.
	maxScrapes = 4
)

// NewProbeServer gives the server of health, readiness and metrics, in the clear and
// together on one port, as scrape configurations know it. /healthz is about the
// process alone: what a restart would not mend must not cause one.
//
// The manager's own servers of these take headers of 1 MiB from anybody, on any number
// of connections.
func NewProbeServer(listen string, ready healthz.Checker, metrics prometheus.Gatherer, log *slog.Logger) *http.Server {
	mux := http.NewServeMux()
	mux.Handle("/healthz", healthz.CheckHandler{Checker: healthz.Ping})
	mux.Handle("/readyz", healthz.CheckHandler{Checker: ready})
	mux.Handle("/metrics", promhttp.HandlerFor(metrics, promhttp.HandlerOpts{
		ErrorLog: slog.NewLogLogger(log.Handler(), slog.LevelError), MaxRequestsInFlight: maxScrapes,
	}))
	return newHTTPServer(listen, mux, maxProbeConnections, log)
}
