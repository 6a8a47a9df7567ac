package broker

import (
	"context"
	"fmt"
	"time"
)

// pending names the clouds for which the pod waits with its start. A strict start
// waits for each credential; another one only for as long as it makes sense.
func (b *Broker) pending() []string {
	if !b.config.strict {
		return b.cache.Pending()
	}
	var list []string
	for _, s := range b.cache.Snapshot() {
		if s.Pinned && !s.Valid() {
			list = append(list, s.Cloud)
		}
	}
	return list
}

// strictStart ends the broker with the cause when a credential is refused for good
// before the pod has started: kubelet shows it as the container's last state, and
// tries again. Afterwards it has nothing to say: who has started is served.
func (b *Broker) strictStart(ctx context.Context) error {
	const poll = 100 * time.Millisecond
	for b.config.strict && len(b.pending()) > 0 {
		for _, s := range b.cache.Snapshot() {
			if s.Pinned && !s.Valid() && s.Refused {
				return fmt.Errorf("the pod must not start without its %s credentials (podpass.io/strict-start): %w", s.Cloud, s.Err)
			}
		}
		select {
		case <-ctx.Done():
			return nil
		case <-time.After(poll):
		}
	}
	return nil
}
