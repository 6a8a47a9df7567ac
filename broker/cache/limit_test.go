package cache

import (
	"context"
	"fmt"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/podpass-io/podpass/federation"
)

// counted are exchanges of any key that count together.
type counted struct {
	key   string
	calls *atomic.Int64
	err   error
}

func (e *counted) Key() string { return e.key }

func (e *counted) Exchange(context.Context) (federation.Credential, error) {
	e.calls.Add(1)
	return federation.Credential{Token: "x", Expiry: federation.ExpiresIn(time.Now(), time.Hour)}, e.err
}

// TestDistinctRequestsAreNotAFlood: an application that goes through 10,000
// resources again and again, a hundred a second for ten minutes, whether the cloud
// gives them or not.
func TestDistinctRequestsAreNotAFlood(t *testing.T) {
	for name, err := range map[string]error{"given": nil, "refused": denied(), "down": unavailable()} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				c := running(t)
				pinned := &cloud{key: "azure/pinned", life: time.Hour}
				c.Pin("own", pinned)
				other := &cloud{key: "gcp/x", life: time.Hour}
				var calls atomic.Int64
				for i := range 60_000 {
					_, err := c.Get(t.Context(), &counted{fmt.Sprint("azure/", i%10_000), &calls, err})
					if f, ok := err.(*federation.Error); ok && f.Kind == federation.KindThrottled && (f.RetryAfter <= 0 || f.RetryAfter > newEvery) { //nolint:errorlint // as the cache promises
						t.Fatalf("retry after %s", f.RetryAfter)
					}
					time.Sleep(10 * time.Millisecond)
				}
				// 64 at once, and one more a second.
				if n := calls.Load(); n < 663 || n > 665 {
					t.Errorf("%d exchanges for 60,000 requests in ten minutes, want 664", n)
				}
				if n := size(c); n > 256 {
					t.Errorf("%d credentials in memory", n)
				}
				if _, err := c.Get(t.Context(), pinned); err != nil {
					t.Errorf("the pinned credential: %v", err)
				}
				if _, err := c.Get(t.Context(), other); err != nil {
					t.Errorf("another cloud's credential: %v", err)
				}
			})
		})
	}
}

// TestBurst: 64 exchanges at once, of each cloud; the next one a second later.
func TestBurst(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := New(Options{})
		defer c.stop()
		var calls atomic.Int64
		for _, cloud := range []string{"gcp", "azure"} {
			for i := range 66 {
				if i == 65 {
					time.Sleep(time.Second)
				}
				_, err := c.Get(t.Context(), &counted{fmt.Sprint(cloud, "/", i), &calls, nil})
				if throttled := federation.KindOf(err) == federation.KindThrottled; throttled != (i == 64) {
					t.Errorf("%s, request %d: %v", cloud, i+1, err)
				}
			}
		}
	})
}

// nested is an exchange that starts from another's credential, as impersonation
// does from the federated token.
type nested struct {
	cloud
	c    *Cache
	from federation.Exchanger
}

func (e *nested) Exchange(ctx context.Context) (federation.Credential, error) {
	if _, err := e.c.Get(ctx, e.from); err != nil {
		return federation.Credential{}, err
	}
	return e.cloud.Exchange(ctx)
}

// TestRenewalThroughAFlood: what a credential starts from has ended and was
// forgotten, and is got anew though the application has used up the limit.
func TestRenewalThroughAFlood(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := running(t)
		from := &cloud{key: "gcp/federated", life: 10 * time.Minute}
		e := &nested{cloud: cloud{key: "gcp/access", life: time.Hour}, c: c, from: from}
		c.Pin("own", e)
		var calls atomic.Int64
		for i := range 3 * 3600 {
			_, _ = c.Get(t.Context(), &counted{fmt.Sprint("gcp/", i), &calls, nil}) // refused now and then
			_, _ = c.Get(t.Context(), &counted{fmt.Sprint("gcp/more/", i), &calls, nil})
			if _, err := c.Get(t.Context(), e); err != nil {
				t.Fatalf("after %d s: %v", i, err)
			}
			time.Sleep(time.Second)
		}
		if n := from.calls.Load(); n < 3 {
			t.Errorf("the federated token was got %d times in three hours: nothing was shown", n)
		}
		if calls.Load() > 3*3600+newAtOnce {
			t.Errorf("%d exchanges in three hours", calls.Load())
		}
	})
}

// TestLimitIsForNewExchanges: an application that has used it up still gets what is the
// pod's own, what is on its way, and what only waits for a file; of a refusal the cause.
func TestLimitIsForNewExchanges(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := New(Options{})
		defer c.stop()
		get := func(e federation.Exchanger) federation.Kind {
			_, err := c.Get(t.Context(), e)
			return federation.KindOf(err)
		}
		var calls atomic.Int64
		n := 0
		spend := func() {
			for get(&counted{fmt.Sprint("aws/new/", n), &calls, nil}) == "" {
				n++
			}
		}
		refused := &cloud{key: "aws/refused", err: denied()}
		ended := &cloud{key: "aws/ended", life: time.Second}
		file := &cloud{key: "aws/file", life: time.Hour, err: expired()}
		slow := &cloud{key: "aws/slow", life: time.Hour, takes: 3 * time.Second}
		for range 2 * newAtOnce { // one exchange; the others cost nothing
			get(refused)
		}
		if kind := get(ended); kind != "" {
			t.Errorf("after errors from memory: %s", kind)
		}
		get(file)
		file.fail(nil)
		results := make(chan federation.Kind, 2)
		go func() { results <- get(slow) }()
		synctest.Wait()
		spend()
		own := &cloud{key: "aws/own", life: time.Hour}
		c.Pin("aws", own)
		if kind := get(own); kind != "" {
			t.Errorf("the pod's own: %s", kind)
		}
		time.Sleep(2 * time.Second)
		spend()
		go func() { results <- get(slow) }()
		for name, test := range map[string]struct {
			e    *cloud
			want federation.Kind
		}{"refused": {refused, federation.KindDenied}, "ended": {ended, federation.KindThrottled}, "a file": {file, ""}} {
			if kind := get(test.e); kind != test.want {
				t.Errorf("%s: %q, want %q", name, kind, test.want)
			}
		}
		for range 2 {
			if kind := <-results; kind != "" {
				t.Errorf("on its way: %s", kind)
			}
		}
		if refused.calls.Load() != 1 || slow.calls.Load() != 1 {
			t.Errorf("%d, %d exchanges", refused.calls.Load(), slow.calls.Load())
		}
	})
}

// TestEndedBeforeItCame: with a clock that is an hour ahead, what the cloud gives
// has ended; that is a failure with a cause, not an empty credential.
func TestEndedBeforeItCame(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := running(t)
		_, err := c.Get(t.Context(), &cloud{key: "gcp/x", life: -time.Minute})
		if federation.KindOf(err) != federation.KindTokenExpired {
			t.Errorf("got %v", err)
		}
	})
}
