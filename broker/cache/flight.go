package cache

import (
	"context"
	"errors"
	"time"

	"github.com/podpass-io/podpass/federation"
)

// flight is one exchange, for which any number of requests wait.
type flight struct {
	// done is closed when the exchange has ended; then the others stay as they are.
	done       chan struct{}
	credential federation.Credential
	err        error

	began time.Time
}

// start begins n's exchange unless it is under way. c.mu is held.
func (c *Cache) start(n *entry) *flight {
	if n.running != nil {
		return n.running
	}
	f := &flight{done: make(chan struct{}), began: time.Now()}
	if c.stopped {
		f.err = &federation.Error{Kind: federation.KindUnavailable, Cloud: n.cloud, RetryAfter: time.Second, Message: "podpass: the broker is stopping"}
		close(f.done)
		return f
	}
	n.running = f
	c.flights.Go(func() { c.fly(n, f) })
	return f
}

func (c *Cache) fly(n *entry, f *flight) {
	ctx, cancel := context.WithTimeout(c.base, c.opts.Timeout)
	defer cancel()
	f.credential, f.err = exchange(ctx, n)
	ended := time.Now()
	result := result{cloud: n.cloud, credential: f.credential, err: f.err, took: ended.Sub(f.began), canceled: f.err != nil && c.base.Err() != nil}
	c.mu.Lock()
	if f.err == nil {
		n.succeeded(f.credential)
	} else {
		n.failed(f.err, ended)
	}
	result.renewal, result.retry, result.again = n.valid(ended), n.retryAt.Sub(ended), !n.newsworthy(ended)
	n.running = nil
	c.mu.Unlock()
	close(f.done)
	c.look()
	c.report(result)
}

// wait gives the flight's result, for as long as ctx lasts.
func (f *flight) wait(ctx context.Context, cloud string) (federation.Credential, error) {
	select {
	case <-f.done:
		return f.result(cloud)
	case <-ctx.Done():
	}
	if errors.Is(ctx.Err(), context.Canceled) {
		return federation.Credential{}, &federation.Error{Kind: federation.KindCanceled, Cloud: cloud, Err: ctx.Err()}
	}
	return federation.Credential{}, &federation.Error{
		Kind: federation.KindUnavailable, Cloud: cloud, RetryAfter: time.Second,
		Message: "the cloud has not answered yet", Hint: "the exchange goes on; ask again",
	}
}

// result of a flight that has ended. A request that was long in coming back to it, on a
// machine that slept, must not serve what has ended meanwhile.
func (f *flight) result(cloud string) (federation.Credential, error) {
	if f.err == nil && f.credential.Expiry.Expired(time.Now()) {
		return federation.Credential{}, &federation.Error{
			Kind: federation.KindUnavailable, Cloud: cloud, RetryAfter: time.Second,
			Message: "the credential ended as it came", Hint: "ask again",
		}
	}
	return f.credential, f.err
}

// fresher waits for a renewal, and gives what is valid then. If that takes more than
// half of the requester's patience, the old credential will do: the rest is for what
// the requester makes of it, another exchange perhaps.
func (f *flight) fresher(ctx context.Context, cloud string, old federation.Credential) (federation.Credential, error) {
	if end, ok := ctx.Deadline(); ok {
		var cancel context.CancelFunc
		ctx, cancel = context.WithTimeout(ctx, time.Until(end)/2)
		defer cancel()
	}
	renewed, err := f.wait(ctx, cloud)
	if err == nil || old.Expiry.Expired(time.Now()) {
		return renewed, err
	}
	return old, nil
}
