package sdks

import (
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/podpass-io/podpass/test/cloud/fault"
	"github.com/podpass-io/podpass/test/sdk"
)

// TestBroker: SDKs that know nothing but the endpoint variables get credentials
// from the broker, or the cause.
func TestBroker(t *testing.T) {
	programs, m, bin := clients(t), newMatrix(t), buildBroker(t)
	t.Run("success", func(t *testing.T) {
		w := newWorld(t, scenario{})
		b := bin.startReady(t, w)
		for _, check := range []string{"aws", "gcp", "gcp-idtoken", "azure"} {
			for _, c := range programs {
				t.Run(check+"/"+c.name, func(t *testing.T) {
					m.set(check+": success", c.name, succeeded(t, w, check, c.run(t, check, b.env(w))))
				})
			}
		}
	})
	t.Run("IMDSv2", func(t *testing.T) {
		w := newWorld(t, scenario{})
		b := bin.startReady(t, w)
		for _, c := range slices.Concat(programs, pythonClients(t)) {
			t.Run(c.name, func(t *testing.T) {
				m.set("aws, IMDSv2: success", c.name, succeeded(t, w, "aws", c.dated(c.run(t, c.check("aws"), b.imdsEnv(w)))))
			})
		}
	})
	// Charts render static keys that nobody gave, and podpass.io/static-keys: override
	// empties those that somebody did.
	t.Run("empty static keys", func(t *testing.T) {
		w := newWorld(t, scenario{})
		b := bin.startReady(t, w)
		for _, c := range slices.Concat(programs, pythonClients(t)) {
			t.Run(c.name, func(t *testing.T) {
				env := append(b.env(w), "AWS_ACCESS_KEY_ID=", "AWS_SECRET_ACCESS_KEY=", "AWS_SESSION_TOKEN=")
				m.set("aws, empty static keys: success", c.name, succeeded(t, w, "aws", c.dated(c.run(t, c.check("aws"), env))))
			})
		}
	})
	for name, refusal := range refusals {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t, refusal.scenario)
			b := bin.startReady(t, w)
			for cloud, cause := range refusal.causes {
				if name == "expired token" {
					cause = "expired at" // the broker sees it before the cloud does
				}
				for _, c := range programs {
					t.Run(cloud+"/"+c.name, func(t *testing.T) {
						r := c.run(t, cloud, b.env(w))
						m.set(cloud+": "+name, c.name, b.showed(t, w, c, cloud, r, cause, "hint: "))
					})
				}
			}
		})
	}
	for _, cloud := range clouds {
		for _, c := range programs {
			t.Run("throttled/"+cloud+"/"+c.name, func(t *testing.T) {
				t.Parallel()
				w := newWorld(t, scenario{faults: throttled})
				b := bin.start(t, w) // the SDK meets a broker that was refused once
				m.set(cloud+": throttled, then not", c.name, succeeded(t, w, cloud, c.run(t, cloud, b.env(w))))
			})
			t.Run("hangs/"+cloud+"/"+c.name, func(t *testing.T) {
				t.Parallel()
				w := newWorld(t, scenario{faults: []fault.Fault{{Hang: true}}})
				b := bin.start(t, w)
				r := c.run(t, cloud, b.env(w))
				m.set(cloud+": hangs", c.name, b.showed(t, w, c, cloud, r, noAnswer))
				// The SDK's retries included; its own timeout, in run, is longer.
				if r.ElapsedMillis > 30_000 {
					t.Errorf("the SDK had its error after %d ms", r.ElapsedMillis)
				}
				w.clouds.Faults.Clear()
				m.set(cloud+": hangs no longer", c.name, b.recovered(t, w, c, cloud, noAnswer))
			})
			if cloud == "gcp" {
				continue // its protocol has no secret
			}
			t.Run("wrong secret/"+cloud+"/"+c.name, func(t *testing.T) {
				t.Parallel()
				w := newWorld(t, scenario{})
				b := bin.startReady(t, w)
				stranger := b
				stranger.secret = "00000000-0000-4000-8000-000000000000"
				r := c.run(t, cloud, stranger.env(w))
				w.secretFree(t, "the result", r.Error)
				if r.OK {
					t.Errorf("another pod's secret got credentials of %s", r.Identity)
				}
				m.set(cloud+": wrong secret", c.name, "refused")
			})
		}
	}
}

// noAnswer is how errors tell that a cloud hangs: what a request says that waited
// for an exchange, and what the exchange says in the end.
const noAnswer = "not answer|deadline exceeded"

// recovered checks that an SDK gets credentials soon after a passing failure, and
// shows its cause until then.
func (b broker) recovered(t *testing.T, w *world, c client, cloud, cause string) string {
	t.Helper()
	const soon = 15 * time.Second
	for end := time.Now().Add(soon); ; {
		r := c.run(t, cloud, b.env(w))
		if r.OK || time.Now().After(end) {
			return succeeded(t, w, cloud, r)
		}
		b.showed(t, w, c, cloud, r, cause)
	}
}

// showed checks that an SDK's error has the cause and the hint. The JavaScript SDK
// for AWS hides from its user whatever the endpoint answers; there the broker's
// own log has to tell.
func (b broker) showed(t *testing.T, w *world, c client, cloud string, r sdk.Result, texts ...string) string {
	t.Helper()
	if cloud != "aws" || c.name != "js" {
		return showed(t, w, r, texts...)
	}
	cell := showed(t, w, r, "Could not load credentials from any providers")
	for _, text := range texts {
		if !containsAny(b.log.String(), text) {
			t.Errorf("podpass-broker's log does not have %q:\n%s", text, b.log)
			return "CAUSE NOT LOGGED"
		}
	}
	return strings.Replace(cell, "shows the cause", "broker's log has the cause", 1)
}
