// Package metrics counts what the broker does, and shows it in Prometheus' text
// exposition format. It is written by hand: the client library would be a tenth of
// the memory that the broker has in every pod.
//
// https://prometheus.io/docs/instrumenting/exposition_formats/#text-based-format
package metrics

import (
	"cmp"
	"fmt"
	"io"
	"maps"
	"net/http"
	"slices"
	"strconv"
	"strings"
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
	remaining       = "podpass_broker_credential_remaining_seconds"
)

// described are the names with type and help, in the order in which they are shown.
var described = [...]struct{ name, kind, help string }{
	{exchanges, "counter", "Exchanges of the subject token for a credential, by outcome and kind of error."},
	{duration, "histogram", "Time that an exchange took, in seconds."},
	{renewalFailures, "counter", "Exchanges that failed while the credential before was still valid."},
	{lookups, "counter", "Requests for a credential, by whether it was in memory."},
	{requests, "counter", "HTTP requests of the application, by protocol and status."},
	{remaining, "gauge", "Life that is left of the pod's own credential, in seconds; 0: there is none."},
}

// buckets of the duration, in seconds: a cloud near by answers in tens of
// milliseconds, and after ten seconds the broker gives up.
var buckets = [...]float64{.025, .05, .1, .25, .5, 1, 2.5, 5, 10}

// Metrics implements cache.Observer and http.Handler. Its labels have few values: a
// cloud, a kind of error, a status. The zero value is ready; it is safe for
// concurrent use.
type Metrics struct {
	// Remaining gives, for each cloud, the life left of the pod's own credential.
	Remaining func() map[string]time.Duration

	mu     sync.Mutex
	series map[string]map[string]float64 // by metric and labels
}

func (m *Metrics) add(metric, labels string, v float64) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.series == nil {
		m.series = map[string]map[string]float64{}
	}
	if m.series[metric] == nil {
		m.series[metric] = map[string]float64{}
	}
	m.series[metric][labels] += v
}

// Asked implements cache.Observer.
func (m *Metrics) Asked(cloud string, fromMemory bool) {
	result := "miss"
	if fromMemory {
		result = "hit"
	}
	m.add(lookups, labels("cloud", cloud, "result", result), 1)
}

// Exchanged implements cache.Observer.
func (m *Metrics) Exchanged(cloud string, err error, took time.Duration, renewal bool) {
	outcome := "success"
	if err != nil {
		outcome = "failure"
		if renewal {
			m.add(renewalFailures, labels("cloud", cloud), 1)
		}
	}
	m.add(exchanges, labels("cloud", cloud, "outcome", outcome, "kind", string(federation.KindOf(err))), 1)
	for _, le := range buckets {
		v := 0.0 // a series of its own from the start, as histograms must have
		if took.Seconds() <= le {
			v = 1
		}
		m.add(duration, "_bucket"+labels("cloud", cloud, "le", strconv.FormatFloat(le, 'g', -1, 64)), v)
	}
	m.add(duration, "_bucket"+labels("cloud", cloud, "le", "+Inf"), 1)
	m.add(duration, "_sum"+labels("cloud", cloud), took.Seconds())
	m.add(duration, "_count"+labels("cloud", cloud), 1)
}

// Requested counts a request of the application.
func (m *Metrics) Requested(protocol string, status int) {
	m.add(requests, labels("protocol", protocol, "status", strconv.Itoa(status)), 1)
}

// labels renders pairs; no value of ours needs escaping.
func labels(pairs ...string) string {
	var b strings.Builder
	b.WriteByte('{')
	separator := ""
	for pair := range slices.Chunk(pairs, 2) {
		fmt.Fprintf(&b, "%s%s=%q", separator, pair[0], pair[1])
		separator = ","
	}
	b.WriteByte('}')
	return b.String()
}

// ServeHTTP shows the metrics.
func (m *Metrics) ServeHTTP(w http.ResponseWriter, _ *http.Request) {
	w.Header().Set("Content-Type", "text/plain; version=0.0.4; charset=utf-8")
	_ = m.Write(w) // an error means that the scraper has gone
}

// Write writes all metrics.
func (m *Metrics) Write(w io.Writer) error {
	all := m.snapshot()
	var b strings.Builder
	for _, d := range described {
		fmt.Fprintf(&b, "# HELP %s %s\n# TYPE %s %s\n", d.name, d.help, d.name, d.kind)
		for _, l := range ordered(all[d.name]) {
			fmt.Fprintf(&b, "%s%s %s\n", d.name, l, strconv.FormatFloat(all[d.name][l], 'g', -1, 64))
		}
	}
	_, err := io.WriteString(w, b.String())
	return err
}

func (m *Metrics) snapshot() map[string]map[string]float64 {
	all := map[string]map[string]float64{}
	m.mu.Lock()
	for name, series := range m.series {
		all[name] = maps.Clone(series)
	}
	m.mu.Unlock()
	if m.Remaining != nil {
		all[remaining] = map[string]float64{}
		for cloud, left := range m.Remaining() {
			all[remaining][labels("cloud", cloud)] = max(0, left.Seconds())
		}
	}
	return all
}

// ordered sorts series; of a histogram, buckets by their bound, and then sum and
// count.
func ordered(series map[string]float64) []string {
	bound := func(l string) float64 {
		_, le, ok := strings.Cut(l, `le="`)
		if !ok {
			return -1
		}
		f, err := strconv.ParseFloat(strings.TrimSuffix(le, `"}`), 64)
		if err != nil {
			return -1
		}
		return f
	}
	return slices.SortedFunc(maps.Keys(series), func(a, b string) int {
		headA, _, _ := strings.Cut(a, `,le="`)
		headB, _, _ := strings.Cut(b, `,le="`)
		if headA != headB {
			return strings.Compare(headA, headB)
		}
		return cmp.Compare(bound(a), bound(b))
	})
}
