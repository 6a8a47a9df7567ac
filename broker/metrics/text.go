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
)

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
	_, _ = io.WriteString(w, m.Text()) // an error means that the scraper has gone
}

// Text is all metrics.
func (m *Metrics) Text() string {
	all := m.snapshot()
	var b strings.Builder
	for _, d := range described {
		fmt.Fprintf(&b, "# HELP %s %s\n# TYPE %s %s\n", d.name, d.help, d.name, d.kind)
		for _, l := range ordered(all[d.name]) {
			fmt.Fprintf(&b, "%s%s %s\n", d.name, l, strconv.FormatFloat(all[d.name][l], 'g', -1, 64))
		}
	}
	return b.String()
}

func (m *Metrics) snapshot() map[string]map[string]float64 {
	all := map[string]map[string]float64{}
	m.mu.Lock()
	for name, series := range m.series {
		all[name] = maps.Clone(series)
	}
	m.mu.Unlock()
	if m.remaining == nil {
		return all
	}
	for cloud, left := range m.remaining() {
		all[remaining][labels("cloud", cloud)] = max(0, left.Seconds())
	}
	return all
}

// ordered sorts series; of a histogram, buckets by their bound, and then sum and
// count.
func ordered(series map[string]float64) []string {
	return slices.SortedFunc(maps.Keys(series), func(a, b string) int {
		headA, boundA := bound(a)
		headB, boundB := bound(b)
		return cmp.Or(strings.Compare(headA, headB), cmp.Compare(boundA, boundB))
	})
}

// bound takes the upper bound, the last label, off a bucket's labels.
func bound(labels string) (rest string, le float64) {
	rest, text, ok := strings.Cut(labels, `,le="`)
	if ok {
		le, _ = strconv.ParseFloat(strings.TrimSuffix(text, `"}`), 64) // of buckets, or +Inf
	}
	return rest, le
}
