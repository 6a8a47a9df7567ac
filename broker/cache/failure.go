package cache

import (
	"context"
	"errors"
	"math/rand/v2"
	"time"

	"github.com/podpass-io/podpass/federation"
)

// failure is what is known of an entry's failures since its last success; the zero
// value is none.
type failure struct {
	err      error // of the last exchange
	failures int   // of its sort: a cloud's, or local ones
	// retryAt is when Run tries again; askAt, when a request may.
	retryAt, askAt time.Time
	reported       time.Time
}

// Pauses between failed exchanges double from minPause to maxPause; a cloud's
// Retry-After makes one longer, up to maxRetryAfter and the jitter.
const (
	minPause      = time.Second
	maxPause      = time.Minute
	maxRetryAfter = 5 * time.Minute
)

// What failed without a cloud, a token that has expired in its file, is mended by a file
// that changes: to read it costs some microseconds, and nobody else anything. Run reads
// it each localPause, and requests, however many there are, at most each localFloor.
const (
	localPause = time.Second
	localFloor = 250 * time.Millisecond
)

func (f *failure) failed(err error, now time.Time) {
	if local(err) != local(f.err) {
		f.failures = 0 // a cloud's pauses do not grow by what it was not asked
	}
	f.err = err
	if local(err) {
		f.failures++
		f.retryAt, f.askAt = now.Add(localPause), now.Add(localFloor)
		return
	}
	pause := min(minPause<<min(f.failures, 10), maxPause)
	f.failures++
	if e, ok := errors.AsType[*federation.Error](err); ok {
		pause = max(pause, min(e.RetryAfter, maxRetryAfter))
	}
	// A cloud gives the pods that it throttles together the same Retry-After.
	pause += time.Duration(rand.Float64() * 0.25 * float64(pause)) //nolint:gosec // jitter
	f.retryAt = now.Add(pause)
	f.askAt = f.retryAt
}

// pausing reports that requests get the error from memory.
func (f *failure) pausing(now time.Time) bool { return now.Before(f.askAt) }

// enoughTries is after how many failures, some seconds, a pod no longer waits for
// its cloud to come back.
const enoughTries = 3

// refused reports that the cloud has said no, and would again. A trust that was set
// up a moment ago may not have reached each of the cloud's servers.
func (f *failure) refused() bool {
	return f.err != nil && !federation.Transient(f.err) && (federation.KindOf(f.err) != federation.KindIssuerUntrusted || f.failures >= enoughTries)
}

// provesTrust reports that the cloud has said no only after it trusted the token.
func (f *failure) provesTrust() bool {
	e, ok := errors.AsType[*federation.Error](f.err)
	return ok && e.ProvesTrust()
}

// local reports that no cloud was asked.
func local(err error) bool {
	e, ok := errors.AsType[*federation.Error](err)
	return ok && e.Local()
}

// seen is an error as a request sees it: for a local one, that it may come back. An
// exchange that starts from another's credential keeps the error as it is.
func seen(ctx context.Context, err error) error {
	e, ok := errors.AsType[*federation.Error](err)
	if !ok || !e.Local() || isWithinExchange(ctx) {
		return err
	}
	later := *e
	later.Kind, later.RetryAfter = federation.KindUnavailable, localPause
	return &later
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
