// Package metrics counts what the broker does, and shows it in Prometheus' text
// exposition format. It is written by hand: the client library would be a tenth of
// the memory that the broker has in every pod.
//
// https://prometheus.io/docs/instrumenting/exposition_formats/#text-based-format
package metrics

import (
	"strconv"
	"sync"
	"time"

	"github.com/podpass-io/podpass/federation"
)

// Names of the metrics; docs/metrics.md holds the same.
const (
	exchanges       = "podpass_broker_exchanges_total"
	duration        = "podpass_broker_exchange_duration_seconds"
	renewalFailures = "podpass_broker_renewal_failures_total"
	lookups         = "podpass_broker_cache_requests_total"
	requests        = "podpass_broker_requests_total"
	panics          = "podpass_broker_panics_total"
	remaining       = "podpass_broker_credential_remaining_seconds"
)

// described are the names with type and help, in the order in which they are shown.
var described = [...]struct{ name, kind, help string }{
	{exchanges, "counter", "Exchanges of the subject token for a credential, by outcome and kind of error."},
	{duration, "histogram", "Time that an exchange took, in seconds."},
	{renewalFailures, "counter", "Exchanges that failed while the credential before was still valid."},
	{lookups, "counter", "Requests for a credential, by whether it was in memory."},
	{requests, "counter", "HTTP requests of the application, by protocol and status."},
	{panics, "counter", "Panics of a handler, each answered with status 500."},
	{remaining, "gauge", "Life that is left of the pod's own credential, in seconds; 0: there is none."},
}

// buckets of the duration, in seconds: a cloud near by answers in tens of
// milliseconds, and after ten seconds the broker gives up.
var buckets = [...]float64{.025, .05, .1, .25, .5, 1, 2.5, 5, 10}

// Metrics implements cache.Observer and http.Handler. Its labels have few values: a
// cloud, a kind of error, a status. It is safe for concurrent use.
type Metrics struct {
	remaining func() map[string]time.Duration

	mu     sync.Mutex
	series map[string]map[string]float64 // by metric and labels
}

// New gives the metrics of a pod with identities in clouds. remaining gives, for each
// cloud, the life left of the pod's own credential; nil: that is not shown.
//
// Each series exists from the start, at zero, since a rate does not see the first step
// of one that comes into being with it. The exception are requests, whose statuses
// cannot be listed.
func New(remaining func() map[string]time.Duration, clouds ...string) *Metrics {
	m := &Metrics{remaining: remaining, series: map[string]map[string]float64{}}
	for _, d := range described {
		m.series[d.name] = map[string]float64{}
	}
	m.add(panics, "", 0)
	for _, cloud := range clouds {
		m.exchanged(cloud, "", 0)
		for _, kind := range federation.Kinds() {
			m.exchanged(cloud, kind, 0)
		}
		m.add(renewalFailures, labels("cloud", cloud), 0)
		m.took(cloud, 0, 0)
		m.lookedUp(cloud, true, 0)
		m.lookedUp(cloud, false, 0)
	}
	return m
}

func (m *Metrics) add(metric, labels string, v float64) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.series[metric][labels] += v
}

// Asked implements cache.Observer.
func (m *Metrics) Asked(cloud string, fromMemory bool) { m.lookedUp(cloud, fromMemory, 1) }

func (m *Metrics) lookedUp(cloud string, fromMemory bool, n float64) {
	result := "miss"
	if fromMemory {
		result = "hit"
	}
	m.add(lookups, labels("cloud", cloud, "result", result), n)
}

// Exchanged implements cache.Observer.
func (m *Metrics) Exchanged(cloud string, err error, took time.Duration, renewal bool) {
	m.exchanged(cloud, federation.KindOf(err), 1)
	if err != nil && renewal {
		m.add(renewalFailures, labels("cloud", cloud), 1)
	}
	m.took(cloud, took.Seconds(), 1)
}

func (m *Metrics) exchanged(cloud string, kind federation.Kind, n float64) {
	outcome := "failure"
	if kind == "" {
		outcome = "success"
	}
	m.add(exchanges, labels("cloud", cloud, "outcome", outcome, "kind", string(kind)), n)
}

// took adds n exchanges of so many seconds to the histogram.
func (m *Metrics) took(cloud string, seconds, n float64) {
	for _, le := range buckets {
		v := 0.0
		if seconds <= le {
			v = n
		}
		m.add(duration, "_bucket"+labels("cloud", cloud, "le", strconv.FormatFloat(le, 'g', -1, 64)), v)
	}
	m.add(duration, "_bucket"+labels("cloud", cloud, "le", "+Inf"), n)
	m.add(duration, "_sum"+labels("cloud", cloud), seconds*n)
	m.add(duration, "_count"+labels("cloud", cloud), n)
}

// Requested counts a request of the application.
func (m *Metrics) Requested(protocol string, status int) {
	m.add(requests, labels("protocol", protocol, "status", strconv.Itoa(status)), 1)
}

// Panicked counts a panic of a handler.
func (m *Metrics) Panicked() { m.add(panics, "", 1) }
