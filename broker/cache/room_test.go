package cache

import (
	"fmt"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"
)

// TestOldestMakesRoom: of a full cache, what was not asked for the longest; never the
// pod's own, nor what is on its way.
func TestOldestMakesRoom(t *testing.T) {
	for range 10 { // a map has no order
		synctest.Test(t, oldestMakesRoom)
	}
}

func oldestMakesRoom(t *testing.T) {
	c := New(Options{Max: 4})
	defer c.stop()
	own := &cloud{key: "aws/own", life: 9 * time.Hour}
	c.Pin("aws", own)
	get := func(e *cloud) {
		t.Helper()
		if _, err := c.Get(t.Context(), e); err != nil {
			t.Fatal(err)
		}
		time.Sleep(time.Second)
	}
	get(own)
	slow := &cloud{key: "aws/slow", life: 9 * time.Hour, takes: time.Hour}
	go func() { _, _ = c.Get(t.Context(), slow) }()
	time.Sleep(time.Second)
	one, two := &cloud{key: "aws/1", life: 9 * time.Hour}, &cloud{key: "aws/2", life: 9 * time.Hour}
	get(one)
	get(two)
	get(one) // two is the oldest now
	get(&cloud{key: "aws/3", life: 9 * time.Hour})
	var keys []string
	for _, s := range c.Snapshot() {
		keys = append(keys, s.Key)
	}
	if diff := cmp.Diff([]string{"aws/own", "aws/1", "aws/3", "aws/slow"}, keys); diff != "" {
		t.Errorf("(-want +kept)\n%s", diff)
	}
	get(one)
	get(own)
	if one.calls.Load() != 1 || own.calls.Load() != 1 || slow.calls.Load() != 1 {
		t.Errorf("exchanged again: %d, %d, %d", one.calls.Load(), own.calls.Load(), slow.calls.Load())
	}
}

// TestCacheIsFilled before anything is forgotten: by default 256.
func TestCacheIsFilled(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := New(Options{})
		defer c.stop()
		for i := range 300 {
			if _, err := c.Get(withinExchange(t.Context()), &cloud{key: fmt.Sprint("aws/", i), life: time.Hour}); err != nil {
				t.Fatal(err)
			}
		}
		if n := size(c); n != 256 {
			t.Errorf("%d credentials, want 256", n)
		}
	})
}

// TestSnapshotIsOrdered: the pod's own by name, then the others by key.
func TestSnapshotIsOrdered(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := running(t)
		for _, key := range []string{"aws/z", "aws/0", "gcp/b"} {
			if _, err := c.Get(t.Context(), &cloud{key: key, life: time.Hour}); err != nil {
				t.Fatal(err)
			}
		}
		c.Pin("gcp", &cloud{key: "gcp/0", life: time.Hour})
		c.Pin("aws/reports", &cloud{key: "aws/1", life: time.Hour})
		c.Pin("aws", &cloud{key: "aws/2", life: time.Hour, takes: time.Minute})
		synctest.Wait()
		var got []string
		for _, s := range c.Snapshot() {
			got = append(got, s.Name+" "+s.Key)
			if s.Pinned != (s.Name != "") || s.Valid() != (s.Name != "aws") || s.Exchanging.IsZero() != (s.Name != "aws") || s.Valid() && !s.NextExchange.After(time.Now()) {
				t.Errorf("%+v", s)
			}
		}
		if diff := cmp.Diff([]string{"aws aws/2", "aws/reports aws/1", "gcp gcp/0", " aws/0", " aws/z", " gcp/b"}, got); diff != "" {
			t.Error(diff)
		}
	})
}

// TestRenewedForEver: the pod's own, and what is in use, again and again, each time
// before its end.
func TestRenewedForEver(t *testing.T) {
	for name, pinned := range map[string]bool{"the pod's own": true, "in use": false} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				c := running(t)
				e := &cloud{key: "gcp/x", life: time.Hour, takes: time.Second}
				if pinned {
					c.Pin("gcp", e)
				}
				time.Sleep(time.Minute)
				for range 48 * 60 {
					_, err := c.Get(t.Context(), e)
					if err != nil {
						t.Fatal(err)
					}
					time.Sleep(time.Minute)
				}
				// One each 43 to 48 minutes.
				if n := e.calls.Load(); n < 58 || n > 70 {
					t.Errorf("%d exchanges in two days", n)
				}
			})
		})
	}
}

// TestLeads by cloud and life, and the renewals of two pods are not at one moment.
func TestLeads(t *testing.T) {
	for _, test := range []struct {
		cloud      string
		life, want time.Duration
	}{
		{"aws", 15 * time.Minute, 450 * time.Second},
		{"aws", time.Hour, 20 * time.Minute},
		{"aws", 2 * time.Hour, time.Hour},
		{"aws", 2*time.Hour - 1, 24*time.Minute - 1},
		{"aws", 3 * time.Hour, 65 * time.Minute},
		{"aws", 12 * time.Hour, 144 * time.Minute},
		{"gcp", 20 * time.Minute, 10 * time.Minute},
		{"gcp", time.Hour, 12 * time.Minute},
		{"gcp", 50 * time.Minute, 12 * time.Minute},
		{"gcp", 3 * time.Hour, 36 * time.Minute},
		{"azure", 30 * time.Minute, 8 * time.Minute},
		{"azure", time.Hour, 12 * time.Minute},
		{"oidc", 10 * time.Minute, 5 * time.Minute},
	} {
		n := &entry{cloud: test.cloud}
		differ := false
		var last time.Time
		for range 20 {
			e := (&cloud{life: test.life})
			credential, err := e.Exchange(t.Context())
			if err != nil {
				t.Fatal(err)
			}
			n.succeeded(credential)
			if got := n.lead(); got != test.want {
				t.Fatalf("%s, %s: %s ahead, want %s", test.cloud, test.life, got, test.want)
			}
			after, most := n.renewAt.Sub(credential.Expiry.Issued()), test.life-test.want
			if after > most || after < most*9/10 {
				t.Errorf("%s, %s: renewed after %s, want %s or up to a tenth less", test.cloud, test.life, after, most)
			}
			differ = differ || !last.IsZero() && n.renewAt.Sub(last) > time.Second
			last = n.renewAt
		}
		if !differ {
			t.Errorf("%s, %s: no jitter", test.cloud, test.life)
		}
	}
}
