package cache

import (
	"math/rand/v2"
	"time"

	"github.com/podpass-io/podpass/federation"
)

// entry is what is known of one credential. The cache's mutex guards what changes.
type entry struct {
	exchanger federation.Exchanger
	cloud     string
	name      string // among the pod's own
	pinned    bool

	credential federation.Credential // valid while its Expiry says so
	renewAt    time.Time
	used       time.Time
	running    *flight // under way; nil: none

	failure
}

func (n *entry) valid(now time.Time) bool { return !n.credential.Expiry.Expired(now) }

// idle reports that nobody needs it renewed: nobody has asked since it came, or it
// failed, and the next request will try again.
func (n *entry) idle(now time.Time) bool {
	if n.pinned {
		return false
	}
	return !n.valid(now) || !n.used.After(n.credential.Expiry.Issued())
}

// forgettable reports that nothing is lost with it. A failure is remembered for
// some time, so that the pauses between exchanges grow.
func (n *entry) forgettable(now time.Time) bool {
	return !n.pinned && n.running == nil && !n.valid(now) && now.After(n.retryAt.Add(2*maxPause))
}

// due reports whether an exchange should begin now.
func (n *entry) due(now time.Time) bool { return n.running == nil && n.nextDue(now) <= 0 }

// nextDue is how long until an exchange should begin.
func (n *entry) nextDue(now time.Time) time.Duration {
	switch {
	case n.running != nil:
		return maxSleep // its end wakes Run
	case n.err != nil:
		return n.retryAt.Sub(now)
	}
	// By the monotonic clock, or by the life that the wall clock leaves.
	return min(n.renewAt.Sub(now), n.credential.Expiry.Remaining(now)-n.lead())
}

// stale reports that n has less left than SDKs want, though nothing is wrong with
// the cloud: nobody asked for so long that it was not renewed ahead. An SDK that is
// given it would ask again at once, and again.
func (n *entry) stale(now time.Time) bool {
	return n.err == nil && n.credential.Expiry.Remaining(now) < n.lead()
}

func (n *entry) succeeded(c federation.Credential) {
	n.credential, n.failure = c, failure{}
	after := c.Expiry.Life() - n.lead()
	if c.RefreshIn > 0 {
		after = min(after, c.RefreshIn)
	}
	// Earlier by up to a tenth: the pods of a rollout were all born together.
	after -= time.Duration(rand.Float64() * 0.1 * float64(after)) //nolint:gosec // jitter
	n.renewAt = c.Expiry.Issued().Add(after)
}
