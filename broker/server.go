package broker

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"runtime/debug"
	"time"

	"golang.org/x/sync/errgroup"
)

// Bounds of the server. Requests are a few hundred bytes, from one pod.
const (
	maxHeaderBytes = 8 << 10
	// maxConnections bounds what an application that opens connections and never
	// closes them can cost; see connections for which end when there are more.
	maxConnections = 1024
	readTimeout    = 5 * time.Second
	// writeTimeout is longer than the longest wait for an exchange.
	writeTimeout = 15 * time.Second
	idleTimeout  = 60 * time.Second
	// stopTimeout is how long requests may take to end after SIGTERM.
	stopTimeout = 5 * time.Second
)

// httpServer is one with these bounds.
func (b *Broker) httpServer(h http.Handler) *http.Server {
	return &http.Server{
		Handler:        h,
		ReadTimeout:    readTimeout,
		WriteTimeout:   writeTimeout,
		IdleTimeout:    idleTimeout,
		MaxHeaderBytes: maxHeaderBytes,
		ErrorLog:       slog.NewLogLogger(b.log.Handler(), slog.LevelDebug),
	}
}

// Run serves until ctx ends, then lets requests end. With a strict start, its error is
// why the pod has not started.
func (b *Broker) Run(ctx context.Context) error {
	listener, err := new(net.ListenConfig).Listen(ctx, "tcp", b.config.Listen)
	if err != nil {
		return fmt.Errorf("listen: %w; annotate the pod with podpass.io/broker-port if another container uses the port", err)
	}
	return b.serve(ctx, listener)
}

func (b *Broker) serve(ctx context.Context, listener net.Listener) error {
	connections := limitConnections(listener, maxConnections)
	server := b.httpServer(connections.busyWhile(b.server))
	server.ConnState, server.ConnContext = connections.changed, withConnection
	server.RegisterOnShutdown(func() { close(b.stopping) })
	i := b.config.identities
	b.log.Info("Serving", "address", listener.Addr().String(), "aws", i.AWS != nil, "gcp", i.GCP != nil, "azure", i.Azure != nil, "oidc", i.OIDC != nil)
	// Exchanges that requests wait for go on until these have their answers.
	drained, drain := context.WithCancel(context.WithoutCancel(ctx))
	group, ctx := errgroup.WithContext(ctx)
	group.Go(func() error { return b.cache.Run(drained) })
	group.Go(func() error { return b.strictStart(ctx) })
	group.Go(func() error { return b.serveMetrics(ctx) })
	group.Go(func() error { return b.tidyUp(ctx) })
	group.Go(func() error {
		if err := server.Serve(connections); !errors.Is(err, http.ErrServerClosed) {
			return fmt.Errorf("serve: %w", err)
		}
		return nil
	})
	group.Go(func() error {
		defer drain()
		<-ctx.Done()
		b.stop(server)
		return nil
	})
	return group.Wait()
}

// stop lets requests end. Those that do not end in time are no failure of the broker's:
// a client may read as slowly as it likes.
func (b *Broker) stop(server *http.Server) {
	ctx, cancel := context.WithTimeout(context.Background(), stopTimeout)
	defer cancel()
	if err := server.Shutdown(ctx); err != nil {
		b.log.Warn("Stopped with requests under way", "error", errors.Join(err, server.Close()))
		return
	}
	b.log.Info("Stopped")
}

// tidyUp gives back the memory of the first exchanges, which is most of what the
// broker ever needs: after them it idles for the better part of an hour, in every
// pod of the cluster.
func (b *Broker) tidyUp(ctx context.Context) error {
	const poll = 200 * time.Millisecond
	for len(b.awaited()) > 0 {
		select {
		case <-ctx.Done():
			return nil
		case <-time.After(poll):
		}
	}
	debug.FreeOSMemory()
	return nil
}
