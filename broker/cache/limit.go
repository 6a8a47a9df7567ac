package cache

import (
	"context"
	"time"

	"golang.org/x/time/rate"

	"github.com/podpass-io/podpass/federation"
)

// An application may ask for any scope, audience and resource. Options.Max bounds
// what that costs in memory; these bound what it costs the cloud, whose quota all
// pods of a project share (Google's STS: 6,000 calls a minute). Requests for what is
// not in memory may begin so many exchanges at once, and one more each newEvery.
// Renewals of what is in use do not count.
const (
	newAtOnce = 64
	newEvery  = time.Second
)

// limits are how many exchanges requests may still begin, by cloud. The cache's mutex
// guards them.
type limits map[string]*rate.Limiter

// take is for how long a request must wait; 0: not at all.
func (l limits) take(cloud string, now time.Time) time.Duration {
	if l[cloud] == nil {
		l[cloud] = rate.NewLimiter(rate.Every(newEvery), newAtOnce)
	}
	r := l[cloud].ReserveN(now, 1)
	wait := r.DelayFrom(now)
	if wait > 0 {
		r.CancelAt(now)
	}
	return wait
}

// exchanging marks the contexts of exchanges. What an exchange starts from (a
// federated token, another role's credential) is not the application's wish, and a
// flood of such wishes must not keep it from being renewed.
type exchanging struct{}

func withinExchange(ctx context.Context) context.Context {
	return context.WithValue(ctx, exchanging{}, true)
}

func isWithinExchange(ctx context.Context) bool { return ctx.Value(exchanging{}) != nil }

// admit finds the entry of e, whose key is key, or makes it, if it needs no exchange or
// the limit allows one. c.mu is held.
func (c *Cache) admit(ctx context.Context, key string, e federation.Exchanger) (*entry, error) {
	now := time.Now()
	n, known := c.entries[key]
	if isWithinExchange(ctx) || known && !n.charged(now) {
		return c.entry(key, e), nil
	}
	cloud := cloudOf(key)
	wait := c.limits.take(cloud, now)
	switch {
	case wait == 0:
		return c.entry(key, e), nil
	case known && n.err != nil:
		return nil, n.err // the cause is worth more than that it was not tried again
	}
	return nil, &federation.Error{
		Kind: federation.KindThrottled, Cloud: cloud, RetryAfter: wait,
		Message: "podpass: this pod asks for too many different credentials at once",
		Hint:    "ask for fewer different scopes, audiences or resources, or keep what was given until it ends",
	}
}

// charged reports that a request for n would ask its cloud, in its own time.
func (n *entry) charged(now time.Time) bool {
	return !n.pinned && n.running == nil && !n.valid(now) && !n.pausing(now) && !local(n.err)
}
