package webhook

import (
	"context"
	"net/http"
	"time"
)

// drainTimeout is how long reviews under way may take once no new ones are let in.
const drainTimeout = 10 * time.Second

// Lifetime gives the context that the manager lives in. It outlives ctx, which ends
// with the first signal: readiness goes, admission goes on for ShutdownDelay, the
// reviews under way are answered, and only then it ends.
//
// So nothing of the manager's stops before the last review is answered. If it saw the
// signal itself, it would stop what feeds the handlers first, and the server last.
func (s *Server) Lifetime(ctx context.Context) (context.Context, context.CancelFunc) {
	lifetime, end := context.WithCancel(context.WithoutCancel(ctx))
	context.AfterFunc(ctx, func() {
		defer end()
		s.stopping.Store(true)
		s.log.Info("Stopping: no longer ready, still serving", "for", s.shutdownDelay.String())
		time.Sleep(s.shutdownDelay)
		s.drain()
	})
	return lifetime, end
}

// serve answers a review, and once the server has begun to stop ends the connection
// with the answer. API servers keep theirs although the endpoint is gone, and would
// lose the reviews that they send as drain closes them; a new one leads elsewhere.
func (s *Server) serve(w http.ResponseWriter, r *http.Request) {
	if s.stopping.Load() {
		w.Header().Set("Connection", "close") // in HTTP/2: GOAWAY
	}
	s.mux.ServeHTTP(w, r)
}

// drain lets no new reviews in and waits for those under way. Whoever calls it
// while it is under way waits too.
func (s *Server) drain() {
	s.draining.Do(func() {
		s.stopping.Store(true)
		ctx, cancel := context.WithTimeout(context.Background(), drainTimeout)
		defer cancel()
		if err := s.http.Shutdown(ctx); err != nil {
			s.log.Warn("Reviews were not answered in time", "after", drainTimeout.String(), "error", err)
			_ = s.http.Close() // they are given up; nothing is left to be said of it
		}
		s.log.Info("Admission has stopped")
	})
}
