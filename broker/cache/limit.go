package cache

import (
	"context"
	"time"

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

// limit is how many exchanges with one cloud requests may still begin: a token
// bucket. The cache's mutex guards it; its zero value is full.
type limit struct {
	// full is when nothing will be missing any more: each request moves it by newEvery.
	full time.Time
}

// take is for how long a request must wait; 0: not at all.
func (l *limit) take(now time.Time) time.Duration {
	if l.full.Before(now) {
		l.full = now
	}
	if wait := l.full.Sub(now) - (newAtOnce-1)*newEvery; wait > 0 {
		return wait
	}
	l.full = l.full.Add(newEvery)
	return 0
}

// exchanging marks the contexts of exchanges. What an exchange starts from (a
// federated token, another role's credential) is not the application's wish, and a
// flood of such wishes must not keep it from being renewed.
type exchanging struct{}

func withinExchange(ctx context.Context) context.Context {
	return context.WithValue(ctx, exchanging{}, true)
}

// admit finds the entry of e, whose key is key, or makes it, if it needs no exchange or the limit allows
// one. c.mu is held.
func (c *Cache) admit(ctx context.Context, key string, e federation.Exchanger) (*entry, error) {
	now := time.Now()
	n, known := c.entries[key]
	if ctx.Value(exchanging{}) != nil || known && !n.needsExchange(now) {
		return c.entry(key, e), nil
	}
	cloud := cloudOf(key)
	l := c.limits[cloud]
	if l == nil {
		l = new(limit)
		c.limits[cloud] = l
	}
	wait := l.take(now)
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

// needsExchange reports that a request for n would begin one, in its own time.
func (n *entry) needsExchange(now time.Time) bool {
	return !n.pinned && n.running == nil && !n.valid(now) && !now.Before(n.retryAt)
}
