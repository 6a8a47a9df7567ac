package sdks

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/podpass-io/podpass/test/cloud/fault"
	"github.com/podpass-io/podpass/test/cloud/trust"
	"github.com/podpass-io/podpass/test/program"
	"github.com/podpass-io/podpass/test/sdk"
)

// TestLife takes each client, also those of Debian's packages, through what happens
// in the life of a pod: the first call, a refresh, a refusal, a cloud that fails and
// comes back, and a broker that comes late.
func TestLife(t *testing.T) {
	programs, m, bin := append(clients(t), debianClients(t)...), newMatrix(t), buildBroker(t)
	each := func(t *testing.T, do func(t *testing.T, c client, cloud, check string)) {
		t.Helper()
		for _, c := range programs {
			for _, cloud := range clouds {
				if check := c.check(cloud); check != "" {
					t.Run(cloud+"/"+c.name, func(t *testing.T) {
						t.Parallel()
						do(t, c, cloud, check)
					})
				}
			}
		}
	}
	t.Run("first call", func(t *testing.T) {
		w := newWorld(t, scenario{})
		b := bin.startReady(t, w)
		each(t, func(t *testing.T, c client, cloud, check string) {
			m.set(cloud+": 1 first call", c.name, succeeded(t, w, cloud, c.dated(c.run(t, check, b.env(w)))))
		})
	})
	t.Run("refresh", func(t *testing.T) {
		const life = 5 // seconds
		w := newWorld(t, scenario{trust: func(c *trust.Config) { c.AWS.Life, c.GCP.Life, c.Azure.Life = life, life, life }})
		b := bin.startReady(t, w)
		each(t, func(t *testing.T, c client, cloud, check string) {
			began := time.Now()
			results := c.watch(t, check, b.env(w), 40*time.Second, func(all []sdk.Result) bool {
				last := all[len(all)-1]
				if last.Expires.IsZero() { // it does not say; two lives have passed
					return time.Since(began) > 2*life*time.Second
				}
				return !last.OK || last.Expires.Sub(all[0].Expires) > life*time.Second
			})
			last := results[len(results)-1]
			if !last.OK || last.Expires.IsZero() != (c.name == "awscli") || !last.Expires.IsZero() && last.Expires.Sub(results[0].Expires) <= life*time.Second {
				t.Errorf("after %d calls: %+v", len(results), last)
			}
			m.set(cloud+": 2 refresh", c.name, fmt.Sprintf("ok, %d calls, 0 failed", len(results)))
		})
	})
	t.Run("refused", func(t *testing.T) {
		refusal := refusals["unknown identity"]
		w := newWorld(t, refusal.scenario)
		b := bin.startReady(t, w)
		each(t, func(t *testing.T, c client, cloud, check string) {
			m.set(cloud+": 3 permanent error", c.name, b.showed(t, w, c, cloud, c.run(t, check, b.env(w)), refusal.causes[cloud]))
		})
	})
	t.Run("fails and comes back", func(t *testing.T) {
		each(t, func(t *testing.T, c client, cloud, check string) {
			w := newWorld(t, scenario{faults: []fault.Fault{{Status: 503, Count: 6}}}) // all three clouds, twice each
			b := bin.start(t, w)
			m.set(cloud+": 4 transient error", c.name, untilOK(t, w, c, cloud, check, b.env(w)))
		})
	})
	t.Run("late start", func(t *testing.T) {
		each(t, func(t *testing.T, c client, cloud, check string) {
			w := newWorld(t, scenario{})
			address := program.Address(t)
			done := make(chan string, 1)
			go func() {
				done <- untilOK(t, w, c, cloud, check, broker{address: address, secret: podUID}.env(w))
			}()
			time.Sleep(1500 * time.Millisecond)
			bin.startAt(t, w, address)
			m.set(cloud+": 5 late start", c.name, <-done)
		})
	})
}

// dated is r with an end where the client has none to tell: the AWS command line.
func (c client) dated(r sdk.Result) sdk.Result {
	if c.name == "awscli" && r.OK {
		r.Expires = time.Now().Add(time.Hour)
	}
	return r
}

// untilOK is how an SDK gets to its credentials, asked again and again.
func untilOK(t *testing.T, w *world, c client, cloud, check string, env []string) string {
	t.Helper()
	began := time.Now()
	results := c.watch(t, check, env, 60*time.Second, func(all []sdk.Result) bool { return all[len(all)-1].OK })
	if len(results) == 0 {
		t.Errorf("%s %s said nothing", c.name, check)
		return "NOTHING SAID"
	}
	last := results[len(results)-1]
	took := time.Since(began).Round(100 * time.Millisecond)
	if cell := succeeded(t, w, cloud, c.dated(last)); !strings.HasPrefix(cell, "ok") {
		return cell
	}
	if len(results) == 1 {
		return fmt.Sprintf("ok in the first call, %s", took)
	}
	if c.final != "" && strings.Contains(results[len(results)-2].Error, c.final) {
		return fmt.Sprintf("ok in call %d, in a new process, %s", len(results), took) // it asks once in a process
	}
	return fmt.Sprintf("ok in call %d, %s", len(results), took)
}
