package webhook

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"sync"
	"sync/atomic"
	"time"

	"sigs.k8s.io/controller-runtime/pkg/healthz"
	crwebhook "sigs.k8s.io/controller-runtime/pkg/webhook"
)

// Server is the manager's webhook server: admission over TLS, by raw http.Handlers.
//
// controller-runtime's own implementation of this interface is not used, since it
// has no read or write timeout, takes headers of 1 MiB from anybody, and gives each
// request the manager's context: a ServiceAccount that is being read for a review
// under way would be given up as soon as the manager stops.
type Server struct {
	http          *http.Server
	mux           *http.ServeMux
	log           *slog.Logger
	shutdownDelay time.Duration

	draining sync.Once
	stopping atomic.Bool
	started  atomic.Bool
}

var _ crwebhook.Server = (*Server)(nil)

// ServerOptions of a Server.
type ServerOptions struct {
	// Listen is the address, as host:port.
	Listen string
	// TLS has the serving certificate, and how clients are authenticated.
	TLS *tls.Config
	// ShutdownDelay is how long admission goes on after readiness has gone: until
	// every kube-proxy and API server has noticed.
	ShutdownDelay time.Duration
	Log           *slog.Logger
}

// NewServer gives a server; Register says what it serves.
func NewServer(o ServerOptions) *Server {
	s := &Server{mux: http.NewServeMux(), log: o.Log, shutdownDelay: o.ShutdownDelay}
	s.http = newHTTPServer(o.Listen, http.HandlerFunc(s.serve), maxConnections, o.Log)
	s.http.TLSConfig = o.TLS
	return s
}

// Start serves until ctx ends and the reviews under way are answered. It returns an
// error if the address is taken.
func (s *Server) Start(ctx context.Context) error {
	listener, err := new(net.ListenConfig).Listen(ctx, "tcp", s.http.Addr)
	if err != nil {
		return fmt.Errorf("listen for admission: %w", err)
	}
	// Without a signal before: another part of the process has failed.
	context.AfterFunc(ctx, s.drain)
	s.started.Store(true)
	s.log.Info("Serving", "admission", listener.Addr().String())
	if err := s.http.ServeTLS(listener, "", ""); !errors.Is(err, http.ErrServerClosed) {
		return fmt.Errorf("serve admission: %w", err)
	}
	s.drain() // waits for the one that is under way
	return nil
}

// Register serves a handler at a path.
func (s *Server) Register(path string, handler http.Handler) { s.mux.Handle(path, handler) }

// WebhookMux is where Register registers.
func (s *Server) WebhookMux() *http.ServeMux { return s.mux }

// NeedLeaderElection is false: each replica serves.
func (*Server) NeedLeaderElection() bool { return false }

// StartedChecker fails until the server serves, and once it has begun to stop.
func (s *Server) StartedChecker() healthz.Checker {
	return func(*http.Request) error {
		switch {
		case s.stopping.Load():
			return errors.New("stopping")
		case !s.started.Load():
			return errors.New("waiting for the admission server")
		}
		return nil
	}
}
