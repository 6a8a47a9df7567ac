package cache

import (
	"context"
	"time"

	"github.com/podpass-io/podpass/federation"
)

// stale reports that n has less left than SDKs want, though nothing is wrong with
// the cloud: nobody asked for so long that it was not renewed ahead. An SDK that is
// given it would ask again at once, and again.
func (n *entry) stale(now time.Time) bool {
	return n.err == nil && n.credential.Expiry.Remaining(now) < n.leadOf(n.credential.Expiry.Life())
}

// fresh waits for n's renewal, which closes done, and gives what is valid then. If
// that takes more than half of the requester's patience, the old credential will do:
// the rest is for what the requester makes of it, another exchange perhaps.
func (c *Cache) fresh(ctx context.Context, n *entry, old federation.Credential, done <-chan struct{}) (federation.Credential, error) {
	if end, ok := ctx.Deadline(); ok {
		var cancel context.CancelFunc
		ctx, cancel = context.WithTimeout(ctx, time.Until(end)/2)
		defer cancel()
	}
	select {
	case <-ctx.Done():
		return old, nil
	case <-done:
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if !n.valid(time.Now()) {
		return federation.Credential{}, n.err
	}
	return n.credential, nil
}
