package broker

import (
	"context"
	"errors"
	"io"
	"log/slog"
	"net/http"
	"runtime"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/podpass-io/podpass/broker/cache"
	"github.com/podpass-io/podpass/federation"
)

// source gives credentials of this life; 0: none.
type source struct {
	key  string
	life time.Duration
}

func (s source) Key() string { return s.key }

func (s source) Exchange(context.Context) (federation.Credential, error) {
	if s.life == 0 {
		return federation.Credential{}, errors.New("refused")
	}
	return federation.Credential{Token: "x", Expiry: federation.ExpiresAt(time.Now(), time.Now().Add(s.life))}, nil
}

// TestRemainingLife: of each cloud's own credentials the least, 0 where one is not
// there; what applications ask for besides does not count.
func TestRemainingLife(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := &Broker{cache: cache.New(cache.Options{})}
		for _, s := range []struct {
			name string
			source
		}{
			{"aws", source{"aws/1", 2 * time.Hour}}, {"aws/reports", source{"aws/2", time.Hour}}, {"aws/other", source{"aws/3", 3 * time.Hour}},
			{"gcp", source{"gcp/1", time.Hour}}, {"azure", source{"azure/1", time.Hour}}, {"azure/other", source{"azure/2", 0}},
		} {
			b.cache.Pin(s.name, s.source)
			if s.name != "gcp" {
				_, _ = b.cache.Get(t.Context(), s.source) // one is refused
			}
		}
		if _, err := b.cache.Get(t.Context(), source{"aws/4", time.Minute}); err != nil {
			t.Fatal(err)
		}
		want := map[string]time.Duration{"aws": time.Hour, "gcp": 0, "azure": 0}
		if diff := cmp.Diff(want, b.remaining()); diff != "" {
			t.Errorf("(-want +got)\n%s", diff)
		}
	})
}

// TestTidyUp: memory is given back once all has been tried, and not before.
func TestTidyUp(t *testing.T) {
	collections := func() uint32 {
		var m runtime.MemStats
		runtime.ReadMemStats(&m)
		return m.NumForcedGC
	}
	synctest.Test(t, func(t *testing.T) {
		b := &Broker{cache: cache.New(cache.Options{})}
		own := source{"aws/1", time.Hour}
		b.cache.Pin("aws", own)
		before, done := collections(), make(chan error, 1)
		go func() { done <- b.tidyUp(t.Context()) }()
		time.Sleep(time.Minute)
		if got := collections(); got != before {
			t.Errorf("%d collections while it is awaited", got-before)
		}
		if _, err := b.cache.Get(t.Context(), own); err != nil {
			t.Fatal(err)
		}
		if err := <-done; err != nil || collections() != before+1 {
			t.Errorf("%v, and %d collections", err, collections()-before)
		}
		gone, leave := context.WithCancel(t.Context())
		leave()
		b.cache.Pin("gcp", source{"gcp/1", time.Hour})
		if err := b.tidyUp(gone); err != nil || collections() != before+1 {
			t.Errorf("the end: %v, and %d collections", err, collections()-before)
		}
	})
}

// TestBounds: what a client may send, and how long it may take.
func TestBounds(t *testing.T) {
	s := (&Broker{log: slog.New(slog.NewTextHandler(io.Discard, nil))}).httpServer(http.NotFoundHandler())
	got := map[string]any{"header": s.MaxHeaderBytes, "read": s.ReadTimeout, "write": s.WriteTimeout, "idle": s.IdleTimeout}
	want := map[string]any{"header": 8192, "read": 5 * time.Second, "write": 15 * time.Second, "idle": time.Minute}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("(-want +got)\n%s", diff)
	}
}

// TestReasonFitsAnEvent: a cause is one line, and bounded.
func TestReasonFitsAnEvent(t *testing.T) {
	s := cache.State{Err: &federation.Error{Kind: federation.KindDenied, Message: "no\n\tentry " + strings.Repeat("x", 600)}}
	if got := reason(s); !strings.HasPrefix(got, " (Denied: ") || !strings.Contains(got, "no entry x") || !strings.HasSuffix(got, "x...)") || len(got) != 480+len(" (Denied: ...)") {
		t.Errorf("%d bytes: %s", len(got), got)
	}
	if got := reason(cache.State{}); got != "" {
		t.Errorf("nothing is known: %s", got)
	}
	if got := reason(cache.State{Exchanging: time.Now().Add(-2400 * time.Millisecond)}); got != " (no answer for 2s)" {
		t.Errorf("it hangs: %s", got)
	}
}
