package cache

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/podpass-io/podpass/federation"
)

// TestNoEmptyCredential: of credentials that live for some microseconds, some end
// between the exchange and who waits for it. That is an error, not a success without
// a credential.
func TestNoEmptyCredential(t *testing.T) {
	c := New(Options{})
	defer c.stop()
	var wg sync.WaitGroup
	for i := range 8 {
		wg.Go(func() {
			for n := range 500 {
				e := &cloud{key: fmt.Sprint("aws/", n%7), life: time.Duration(1+(n*i)%40) * time.Microsecond}
				got, err := c.Get(withinExchange(t.Context()), e) // no limit
				if err == nil && got.Token == "" {
					t.Error("neither a credential nor an error")
				}
			}
		})
	}
	wg.Wait()
}

func TestResultThatHasEnded(t *testing.T) {
	for name, test := range map[string]struct {
		life time.Duration
		err  error
		want federation.Kind
	}{"valid": {time.Hour, nil, ""}, "ended": {-time.Second, nil, federation.KindUnavailable}, "failed": {0, denied(), federation.KindDenied}} {
		f := &flight{credential: federation.Credential{Token: "x", Expiry: federation.ExpiresIn(time.Now(), test.life)}, err: test.err}
		got, err := f.result("aws")
		if federation.KindOf(err) != test.want || err == nil && got.Token != "x" {
			t.Errorf("%s: %v", name, err)
		}
		if e, ok := errors.AsType[*federation.Error](err); ok && e.Cloud != "aws" {
			t.Errorf("%s: the cloud is %q", name, e.Cloud)
		}
	}
}

// TestRequestThatGoesAway: its error says so, at once; the exchange goes on, and the
// next request has its result.
func TestRequestThatGoesAway(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := running(t)
		e := &cloud{key: "aws/x", life: time.Hour, takes: 5 * time.Second}
		ctx, cancel := context.WithCancel(t.Context())
		time.AfterFunc(time.Second, cancel)
		began := time.Now()
		_, err := c.Get(ctx, e)
		if federation.KindOf(err) != federation.KindCanceled || time.Since(began) != time.Second {
			t.Errorf("after %s: %v", time.Since(began), err)
		}
		if _, err := c.Get(t.Context(), e); err != nil || e.calls.Load() != 1 {
			t.Errorf("the next request: %v, %d exchanges", err, e.calls.Load())
		}
	})
}

// TestTimeout: an exchange that hangs ends, whoever waits for it, after 10 s if nothing else
// is said.
func TestTimeout(t *testing.T) {
	for timeout, want := range map[time.Duration]time.Duration{0: 10 * time.Second, time.Second: time.Second} {
		synctest.Test(t, func(t *testing.T) {
			c := New(Options{Timeout: timeout})
			defer c.stop()
			began := time.Now()
			_, err := c.Get(t.Context(), &cloud{key: "aws/x", takes: time.Hour})
			if took := time.Since(began); federation.KindOf(err) != federation.KindUnavailable || took != want {
				t.Errorf("after %s: %v, want %s", took, err, want)
			}
		})
	}
}

// TestNothingWaitsOn: what an exchange has begun ends with it.
func TestNothingWaitsOn(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := New(Options{})
		defer c.stop()
		e := &keeper{cloud: cloud{key: "aws/x", life: time.Hour}}
		_, err := c.Get(t.Context(), e)
		synctest.Wait()
		if err != nil || e.given.Err() == nil {
			t.Errorf("%v; its context: %v", err, e.given.Err())
		}
	})
}

// keeper keeps the context that it was given.
type keeper struct {
	cloud
	given context.Context
}

func (k *keeper) Exchange(ctx context.Context) (federation.Credential, error) {
	k.given = ctx
	return k.cloud.Exchange(ctx)
}

// TestStormOnShutdown: requests that come while and after the cache ends get an answer;
// no exchange outlives it.
func TestStormOnShutdown(t *testing.T) {
	for range 50 {
		c := New(Options{})
		ctx, stop := context.WithCancel(t.Context())
		done := make(chan error, 1)
		go func() { done <- c.Run(ctx) }()
		var flying atomic.Int64
		var wg sync.WaitGroup
		for i := range 8 {
			wg.Go(func() {
				for n := range 50 {
					got, err := c.Get(withinExchange(t.Context()), &flyer{fmt.Sprint("aws/", i, "/", n), &flying})
					if err == nil && got.Token == "" {
						t.Error("neither a credential nor an error")
					}
				}
			})
		}
		time.Sleep(200 * time.Microsecond)
		stop()
		if err := <-done; err != nil {
			t.Error(err)
		}
		if n := flying.Load(); n != 0 {
			t.Errorf("%d exchanges after the end", n)
		}
		wg.Wait()
		if _, err := c.Get(t.Context(), &flyer{"aws/late", &flying}); federation.KindOf(err) != federation.KindUnavailable || !strings.Contains(err.Error(), "stopping") {
			t.Errorf("after the end: %v", err)
		}
	}
}

// flyer is an exchange that counts those under way.
type flyer struct {
	key    string
	flying *atomic.Int64
}

func (f *flyer) Key() string { return f.key }

func (f *flyer) Exchange(ctx context.Context) (federation.Credential, error) {
	f.flying.Add(1)
	defer f.flying.Add(-1)
	select {
	case <-ctx.Done():
		return federation.Credential{}, ctx.Err()
	case <-time.After(50 * time.Microsecond):
	}
	return federation.Credential{Token: "x", Expiry: federation.ExpiresIn(time.Now(), time.Hour)}, nil
}

// TestCancelIsNoFailure: an exchange that the end of the cache cuts short is not an
// error in the log, nor a failure in the metrics.
func TestCancelIsNoFailure(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var log bytes.Buffer
		var o observed
		c := New(Options{Log: slog.New(slog.NewTextHandler(&log, &slog.HandlerOptions{Level: slog.LevelDebug})), Observer: &o})
		c.Pin("aws", &cloud{key: "aws/x", takes: time.Hour})
		ctx, stop := context.WithCancel(t.Context())
		time.AfterFunc(time.Second, stop)
		if err := c.Run(ctx); err != nil {
			t.Error(err)
		}
		if got := log.String(); strings.Count(got, "\n") != 1 || !strings.Contains(got, "level=DEBUG") || o.exchanges.Load() != 0 {
			t.Errorf("%d failures, log:\n%s", o.exchanges.Load(), got)
		}
	})
}

// TestSuccessWhileStopping: what came before its exchange noticed the end counts.
func TestSuccessWhileStopping(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var o observed
		c := New(Options{Observer: &o})
		c.Pin("aws", &deaf{})
		ctx, stop := context.WithCancel(t.Context())
		time.AfterFunc(time.Second, stop)
		if err := c.Run(ctx); err != nil {
			t.Error(err)
		}
		if s := c.Snapshot()[0]; o.exchanges.Load() != 1 || !s.Valid() {
			t.Errorf("%d exchanges: %+v", o.exchanges.Load(), s)
		}
	})
}

// deaf is an exchange that takes two seconds, whatever ends meanwhile.
type deaf struct{}

func (*deaf) Key() string { return "aws/deaf" }

func (*deaf) Exchange(context.Context) (federation.Credential, error) {
	time.Sleep(2 * time.Second)
	return federation.Credential{Token: "x", Expiry: federation.ExpiresIn(time.Now(), time.Hour)}, nil
}

// observed counts what an Observer hears.
type observed struct{ exchanges, renewals, hits, misses atomic.Int64 }

func (o *observed) Asked(_ string, fromMemory bool) {
	if fromMemory {
		o.hits.Add(1)
	} else {
		o.misses.Add(1)
	}
}

func (o *observed) Exchanged(_ string, _ error, _ time.Duration, renewal bool) {
	o.exchanges.Add(1)
	if renewal {
		o.renewals.Add(1)
	}
}

// TestObserver hears of each request and of each exchange, once.
func TestObserver(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var o observed
		c := New(Options{Observer: &o})
		defer c.stop()
		e := &cloud{key: "aws/x", life: time.Hour}
		for range 3 { // a miss, two hits
			if _, err := c.Get(t.Context(), e); err != nil {
				t.Fatal(err)
			}
		}
		time.Sleep(59 * time.Minute)
		e.fail(denied())
		for range 2 { // a renewal that is waited for; the old one
			if _, err := c.Get(t.Context(), e); err != nil {
				t.Fatal(err)
			}
		}
		time.Sleep(2 * time.Minute)
		for range 2 { // nothing valid: an exchange; its error from memory
			if _, err := c.Get(t.Context(), e); err == nil {
				t.Fatal("got a credential")
			}
		}
		synctest.Wait()
		if o.hits.Load() != 4 || o.misses.Load() != 3 || o.exchanges.Load() != 3 || o.renewals.Load() != 2 {
			t.Errorf("hits %d, misses %d, exchanges %d, renewals %d, want 4, 3, 3, 2", o.hits.Load(), o.misses.Load(), o.exchanges.Load(), o.renewals.Load())
		}
	})
}
