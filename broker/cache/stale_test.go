package cache

import (
	"context"
	"testing"
	"testing/synctest"
	"time"

	"github.com/podpass-io/podpass/federation"
)

// TestServedWithEnoughLeft: whenever an application comes back to a credential that
// it had left alone, it gets one with more left than its SDK's margin; else it would
// ask in a loop. ID tokens, which are kept for five minutes, are never old.
func TestServedWithEnoughLeft(t *testing.T) {
	for name, test := range map[string]struct {
		key        string
		life, left time.Duration
	}{
		"aws":           {"aws/x", time.Hour, 15 * time.Minute},
		"aws, 30 min":   {"aws/x", 30 * time.Minute, 15 * time.Minute},
		"aws, 90 min":   {"aws/x", 90 * time.Minute, 15 * time.Minute},
		"aws, 2 h":      {"aws/x", 2 * time.Hour, time.Hour}, // Java's margin from 90 min on
		"aws, 12 h":     {"aws/x", 12 * time.Hour, time.Hour},
		"gcp":           {"gcp/access/x", time.Hour, 10 * time.Minute},
		"gcp, ID token": {"gcp/id/x", 5 * time.Minute, 150 * time.Second},
		"azure":         {"azure/x", time.Hour, 5 * time.Minute},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				for pause := time.Second; pause < 2*test.life; pause += test.life / 100 {
					c := New(Options{})
					ctx, stop := context.WithCancel(t.Context())
					done := make(chan error, 1)
					go func() { done <- c.Run(ctx) }()
					e := &cloud{key: test.key, life: test.life, takes: 200 * time.Millisecond}
					if _, err := c.Get(t.Context(), e); err != nil {
						t.Fatal(err)
					}
					time.Sleep(pause)
					got, err := c.Get(t.Context(), e)
					if left := got.Expiry.Remaining(time.Now()); err != nil || left < test.left {
						t.Errorf("after %s: %s left, want %s: %v", pause, left, test.left, err)
					}
					stop()
					if err := <-done; err != nil {
						t.Error(err)
					}
				}
			})
		})
	}
}

// TestStaleIsBetterThanNothing: a cloud that hangs, or fails, costs the request that
// comes back some of its patience, once, and never the credential that is valid.
func TestStaleIsBetterThanNothing(t *testing.T) {
	for name, test := range map[string]struct {
		err   error
		takes time.Duration
		waits time.Duration
	}{
		"it hangs": {nil, time.Hour, time.Second},
		"it fails": {unavailable(), 0, 0},
		"it is no": {denied(), time.Second / 2, time.Second / 2},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				c := running(t)
				e := &cloud{key: "gcp/x", life: time.Hour}
				first, err := c.Get(t.Context(), e)
				if err != nil {
					t.Fatal(err)
				}
				time.Sleep(55 * time.Minute)
				e.fail(test.err)
				e.takes = test.takes
				for n := range 3 {
					ctx, cancel := context.WithTimeout(t.Context(), 2*time.Second)
					began := time.Now()
					got, err := c.Get(ctx, e)
					cancel()
					if err != nil || got.Token != first.Token {
						t.Errorf("request %d: %v", n, err)
					}
					if took := time.Since(began); n == 0 && took != test.waits || n > 0 && took > 2*time.Second {
						t.Errorf("request %d took %s", n, took)
					}
					time.Sleep(30 * time.Second)
				}
			})
		})
	}
}

// TestRenewalIsNotWaitedFor: one that began in good time holds up no request.
func TestRenewalIsNotWaitedFor(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := running(t)
		e := &cloud{key: "aws/x", life: time.Hour, takes: 2 * time.Second}
		c.Pin("aws", e)
		for e.calls.Load() < 2 {
			time.Sleep(time.Second)
		}
		began := time.Now()
		got, err := c.Get(t.Context(), e)
		if took := time.Since(began); err != nil || took != 0 || got.Token != "token-1" {
			t.Errorf("%s after %s: %v", got.Token.Reveal(), took, err)
		}
	})
}

// TestManyComeBack: one exchange, and none of them gets the old one.
func TestManyComeBack(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := running(t)
		e := &cloud{key: "gcp/x", life: time.Hour, takes: 300 * time.Millisecond}
		if _, err := c.Get(t.Context(), e); err != nil {
			t.Fatal(err)
		}
		time.Sleep(59 * time.Minute)
		tokens := make(chan federation.Secret, 100)
		for range 100 {
			go func() {
				got, err := c.Get(t.Context(), e)
				if err != nil {
					t.Error(err)
				}
				tokens <- got.Token
			}()
		}
		for range 100 {
			if got := <-tokens; got != "token-2" {
				t.Errorf("got %s", got.Reveal())
			}
		}
		if n := e.calls.Load(); n != 2 {
			t.Errorf("%d exchanges, want 2", n)
		}
	})
}
