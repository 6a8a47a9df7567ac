// Package cache keeps the credentials of a pod: one policy for time and failure,
// whatever the cloud.
//
// Of any number of concurrent requests for a credential, one makes the exchange
// and all get its result, success or failure. A credential is renewed in the
// background well before it ends; if that fails, the old one is served for as
// long as it is valid, and renewal is tried again with growing pauses. When
// nothing valid is left, requests get the cause, from memory, until the pause is
// over: a flood of requests makes no flood of exchanges. A failure for which no
// cloud was asked, as with a token that has expired in its file, has no such pause.
package cache

import (
	"context"
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
	base    context.Context
	cancel  context.CancelFunc
	flights sync.WaitGroup
	wake    chan struct{}

	mu      sync.Mutex
	stopped bool // no flight begins any more
	entries map[string]*entry
	limits  limits
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
	c := &Cache{opts: opts, wake: make(chan struct{}, 1), entries: map[string]*entry{}, limits: limits{}}
	c.base, c.cancel = context.WithCancel(withinExchange(context.Background()))
	return c
}

// Get gives e's credential: from memory while it is valid, else by an exchange,
// for which it waits until ctx ends. Its errors are *federation.Error.
func (c *Cache) Get(ctx context.Context, e federation.Exchanger) (federation.Credential, error) {
	credential, err := c.get(ctx, e)
	return credential, seen(ctx, err)
}

func (c *Cache) get(ctx context.Context, e federation.Exchanger) (federation.Credential, error) {
	key := e.Key()
	c.mu.Lock()
	n, err := c.admit(ctx, key, e)
	if err != nil {
		c.mu.Unlock()
		return federation.Credential{}, err
	}
	now := time.Now()
	n.used = now
	valid := n.valid(now)
	if !valid && n.pausing(now) {
		err, pause := n.err, n.askAt.Sub(now)
		c.mu.Unlock()
		// A transient failure whose pause is nearly over is not worth an error. This
		// also keeps the pauses of an exchange and of the one that it starts from (a
		// federated token) from adding up.
		if federation.Transient(err) && pause < patience(ctx, now)/2 && sleep(ctx, pause) {
			return c.get(ctx, e)
		}
		c.asked(n, true)
		return federation.Credential{}, laterBy(err, pause)
	}
	f := n.running
	if !valid || n.due(now) {
		f = c.start(n)
	}
	credential, fresher := n.credential, n.stale(now) // then an exchange is due: f is under way
	c.mu.Unlock()
	c.asked(n, valid && !fresher)
	switch {
	case !valid:
		return f.wait(ctx, n.cloud)
	case fresher:
		return f.fresher(ctx, n.cloud, credential)
	}
	return credential, nil
}

// Pin keeps e's credential in memory and renewed, whether anybody asks or not; Run
// begins with it. name is what it is called among the pod's own: "aws", "aws/reports".
func (c *Cache) Pin(name string, e federation.Exchanger) {
	c.mu.Lock()
	n := c.entry(e.Key(), e)
	n.pinned, n.name = true, name
	c.mu.Unlock()
	c.look()
}

// look makes Run look at once at what is due.
func (c *Cache) look() {
	select {
	case c.wake <- struct{}{}:
	default: // it is about to look anyway
	}
}

func cloudOf(key string) string {
	cloud, _, _ := strings.Cut(key, "/")
	return cloud
}
