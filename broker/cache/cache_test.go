package cache

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/podpass-io/podpass/federation"
)

// cloud is an exchange whose answers a test decides.
type cloud struct {
	key   string
	calls atomic.Int64
	life  time.Duration
	takes time.Duration

	mu      sync.Mutex
	err     error
	refresh time.Duration
}

func (c *cloud) Key() string { return c.key }

func (c *cloud) fail(err error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.err = err
}

func (c *cloud) Exchange(ctx context.Context) (federation.Credential, error) {
	n := c.calls.Add(1)
	select {
	case <-time.After(c.takes):
	case <-ctx.Done():
		return federation.Credential{}, &federation.Error{Kind: federation.KindUnavailable, Cloud: "aws", Err: ctx.Err()}
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.err != nil {
		return federation.Credential{}, c.err
	}
	return federation.Credential{
		Token: federation.Secret(fmt.Sprint("token-", n)), Expiry: federation.ExpiresIn(time.Now(), c.life), RefreshIn: c.refresh,
	}, nil
}

func unavailable() error {
	return &federation.Error{Kind: federation.KindUnavailable, Cloud: "aws", Message: "down"}
}

func denied() error {
	return &federation.Error{Kind: federation.KindDenied, Cloud: "aws", Message: "no"}
}

// pending counts the pod's own credentials for which it is worth waiting.
func pending(c *Cache) (n int) {
	for _, s := range c.Snapshot() {
		if s.Awaited() {
			n++
		}
	}
	return n
}

// running runs a cache for a test in virtual time.
func running(t *testing.T) *Cache {
	t.Helper()
	c := New(Options{})
	ctx, stop := context.WithCancel(t.Context())
	done := make(chan error, 1)
	go func() { done <- c.Run(ctx) }()
	t.Cleanup(func() {
		stop()
		if err := <-done; err != nil {
			t.Errorf("Run: %v", err)
		}
	})
	return c
}

// size is the number of credentials in memory.
func size(c *Cache) int {
	c.mu.Lock()
	defer c.mu.Unlock()
	return len(c.entries)
}

// many makes n requests at once and counts those that succeeded.
func many(t *testing.T, c *Cache, e federation.Exchanger, n int) (succeeded int) {
	t.Helper()
	var ok atomic.Int64
	var wg sync.WaitGroup
	for range n {
		wg.Go(func() {
			if _, err := c.Get(t.Context(), e); err == nil {
				ok.Add(1)
			}
		})
	}
	wg.Wait()
	return int(ok.Load())
}

func TestConcurrentFirstRequestsMakeOneExchange(t *testing.T) {
	for name, err := range map[string]error{"success": nil, "failure": denied()} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				c := running(t)
				e := &cloud{key: "aws/x", life: time.Hour, takes: 300 * time.Millisecond, err: err}
				want := 200
				if err != nil {
					want = 0
				}
				if got := many(t, c, e, 200); got != want {
					t.Errorf("%d of 200 requests succeeded, want %d", got, want)
				}
				if n := e.calls.Load(); n != 1 {
					t.Errorf("%d exchanges, want 1", n)
				}
			})
		})
	}
}

// TestOutageWithinValidity: the cloud is down for as long as the credential lives,
// and no request fails until then.
func TestOutageWithinValidity(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := running(t)
		e := &cloud{key: "aws/x", life: 6 * time.Hour}
		c.Pin("own", e)
		synctest.Wait()
		e.fail(unavailable())
		start := time.Now()
		for time.Since(start) < 6*time.Hour-time.Minute {
			if _, err := c.Get(t.Context(), e); err != nil {
				t.Fatalf("after %s: %v", time.Since(start), err)
			}
			time.Sleep(time.Minute)
		}
		time.Sleep(2 * time.Minute)
		if _, err := c.Get(t.Context(), e); federation.KindOf(err) != federation.KindUnavailable {
			t.Errorf("after the end: %v, want the cause", err)
		}
		e.fail(nil)
		time.Sleep(2 * time.Minute) // the longest pause, and jitter
		if _, err := c.Get(t.Context(), e); err != nil {
			t.Errorf("after the outage: %v", err)
		}
	})
}

// TestFailingExchangeIsNotFlooded: a hundred requests a second for ten minutes,
// and the cloud sees one call per step of the backoff.
func TestFailingExchangeIsNotFlooded(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := running(t)
		e := &cloud{key: "gcp/x", life: time.Hour, err: unavailable()}
		for range 600 {
			many(t, c, e, 100)
			time.Sleep(time.Second)
		}
		// Pauses of 1, 2, 4, ... 32, then 60 s, each up to a quarter longer.
		if n := e.calls.Load(); n < 10 || n > 17 {
			t.Errorf("%d exchanges in ten minutes, want 10 to 17", n)
		}
	})
}

func TestRenewedAheadOfEnd(t *testing.T) {
	for name, test := range map[string]struct {
		key           string
		life, refresh time.Duration
		from, to      time.Duration // when the second exchange happens
	}{
		"aws, an hour":             {"aws/x", time.Hour, 0, 36 * time.Minute, 40 * time.Minute},
		"gcp, an hour":             {"gcp/x", time.Hour, 0, 43 * time.Minute, 48 * time.Minute},
		"azure, an hour":           {"azure/x", time.Hour, 0, 43 * time.Minute, 48 * time.Minute},
		"azure, a day, refresh_in": {"azure/x", 24 * time.Hour, 12 * time.Hour, 648 * time.Minute, 12 * time.Hour},
		"aws, 15 minutes":          {"aws/x", 15 * time.Minute, 0, 6*time.Minute + 40*time.Second, 450 * time.Second},
		"aws, twelve hours":        {"aws/x", 12 * time.Hour, 0, 518 * time.Minute, 576 * time.Minute},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				c := running(t)
				e := &cloud{key: test.key, life: test.life, refresh: test.refresh}
				c.Pin("own", e)
				start := time.Now()
				for e.calls.Load() < 2 && time.Since(start) < test.life {
					time.Sleep(time.Second)
				}
				if at := time.Since(start); at < test.from || at > test.to+time.Second {
					t.Errorf("renewed after %s, want between %s and %s", at, test.from, test.to)
				}
			})
		})
	}
}

func TestRetryAfterIsHonoured(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := running(t)
		e := &cloud{key: "azure/x", life: time.Hour, err: &federation.Error{Kind: federation.KindThrottled, Cloud: "azure", RetryAfter: 90 * time.Second}}
		c.Pin("own", e)
		time.Sleep(89 * time.Second)
		if n := e.calls.Load(); n != 1 {
			t.Errorf("%d exchanges before Retry-After was over, want 1", n)
		}
		_, err := c.Get(t.Context(), e)
		if f, ok := errors.AsType[*federation.Error](err); !ok || f.RetryAfter > 25*time.Second || f.RetryAfter <= 0 {
			t.Errorf("near its end: %+v", err)
		}
		e.fail(nil)
		time.Sleep(25 * time.Second)
		if _, err := c.Get(t.Context(), e); err != nil {
			t.Errorf("after Retry-After and a quarter of it: %v", err)
		}
	})
}

// TestHangingCloud: the requester's patience ends first, and the exchange goes on
// for the next.
func TestHangingCloud(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := running(t)
		e := &cloud{key: "aws/x", life: time.Hour, takes: 5 * time.Second}
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		if _, err := c.Get(ctx, e); federation.KindOf(err) != federation.KindUnavailable {
			t.Errorf("got %v, want Unavailable", err)
		}
		if _, err := c.Get(t.Context(), e); err != nil {
			t.Errorf("the second request: %v", err)
		}
		if n := e.calls.Load(); n != 1 {
			t.Errorf("%d exchanges, want 1", n)
		}
	})
}

func TestIdleCredentialIsNotRenewed(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := running(t)
		e := &cloud{key: "gcp/x", life: time.Hour}
		if _, err := c.Get(t.Context(), e); err != nil {
			t.Fatal(err)
		}
		time.Sleep(3 * time.Hour)
		if n := e.calls.Load(); n != 1 {
			t.Errorf("%d exchanges for one request, want 1", n)
		}
		if n := size(c); n != 0 {
			t.Errorf("%d entries are kept of what has ended", n)
		}
	})
}

func TestMemoryIsBounded(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := running(t)
		pinned := &cloud{key: "gcp/pinned", life: time.Hour}
		c.Pin("own", pinned)
		for i := range 1000 {
			if _, err := c.Get(t.Context(), &cloud{key: fmt.Sprint("gcp/", i), life: time.Hour}); err != nil {
				t.Fatal(err)
			}
			time.Sleep(newEvery) // as fast as it may
		}
		if n := size(c); n > 256 {
			t.Errorf("%d credentials in memory, want at most 256", n)
		}
		if _, err := c.Get(t.Context(), pinned); err != nil || pinned.calls.Load() != 1 {
			t.Errorf("the pinned credential was forgotten: %v", err)
		}
	})
}

func TestPending(t *testing.T) {
	for name, test := range map[string]struct {
		err  error
		want int
	}{
		"there":              {nil, 0},
		"refused for good":   {denied(), 0},
		"not refused, yet":   {unavailable(), 1},
		"a trust of seconds": {&federation.Error{Kind: federation.KindIssuerUntrusted, Cloud: "aws"}, 1},
		"an unforeseen kind": {errors.New("surprise"), 1},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				c := running(t)
				c.Pin("own", &cloud{key: "aws/x", life: time.Hour, takes: time.Second, err: test.err})
				synctest.Wait()
				if n := pending(c); n != 1 {
					t.Errorf("before the answer %d are pending, want 1", n)
				}
				time.Sleep(1500 * time.Millisecond)
				if n := pending(c); n != test.want {
					t.Errorf("after the first answer %d are pending, want %d", n, test.want)
				}
				time.Sleep(time.Minute)
				if n := pending(c); n != 0 {
					t.Errorf("after a minute %d are pending: the pod would never start", n)
				}
			})
		})
	}
}

// TestTrustMended: a refusal is not for ever. Who mends the trust need not restart
// the pod.
func TestTrustMended(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := running(t)
		e := &cloud{key: "aws/x", life: time.Hour, err: denied()}
		c.Pin("own", e)
		time.Sleep(time.Hour)
		if n := e.calls.Load(); n > 70 {
			t.Errorf("%d exchanges in an hour, want at most one a minute", n)
		}
		if _, err := c.Get(t.Context(), e); federation.KindOf(err) != federation.KindDenied {
			t.Errorf("before: %v", err)
		}
		e.fail(nil)
		time.Sleep(75 * time.Second)
		if got, err := c.Get(t.Context(), e); err != nil || got.Expiry.Expired(time.Now()) {
			t.Errorf("75 s after it was mended: %v", err)
		}
	})
}
