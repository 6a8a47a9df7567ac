package cache

import (
	"errors"
	"math/rand/v2"
	"time"

	"github.com/podpass-io/podpass/federation"
)

// entry is what is known of one credential. The cache's mutex guards it.
type entry struct {
	exchanger federation.Exchanger
	cloud     string
	pinned    bool

	credential federation.Credential // valid while its Expiry says so
	renewAt    time.Time
	used       time.Time

	err      error // of the last exchange; nil after a success
	failures int   // since the last success
	retryAt  time.Time
	running  chan struct{} // closed when the exchange under way has ended; nil: none
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
func (n *entry) due(now time.Time) bool {
	switch {
	case n.running != nil:
		return false
	case n.err != nil:
		return !now.Before(n.retryAt)
	}
	// By the monotonic clock, or by the life that the wall clock leaves.
	return !now.Before(n.renewAt) || n.credential.Expiry.Remaining(now) < n.leadOf(n.credential.Expiry.Life())
}

// nextDue is how long until due may say so.
func (n *entry) nextDue(now time.Time) time.Duration {
	switch {
	case n.running != nil:
		return maxSleep // its end wakes Run
	case n.err != nil:
		return n.retryAt.Sub(now)
	}
	return min(n.renewAt.Sub(now), n.credential.Expiry.Remaining(now)-n.leadOf(n.credential.Expiry.Life()))
}

// enoughTries is after how many failures, some seconds, a pod no longer waits for
// its cloud to come back.
const enoughTries = 3

// refused reports that the cloud has said no, and would again. A trust that was set
// up a moment ago may not have reached each of the cloud's servers.
func (n *entry) refused() bool {
	kind := federation.KindOf(n.err)
	return n.err != nil && !kind.Transient() && (kind != federation.KindIssuerUntrusted || n.failures >= enoughTries)
}

// lead is how long before its end a credential must be renewed at the latest: longer
// than any SDK's own margin, so that none asks in vain, and a little more, so that a
// renewal has time to be tried again. botocore asks again from 15 minutes before the
// end on each call, Java from an hour before where the life is long; Google's clients
// from 225 s, and flood; Azure's from 5 minutes.
func lead(cloud string, life time.Duration) time.Duration {
	switch {
	case cloud == "aws" && life >= 2*time.Hour:
		return 65 * time.Minute
	case cloud == "aws":
		return 20 * time.Minute
	case cloud == "gcp":
		return 12 * time.Minute
	}
	return 8 * time.Minute
}

// leadOf is how long before the end of a life renewal is due: a fifth of it, or the
// cloud's lead if that is more, but not more than half: short sessions must not be
// renewed all the time.
func (n *entry) leadOf(life time.Duration) time.Duration {
	return max(life/5, min(lead(n.cloud, life), life/2))
}

func (n *entry) succeeded(c federation.Credential) {
	n.credential, n.err, n.failures = c, nil, 0
	life := c.Expiry.Life()
	after := life - n.leadOf(life)
	if c.RefreshIn > 0 {
		after = min(after, c.RefreshIn)
	}
	// Earlier by up to a tenth: the pods of a rollout were all born together.
	after -= time.Duration(rand.Float64() * 0.1 * float64(after)) //nolint:gosec // jitter
	n.renewAt = c.Expiry.Issued().Add(after)
}

// Pauses between failed exchanges double from minPause to maxPause; a cloud's
// Retry-After makes one longer, up to maxRetryAfter and the jitter.
const (
	minPause      = time.Second
	maxPause      = time.Minute
	maxRetryAfter = 5 * time.Minute
)

func (n *entry) failed(err error) {
	n.err = err
	pause := min(minPause<<min(n.failures, 10), maxPause)
	n.failures++
	if e, ok := errors.AsType[*federation.Error](err); ok {
		pause = max(pause, min(e.RetryAfter, maxRetryAfter))
	}
	// A cloud gives the pods that it throttles together the same Retry-After.
	pause += time.Duration(rand.Float64() * 0.25 * float64(pause)) //nolint:gosec // jitter
	n.retryAt = time.Now().Add(pause)
}
