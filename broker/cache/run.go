package cache

import (
	"context"
	"time"
)

// maxSleep bounds how long Run sleeps, so that a clock that was set, or a machine
// that slept, is noticed soon.
const maxSleep = 30 * time.Second

// Run renews credentials until ctx ends; then it cancels the exchanges under way and
// waits for them. From then on requests are answered from memory, or with an error:
// whoever serves requests lets these end first.
func (c *Cache) Run(ctx context.Context) error {
	defer c.stop()
	timer := time.NewTimer(0)
	for {
		select {
		case <-ctx.Done():
			return nil
		case <-c.wake:
		case <-timer.C:
		}
		timer.Reset(c.renew())
	}
}

// stop ends all flights. None begins after stopped is set, so that nothing is added to
// what is waited for.
func (c *Cache) stop() {
	c.mu.Lock()
	c.stopped = true
	c.mu.Unlock()
	c.cancel()
	c.flights.Wait()
}

// renew starts what is due and gives the time until it must look again.
func (c *Cache) renew() time.Duration {
	c.mu.Lock()
	defer c.mu.Unlock()
	now := time.Now()
	sleep := maxSleep
	for key, n := range c.entries {
		switch {
		case n.forgettable(now):
			delete(c.entries, key)
		case n.idle(now):
		case n.due(now):
			c.start(n)
		default:
			sleep = min(sleep, n.nextDue(now))
		}
	}
	return max(sleep, 10*time.Millisecond)
}
