// Package cache keeps the credentials of a pod: one policy for time and failure,
// whatever the cloud.
//
// Of any number of concurrent requests for a credential, one makes the exchange
// and all get its result, success or failure. A credential is renewed in the
// background well before it ends; if that fails, the old one is served for as
// long as it is valid, and renewal is tried again with growing pauses. When
// nothing valid is left, requests get the cause, from memory, until the pause is
// over: a flood of requests makes no flood of exchanges.
package cache

import (
	"context"
	"errors"
	"log/slog"
	"strings"
	"sync"
	"time"

	"github.com/podpass-io/podpass/federation"
)

// Options of a Cache; the zero value is the production default.
type Options struct {
	// Max bounds the number of credentials: an application may ask for any scope and
	// resource. Default 256.
	Max int
	// Timeout of one exchange. Default 10 s.
	Timeout time.Duration
	// Observer, if not nil, hears of what happens.
	Observer Observer
	Log      *slog.Logger
}

// Cache implements federation.Getter. It is safe for concurrent use; Run must run
// for credentials to be renewed in the background.
type Cache struct {
	opts Options

	// base bounds exchanges: they belong to the cache, not to the request that
	// happened to come first and may go away.
	base   context.Context
	cancel context.CancelFunc
	wg     sync.WaitGroup
	wake   chan struct{}

	mu      sync.Mutex
	entries map[string]*entry
	limits  map[string]*limit // by cloud
}

// New gives a Cache.
func New(opts Options) *Cache {
	if opts.Max == 0 {
		opts.Max = 256
	}
	if opts.Timeout == 0 {
		opts.Timeout = 10 * time.Second
	}
	if opts.Log == nil {
		opts.Log = slog.New(slog.DiscardHandler)
	}
	c := &Cache{opts: opts, wake: make(chan struct{}, 1), entries: map[string]*entry{}, limits: map[string]*limit{}}
	c.base, c.cancel = context.WithCancel(withinExchange(context.Background()))
	return c
}

// Get gives e's credential: from memory while it is valid, else by an exchange,
// for which it waits until ctx ends. Its errors are *federation.Error.
func (c *Cache) Get(ctx context.Context, e federation.Exchanger) (federation.Credential, error) {
	key := e.Key()
	c.mu.Lock()
	n, err := c.admit(ctx, key, e)
	if err != nil {
		c.mu.Unlock()
		return federation.Credential{}, err
	}
	now := time.Now()
	n.used = now
	if n.valid(now) {
		done := (<-chan struct{})(n.running)
		if n.due(now) {
			done = c.start(n)
		}
		credential, wait := n.credential, done != nil && n.stale(now)
		c.mu.Unlock()
		c.asked(n, !wait)
		if wait {
			return c.fresh(ctx, n, credential, done)
		}
		return credential, nil
	}
	if n.err != nil && n.running == nil && now.Before(n.retryAt) {
		err, pause := n.err, n.retryAt.Sub(now)
		c.mu.Unlock()
		// A transient failure whose pause is nearly over is not worth an error. This
		// also keeps the pauses of an exchange and of the one that it starts from (a
		// federated token) from adding up.
		if federation.KindOf(err).Transient() && pause < patience(ctx, now)/2 && sleep(ctx, pause) {
			return c.Get(ctx, e)
		}
		c.asked(n, true)
		return federation.Credential{}, laterBy(err, pause)
	}
	done := c.start(n)
	c.mu.Unlock()
	c.asked(n, false)

	select {
	case <-done:
		c.mu.Lock()
		defer c.mu.Unlock()
		if n.valid(time.Now()) {
			return n.credential, nil
		}
		return federation.Credential{}, n.err
	case <-ctx.Done():
		if errors.Is(ctx.Err(), context.Canceled) {
			return federation.Credential{}, &federation.Error{Kind: federation.KindCanceled, Cloud: n.cloud, Err: ctx.Err()}
		}
		return federation.Credential{}, &federation.Error{
			Kind: federation.KindUnavailable, Cloud: n.cloud, RetryAfter: time.Second,
			Message: "the cloud has not answered yet", Hint: "the exchange goes on; ask again",
		}
	}
}

// laterBy is err with what is left of the cloud's Retry-After, if it gave one: an SDK
// that heeds it would else wait for all of it once more.
func laterBy(err error, pause time.Duration) error {
	e, ok := errors.AsType[*federation.Error](err)
	if !ok || e.RetryAfter == 0 {
		return err
	}
	left := *e
	left.RetryAfter = pause
	return &left
}

// patience is how long ctx may still last; 0 if it has no end.
func patience(ctx context.Context, now time.Time) time.Duration {
	if end, ok := ctx.Deadline(); ok {
		return end.Sub(now)
	}
	return 0
}

// sleep waits for d; false: ctx ended first.
func sleep(ctx context.Context, d time.Duration) bool {
	select {
	case <-time.After(d):
		return true
	case <-ctx.Done():
		return false
	}
}

// Pin keeps e's credential in memory and renewed, whether anybody asks or not,
// and begins at once.
func (c *Cache) Pin(e federation.Exchanger) {
	c.mu.Lock()
	defer c.mu.Unlock()
	n := c.entry(e.Key(), e)
	n.pinned = true
	c.start(n)
}

// Pending names the clouds of pinned credentials for which it is worth waiting:
// neither there, nor refused for a reason that waiting does not mend, nor tried
// for some time.
func (c *Cache) Pending() (pending []string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	now := time.Now()
	for _, n := range c.entries {
		if n.pinned && !n.valid(now) && !n.refused() && n.failures < enoughTries {
			pending = append(pending, n.cloud)
		}
	}
	return pending
}

// Run renews credentials until ctx ends; then it ends the exchanges under way and
// waits for them.
func (c *Cache) Run(ctx context.Context) error {
	defer c.wg.Wait()
	defer c.cancel()
	timer := time.NewTimer(0)
	defer timer.Stop()
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

// maxSleep bounds how long Run sleeps, so that a clock that was set, or a machine
// that slept, is noticed soon.
const maxSleep = 30 * time.Second

// renew starts what is due and tells when to look again.
func (c *Cache) renew() time.Duration {
	c.mu.Lock()
	defer c.mu.Unlock()
	now := time.Now()
	sleep := maxSleep
	for key, n := range c.entries {
		if n.forgettable(now) {
			delete(c.entries, key)
			continue
		}
		if n.idle(now) {
			continue
		}
		if n.due(now) {
			c.start(n)
			continue
		}
		sleep = min(sleep, n.nextDue(now))
	}
	return max(sleep, 10*time.Millisecond)
}

// entry finds or makes the entry of e, whose key is key; c.mu is held.
func (c *Cache) entry(key string, e federation.Exchanger) *entry {
	if n, ok := c.entries[key]; ok {
		return n
	}
	if len(c.entries) >= c.opts.Max {
		c.evict()
	}
	n := &entry{exchanger: e, cloud: cloudOf(key)}
	c.entries[key] = n
	return n
}

// evict forgets the credential that was not asked for the longest.
func (c *Cache) evict() {
	var oldest string
	for key, n := range c.entries {
		if !n.pinned && n.running == nil && (oldest == "" || n.used.Before(c.entries[oldest].used)) {
			oldest = key
		}
	}
	delete(c.entries, oldest)
}

// start begins n's exchange unless it is under way; the channel closes when it
// has ended. c.mu is held.
func (c *Cache) start(n *entry) <-chan struct{} {
	if n.running != nil {
		return n.running
	}
	done := make(chan struct{})
	n.running = done
	c.wg.Go(func() {
		ctx, cancel := context.WithTimeout(c.base, c.opts.Timeout)
		defer cancel()
		begin := time.Now()
		credential, err := exchange(ctx, n)
		took := time.Since(begin)
		c.mu.Lock()
		if err == nil {
			n.succeeded(credential)
		} else {
			n.failed(err)
		}
		stillValid := n.valid(time.Now())
		retry := time.Until(n.retryAt)
		n.running = nil
		c.mu.Unlock()
		close(done)
		select {
		case c.wake <- struct{}{}:
		default: // Run is about to look anyway
		}
		if c.opts.Observer != nil {
			c.opts.Observer.Exchanged(n.cloud, err, took, stillValid)
		}
		c.log(n.cloud, credential, err, took, stillValid, retry)
	})
	return done
}

func (c *Cache) log(cloud string, credential federation.Credential, err error, took time.Duration, stillValid bool, retry time.Duration) {
	if err == nil {
		c.opts.Log.Info("Got credentials", "cloud", cloud, "principal", credential.Principal,
			"expires", credential.Expiry.Time(), "tookSeconds", took.Seconds())
		return
	}
	attributes := []any{"cloud", cloud, "kind", federation.KindOf(err), "tookSeconds", took.Seconds(), "retryInSeconds", retry.Seconds()}
	if f, ok := errors.AsType[*federation.Error](err); ok {
		attributes = append(attributes, "code", f.Code, "requestID", f.RequestID)
	}
	attributes = append(attributes, "error", err)
	if stillValid {
		c.opts.Log.Warn("Renewal failed; what is still valid is served", attributes...)
		return
	}
	c.opts.Log.Error("Exchange failed", attributes...)
}

func cloudOf(key string) string {
	cloud, _, _ := strings.Cut(key, "/")
	return cloud
}
