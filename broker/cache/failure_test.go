package cache

import (
	"bytes"
	"context"
	"errors"
	"log/slog"
	"regexp"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/podpass-io/podpass/federation"
)

// expired is what a subject token gives that has expired in its file.
func expired() error {
	return &federation.Error{Kind: federation.KindTokenExpired, Op: "read subject token", Hint: "kubelet should have replaced the token"}
}

// TestTokenThatExpiredInItsFile: kubelet was away for a quarter of an hour. Meanwhile
// SDKs see that it may pass; once there is a new token they are served, at once.
func TestTokenThatExpiredInItsFile(t *testing.T) {
	for name, pinned := range map[string]bool{"the pod's own": true, "asked for": false} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				c := running(t)
				e := &cloud{key: "aws/x", life: time.Hour, err: expired()}
				if pinned {
					c.Pin("aws", e)
				}
				for range 15 * 60 {
					_, err := c.Get(t.Context(), e)
					f, ok := errors.AsType[*federation.Error](err)
					if !ok || !f.Kind.Transient() || f.RetryAfter != time.Second || !strings.Contains(f.Error(), "kubelet") {
						t.Fatalf("got %v, want that it may pass, and the hint", err)
					}
					time.Sleep(time.Second)
				}
				if pinned && c.Snapshot()[0].Refused {
					t.Error("it is taken for a refusal")
				}
				e.fail(nil)
				time.Sleep(localFloor)
				if _, err := c.Get(t.Context(), e); err != nil {
					t.Errorf("%s after the token came: %v", localFloor, err)
				}
			})
		})
	}
}

// TestTokenIsLookedForInTheBackground: nobody asks, and the pod has its credential
// a second after its token.
func TestTokenIsLookedForInTheBackground(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := running(t)
		e := &cloud{key: "aws/x", life: time.Hour, err: expired()}
		c.Pin("aws", e)
		time.Sleep(10 * time.Minute)
		if n := e.calls.Load(); n > 10*60+1 {
			t.Errorf("looked %d times in ten minutes, want one a second", n)
		}
		e.fail(nil)
		time.Sleep(localPause)
		synctest.Wait() // for Run, whose timer ends at the same time
		if s := c.Snapshot()[0]; !s.Valid() || s.Err != nil || s.Failures != 0 {
			t.Errorf("a second after the token came: %+v", s)
		}
	})
}

// TestLocalFailureIsNotFlooded: a thousand requests at once, each millisecond, read the
// file four times a second.
func TestLocalFailureIsNotFlooded(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := running(t)
		e := &cloud{key: "aws/x", life: time.Hour, err: expired()}
		for range 1000 {
			many(t, c, e, 100)
			time.Sleep(time.Millisecond)
		}
		if n := e.calls.Load(); n != 4 {
			t.Errorf("the file was read %d times in a second, want 4", n)
		}
	})
}

// TestRequestWaitsForTheFile: one that has patience does not get the error of a moment
// ago.
func TestRequestWaitsForTheFile(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := running(t)
		e := &cloud{key: "aws/x", life: time.Hour, err: expired()}
		if _, err := c.Get(t.Context(), e); err == nil {
			t.Fatal("got a credential")
		}
		e.fail(nil)
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		if _, err := c.Get(ctx, e); err != nil {
			t.Error(err)
		}
	})
}

// TestWhoWaitsForThePause: a request of which half the patience is enough for it, if asking
// again can help. Others have the error at once, and the rest of their time.
func TestWhoWaitsForThePause(t *testing.T) {
	for name, test := range map[string]struct {
		err      error
		patience float64 // of the pause; 0: without end
		want     bool
	}{
		"patient":            {unavailable(), 2.1, true},
		"not with the half":  {unavailable(), 1.9, false},
		"impatient":          {unavailable(), 0.5, false},
		"who names no end":   {unavailable(), 0, false},
		"refused":            {denied(), 9, false},
		"a token on its way": {expired(), 3, true},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				c := New(Options{})
				defer c.stop()
				e := &cloud{key: "aws/x", life: time.Hour, err: test.err}
				_, _ = c.Get(t.Context(), e)
				e.fail(nil)
				c.mu.Lock()
				pause := time.Until(c.entries[e.key].askAt)
				c.mu.Unlock()
				ctx := t.Context()
				if test.patience > 0 {
					var cancel context.CancelFunc
					ctx, cancel = context.WithTimeout(ctx, time.Duration(test.patience*float64(pause)))
					defer cancel()
				}
				began := time.Now()
				_, err := c.Get(ctx, e)
				took := time.Since(began)
				if waited := err == nil && took == pause; waited != test.want || !waited && (err == nil || took != 0) {
					t.Errorf("after %s: %v; the pause is %s", took, err, pause)
				}
			})
		})
	}
}

// TestFailureIsRemembered for two minutes beyond its pause, so that the next is longer;
// then it takes no more memory.
func TestFailureIsRemembered(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := running(t)
		e := &cloud{key: "aws/x", life: time.Hour, err: unavailable()}
		ask := func() time.Time {
			t.Helper()
			if _, err := c.Get(t.Context(), e); err == nil {
				t.Fatal("got a credential")
			}
			return c.Snapshot()[0].NextExchange
		}
		again := ask()
		time.Sleep(time.Until(again) + 2*time.Minute)
		if again = ask(); time.Until(again) < 2*time.Second {
			t.Errorf("the second pause is %s", time.Until(again))
		}
		time.Sleep(time.Until(again) + 2*time.Minute)
		if n := size(c); n != 1 {
			t.Errorf("%d failures are remembered after two minutes", n)
		}
		time.Sleep(maxSleep + time.Second)
		if n := size(c); n != 0 {
			t.Errorf("%d failures are remembered for ever", n)
		}
	})
}

// TestNoRetryAfterIsMadeUp: only a cloud's own is passed on, with what is left of it.
func TestNoRetryAfterIsMadeUp(t *testing.T) {
	for _, after := range []time.Duration{0, time.Minute} {
		synctest.Test(t, func(t *testing.T) {
			c := running(t)
			e := &cloud{key: "aws/x", err: &federation.Error{Kind: federation.KindUnavailable, Cloud: "aws", RetryAfter: after}}
			for range 2 {
				_, err := c.Get(t.Context(), e)
				f, ok := errors.AsType[*federation.Error](err)
				if !ok || f.RetryAfter < after || (f.RetryAfter == 0) != (after == 0) {
					t.Errorf("%s: %+v", after, f)
				}
			}
		})
	}
}

// TestCloudsPauseDoesNotGrowByLocalFailures: nor the other way round.
func TestCloudsPauseDoesNotGrowByLocalFailures(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := running(t)
		e := &cloud{key: "aws/x", life: time.Hour, err: expired()}
		c.Pin("aws", e)
		time.Sleep(time.Minute)
		e.fail(unavailable())
		time.Sleep(localPause + 1250*time.Millisecond)
		synctest.Wait()
		if s := c.Snapshot()[0]; s.Failures < 2 {
			t.Errorf("%d tries of the cloud: its pause grew while it was not asked", s.Failures)
		}
		time.Sleep(5 * time.Minute) // its pause is a minute now
		calls := e.calls.Load()
		e.fail(expired())
		time.Sleep(75 * time.Second)
		at := e.calls.Load()
		time.Sleep(10 * time.Second)
		if n := e.calls.Load() - at; calls == at || n < 9 {
			t.Errorf("looked for the token %d times in ten seconds", n)
		}
	})
}

// TestPausesGrow: doubled from a second to a minute, each up to a quarter longer, and
// not the same for all pods.
func TestPausesGrow(t *testing.T) {
	var last time.Duration
	differ := false
	for range 20 {
		var f failure
		for n, want := range []time.Duration{1, 2, 4, 8, 16, 32, 60, 60, 60, 60, 60, 60} {
			want *= time.Second
			now := time.Now()
			f.failed(unavailable(), now)
			if pause := f.retryAt.Sub(now); pause < want || pause > want+want/4 || f.askAt != f.retryAt || f.failures != n+1 {
				t.Errorf("pause %d is %s, want %s", n, pause, want)
			}
		}
		now := time.Now()
		f.failed(&federation.Error{Kind: federation.KindThrottled, Cloud: "aws", RetryAfter: time.Hour}, now)
		pause := f.retryAt.Sub(now)
		if pause < maxRetryAfter || pause > maxRetryAfter*5/4 {
			t.Errorf("a Retry-After of an hour makes a pause of %s", pause)
		}
		differ = differ || last != 0 && pause != last
		last = pause
	}
	if !differ {
		t.Error("no jitter")
	}
}

// TestExchangeKeepsTheCause: what starts from a federated token whose subject token has
// expired says that, to explain and the metrics; its requester hears that it may pass.
func TestExchangeKeepsTheCause(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := running(t)
		e := &nested{cloud: cloud{key: "gcp/access", life: time.Hour}, c: c, from: &cloud{key: "gcp/federated", life: time.Hour, err: expired()}}
		c.Pin("gcp", e)
		if _, err := c.Get(t.Context(), e); federation.KindOf(err) != federation.KindUnavailable {
			t.Errorf("its requester: %v", err)
		}
		for _, s := range c.Snapshot() {
			if federation.KindOf(s.Err) != federation.KindTokenExpired {
				t.Errorf("%s: %v", s.Key, s.Err)
			}
		}
	})
}

// TestProvenTrust: a tenant's policy forbids what is probed; the pod need not wait.
func TestProvenTrust(t *testing.T) {
	for _, trusted := range []bool{true, false} {
		synctest.Test(t, func(t *testing.T) {
			c := running(t)
			c.Pin("azure", &cloud{key: "azure/x", err: &federation.Error{Kind: federation.KindDenied, Cloud: "azure", Trusted: trusted}})
			synctest.Wait()
			if s := c.Snapshot()[0]; s.ProvesTrust != trusted || !s.Refused || s.Awaited() {
				t.Errorf("trusted %t: %+v", trusted, s)
			}
		})
	}
}

// TestUntrustedIssuer: a trust may take some seconds to reach all of a cloud's servers; an
// issuer that is still unknown at the third try is refused, which ends a strict start.
func TestUntrustedIssuer(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := running(t)
		c.Pin("aws", &cloud{key: "aws/x", err: &federation.Error{Kind: federation.KindIssuerUntrusted, Cloud: "aws"}})
		for range 10 {
			synctest.Wait()
			if s := c.Snapshot()[0]; s.Refused != (s.Failures >= 3) {
				t.Errorf("refused %t after %d tries", s.Refused, s.Failures)
			}
			time.Sleep(time.Second)
		}
		if s := c.Snapshot()[0]; s.Failures < 3 {
			t.Errorf("%d tries in ten seconds", s.Failures)
		}
	})
}

// TestPinnedLate: what is pinned while Run runs is exchanged at once.
func TestPinnedLate(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := running(t)
		time.Sleep(time.Second)
		e := &cloud{key: "aws/x", life: time.Hour}
		c.Pin("aws", e)
		synctest.Wait()
		if n := e.calls.Load(); n != 1 {
			t.Errorf("%d exchanges", n)
		}
	})
}

// TestLog: a success is news, a failed renewal a warning, and what leaves nothing to
// serve an error; a token that is away for an hour is a line a minute.
func TestLog(t *testing.T) {
	for name, test := range map[string]struct {
		err      error
		before   bool // there is a credential
		within   time.Duration
		min, max int
		want     string
	}{
		"a success":      {nil, false, time.Minute, 1, 1, `level=INFO msg="Got credentials" cloud=aws`},
		"a renewal":      {denied(), true, 45 * time.Minute, 1, 20, "level=WARN"},
		"a failure":      {denied(), false, 0, 1, 1, "level=ERROR msg=\"Exchange failed\" cloud=aws"},
		"one of a cloud": {unavailable(), false, 30 * time.Second, 5, 5, "level=ERROR"},
		"a local one":    {expired(), false, time.Hour - 2*time.Second, 60, 60, "level=ERROR"},
		"at debug only":  {expired(), false, time.Hour - 2*time.Second, 3500, 3600, "level=DEBUG"},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				var log bytes.Buffer
				c := New(Options{Log: slog.New(slog.NewTextHandler(&log, &slog.HandlerOptions{Level: slog.LevelDebug}))})
				e := &cloud{key: "aws/x", life: time.Hour}
				if !test.before {
					e.err = test.err
				}
				c.Pin("aws", e)
				ctx, stop := context.WithCancel(t.Context())
				done := make(chan error)
				go func() { done <- c.Run(ctx) }()
				synctest.Wait()
				e.fail(test.err)
				time.Sleep(test.within)
				stop()
				if err := <-done; err != nil {
					t.Error(err)
				}
				if n := strings.Count(log.String(), test.want); n < test.min || n > test.max {
					t.Errorf("%d lines with %s, want %d to %d", n, test.want, test.min, test.max)
				}
				if test.err == nil && strings.Contains(log.String(), "failed") {
					t.Errorf("a success is said to be a failure: %s", &log)
				}
			})
		})
	}
}

// TestAnotherCauseIsNews: the cloud fails, and then the token expires: both are in the log.
func TestAnotherCauseIsNews(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var log bytes.Buffer
		c := New(Options{Log: slog.New(slog.NewTextHandler(&log, nil))})
		defer c.stop()
		e := &cloud{key: "aws/x", life: time.Hour, err: unavailable()}
		_, _ = c.Get(t.Context(), e)
		e.fail(expired())
		time.Sleep(2 * time.Second)
		_, _ = c.Get(t.Context(), e)
		synctest.Wait()
		if n := strings.Count(log.String(), "level=ERROR"); n != 2 || !strings.Contains(log.String(), "kind=TokenExpired") {
			t.Errorf("%d lines: %s", n, &log)
		}
	})
}

// TestLogHoldsTheCause: what whoever runs the pod needs for the cloud's support.
func TestLogHoldsTheCause(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var log bytes.Buffer
		c := New(Options{Log: slog.New(slog.NewTextHandler(&log, nil))})
		defer c.stop()
		_, _ = c.Get(t.Context(), &cloud{key: "aws/x", takes: time.Second, err: &federation.Error{
			Kind: federation.KindThrottled, Cloud: "aws", Code: "SlowDown", RequestID: "r-1", Message: "too many", RetryAfter: time.Minute,
		}})
		synctest.Wait()
		for _, want := range []string{"cloud=aws", "kind=Throttled", "tookSeconds=1 ", "code=SlowDown", "requestID=r-1", "too many"} {
			if !strings.Contains(log.String(), want) {
				t.Errorf("no %s in %s", want, &log)
			}
		}
		if !regexp.MustCompile(`retryInSeconds=(6\d|7[0-5])`).MatchString(log.String()) { // the Retry-After, and up to a quarter
			t.Errorf("no pause in %s", &log)
		}
	})
}
