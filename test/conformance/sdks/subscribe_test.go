package sdks

import (
	"fmt"
	"testing"
	"time"

	"github.com/podpass-io/podpass/test/cloud/trust"
)

// TestSubscribe: Go's metadata library, which watches a value by wait_for_change, is held
// while the access token is the same, and gets the one that follows it. It once asked
// 4,300 times a second.
func TestSubscribe(t *testing.T) {
	const life = 5 // seconds
	w := newWorld(t, scenario{trust: func(c *trust.Config) { c.GCP.Life = life }})
	b := buildBroker(t).startReady(t, w)
	goClient := clients(t)[0]
	r := goClient.run(t, "gcp-subscribe", b.env(w))
	var calls int
	if _, err := fmt.Sscanf(r.Identity, "%d calls", &calls); err != nil || !r.OK {
		t.Fatalf("%+v", r)
	}
	// One that asks what there is, one that has no tag yet, one that waits.
	if calls < 2 || calls > 3 || time.Duration(r.ElapsedMillis)*time.Millisecond > 2*life*time.Second {
		t.Errorf("%d calls in %d ms until another token; want 2 or 3 within two lives", calls, r.ElapsedMillis)
	}
}
