package webhook

import (
	"context"
	"time"
)

// drainTimeout is how long reviews under way may take once no new ones are let in.
const drainTimeout = 10 * time.Second

// Lifetime gives the context that the manager lives in. It outlives ctx, which ends
// with the first signal: readiness goes, admission goes on for ShutdownDelay, the
// reviews under way are answered, and only then it ends.
//
// So nothing of the manager's stops before the last review is answered. Told of the
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
