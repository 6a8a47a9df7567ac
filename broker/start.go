package broker

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/podpass-io/podpass/broker/cache"
	"github.com/podpass-io/podpass/federation"
)

// awaited are the credentials for which the pod waits with its start. A strict start
// waits for each, unless its cloud has proved that it trusts the pod; another one only
// for as long as it makes sense.
func (b *Broker) awaited() []cache.State {
	var list []cache.State
	for _, s := range b.cache.Snapshot() {
		if s.Awaited() || b.config.strict && s.Pinned && !s.Valid() && !s.ProvesTrust {
			list = append(list, s)
		}
	}
	return list
}

// pending says what the pod waits for, and why each is not there: it is all that
// `kubectl describe pod` shows of a pod that does not start.
func (b *Broker) pending() []string {
	var list []string
	for _, s := range b.awaited() {
		list = append(list, s.Name+reason(s))
	}
	return list
}

// maxReason bounds an error in a text with several; Kubernetes cuts that of an event
// at 1 KiB.
const maxReason = 480

func reason(s cache.State) string {
	switch {
	case s.Err != nil:
		return fmt.Sprintf(" (%s: %s)", federation.KindOf(s.Err), federation.Clip(oneLine(s.Err), maxReason))
	case !s.Exchanging.IsZero():
		return fmt.Sprintf(" (no answer for %s)", time.Since(s.Exchanging).Round(time.Second))
	}
	return ""
}

func oneLine(err error) string { return strings.Join(strings.Fields(err.Error()), " ") }

// strictStart ends the broker with the cause when a credential is refused for good
// before the pod has started: kubelet shows it as the container's last state, and
// tries again. It does the same when the broker must end while it still waits.
// Afterwards it has nothing to say: who has started is served.
func (b *Broker) strictStart(ctx context.Context) error {
	const poll = 100 * time.Millisecond
	for b.config.strict {
		waits := b.awaited()
		if len(waits) == 0 {
			return nil
		}
		for _, s := range waits {
			if s.Refused {
				return fmt.Errorf("the pod must not start without its %s credentials (podpass.io/strict-start): %w", s.Name, s.Err)
			}
		}
		select {
		case <-ctx.Done():
			waits := b.pending()
			if len(waits) == 0 {
				return nil
			}
			return errors.New("stopped before the pod had all its credentials (podpass.io/strict-start), waiting for: " + strings.Join(waits, ", ") +
				"; if the pod's network comes with another of its containers, name that in podpass.io/broker-after")
		case <-time.After(poll):
		}
	}
	return nil
}
