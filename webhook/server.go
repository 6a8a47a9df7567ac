package webhook

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"sync/atomic"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/promhttp"
	"golang.org/x/sync/errgroup"
)

// Certificate is where the serving certificate comes from: servingcert.Source, or
// servingcert.Files.
type Certificate interface {
	Run(ctx context.Context) error
	Certificate(*tls.ClientHelloInfo) (*tls.Certificate, error)
	Ready() bool
	NotAfter() time.Time
}

// Store feeds the handler, and says when it knows everything once.
type Store interface {
	Start(ctx context.Context) error
	Synced() bool
}

// Server runs the webhook: admission over TLS, probes and metrics in the clear.
type Server struct {
	// Listen, ProbeListen: addresses for admission, and for probes and metrics.
	Listen, ProbeListen string
	// ShutdownDelay is how long admission goes on after readiness has gone: until
	// every kube-proxy and API server has noticed.
	ShutdownDelay time.Duration
	// Pods and ServiceAccounts answer reviews of these.
	Pods, ServiceAccounts http.Handler
	Certificate           Certificate
	Store                 Store
	// Audit, if not nil, runs beside them, until the very end.
	Audit   interface{ Run(context.Context) error }
	Metrics prometheus.Gatherer
	Log     *slog.Logger

	stopping atomic.Bool
}

// ready is why the replica must not be sent reviews; nil: it may.
func (s *Server) ready() error {
	switch {
	case s.stopping.Load():
		return errors.New("stopping")
	case !s.Store.Synced():
		return errors.New("waiting for the first list of ServiceAccounts")
	case !s.Certificate.Ready():
		return errors.New("waiting for the serving certificate and its registration")
	}
	return nil
}

// Bounds of the two servers. The API server waits at most 30 s for an admission.
const (
	headerTimeout = 5 * time.Second
	requestTime   = 30 * time.Second
	idleTime      = 3 * time.Minute // the API server keeps connections; let it
	drainTime     = 10 * time.Second
)

// Run serves until ctx ends, then goes down without losing a review.
func (s *Server) Run(ctx context.Context) error {
	mux := http.NewServeMux()
	mux.Handle("/mutate", s.Pods)
	mux.Handle("/mutate"+optedInPath, s.Pods)
	mux.Handle("/validate-serviceaccounts", s.ServiceAccounts)
	admission := &http.Server{
		Handler: mux, ReadHeaderTimeout: headerTimeout, ReadTimeout: requestTime, WriteTimeout: requestTime, IdleTimeout: idleTime,
		MaxHeaderBytes: 16 << 10,
		TLSConfig:      &tls.Config{MinVersion: tls.VersionTLS12, GetCertificate: s.Certificate.Certificate},
		ErrorLog:       slog.NewLogLogger(s.Log.Handler(), slog.LevelDebug),
	}
	probes := &http.Server{Handler: s.probes(), ReadHeaderTimeout: headerTimeout, ReadTimeout: requestTime, WriteTimeout: requestTime}
	var listen net.ListenConfig
	admissionListener, err := listen.Listen(ctx, "tcp", s.Listen)
	if err != nil {
		return fmt.Errorf("listen for admission: %w", err)
	}
	probeListener, err := listen.Listen(ctx, "tcp", s.ProbeListen)
	if err != nil {
		return errors.Join(fmt.Errorf("listen for probes: %w", err), admissionListener.Close())
	}
	s.Log.Info("Serving", "admission", admissionListener.Addr().String(), "probes", probeListener.Addr().String())

	// What feeds the handler outlives ctx: reviews are answered until the very end.
	feeding, stopFeeding := context.WithCancel(context.WithoutCancel(ctx))
	defer stopFeeding()
	group, ctx := errgroup.WithContext(ctx)
	group.Go(func() error { return s.Store.Start(feeding) })
	group.Go(func() error { return s.Certificate.Run(feeding) })
	if s.Audit != nil {
		group.Go(func() error { return s.Audit.Run(feeding) })
	}
	group.Go(func() error { return served(admission.ServeTLS(admissionListener, "", "")) })
	group.Go(func() error { return served(probes.Serve(probeListener)) })
	group.Go(func() error {
		<-ctx.Done()
		defer stopFeeding()
		s.stopping.Store(true)
		s.Log.Info("Stopping: no longer ready, still serving", "for", s.ShutdownDelay.String())
		time.Sleep(s.ShutdownDelay)
		drain, cancel := context.WithTimeout(context.WithoutCancel(ctx), drainTime)
		defer cancel()
		err := errors.Join(admission.Shutdown(drain), probes.Shutdown(drain))
		s.Log.Info("Stopped")
		return err
	})
	return group.Wait()
}

func served(err error) error {
	if errors.Is(err, http.ErrServerClosed) {
		return nil
	}
	return err
}

func (s *Server) probes() http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("GET /healthz", func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusOK) })
	mux.HandleFunc("GET /readyz", func(w http.ResponseWriter, _ *http.Request) {
		if err := s.ready(); err != nil {
			http.Error(w, err.Error(), http.StatusServiceUnavailable)
			return
		}
		w.WriteHeader(http.StatusOK)
	})
	mux.Handle("GET /metrics", promhttp.HandlerFor(s.Metrics, promhttp.HandlerOpts{}))
	return mux
}
