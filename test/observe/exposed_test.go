package observe

import (
	"fmt"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"
)

// metric is what a scrape has of one name: its type, and its labels with their values.
type metric struct {
	kind   string
	labels map[string][]string
}

// exposed is what the programs expose, by name; of a histogram, by its three names.
type exposed map[string]*metric

var (
	typeLine   = regexp.MustCompile(`^# TYPE (\S+) (\S+)$`)
	seriesLine = regexp.MustCompile(`^([a-zA-Z_:][a-zA-Z0-9_:]*)(?:\{(.*)\})? \S+$`)
	labelPair  = regexp.MustCompile(`(\w+)="((?:[^"\\]|\\.)*)"`)
)

// add reads a page in Prometheus' text format.
func (e exposed) add(t *testing.T, page string) {
	t.Helper()
	kinds := map[string]string{}
	for line := range strings.SplitSeq(page, "\n") {
		if m := typeLine.FindStringSubmatch(line); m != nil {
			kinds[m[1]] = m[2]
			continue
		}
		if strings.HasPrefix(line, "#") {
			continue
		}
		m := seriesLine.FindStringSubmatch(line)
		if m == nil {
			t.Fatalf("a line that is no series: %q", line)
		}
		kind := kinds[m[1]]
		for _, suffix := range []string{"_bucket", "_sum", "_count"} {
			if base, ok := strings.CutSuffix(m[1], suffix); ok && kinds[base] == "histogram" {
				kind = "histogram"
			}
		}
		if e[m[1]] == nil {
			e[m[1]] = &metric{kind, map[string][]string{}}
		}
		for _, l := range labelPair.FindAllStringSubmatch(m[2], -1) {
			if !slices.Contains(e[m[1]].labels[l[1]], l[2]) {
				e[m[1]].labels[l[1]] = append(e[m[1]].labels[l[1]], l[2])
			}
		}
	}
}

// scrape gives what a world exposes once the audit has passed and each review was made.
func scrape(t *testing.T) exposed {
	t.Helper()
	w := start(t)
	w.round(t, 0)
	w.round(t, 1)
	const audited = "podpass_webhook_audit_timestamp_seconds"
	for end := time.Now().Add(30 * time.Second); ; time.Sleep(100 * time.Millisecond) {
		e := exposed{}
		for _, s := range slices.Concat(w.webhooks, w.brokers) {
			e.add(t, page(t, s))
		}
		if e[audited] != nil {
			return e
		}
		if time.Now().After(end) {
			t.Fatal("no audit has ended")
		}
	}
}

// target are the labels that a scrape adds; cluster is there where somebody adds it.
var target = []string{"cluster", "namespace", "pod", "instance"}

var (
	selector = regexp.MustCompile(`(podpass_[a-z_]+)(?:\{([^}]*)\})?`)
	matcher  = regexp.MustCompile(`(\w+)\s*(=~|!~|!=|=)\s*"([^"]*)"`)
	grouping = regexp.MustCompile(`\b(?:by|on|without|ignoring) ?\(([^)]*)\)`)
	counting = regexp.MustCompile(`\b(?:rate|increase)\((podpass_[a-z_]+)`)
)

// check gives what an expression, or a series, uses and is not exposed: a name, a label, a
// value of a label, or the type that a function is for.
func (e exposed) check(expression string) []string {
	var wrong []string
	var known []string
	for _, s := range selector.FindAllStringSubmatch(expression, -1) {
		m := e[s[1]]
		if m == nil {
			wrong = append(wrong, "no metric "+s[1])
			continue
		}
		for l := range m.labels {
			known = append(known, l)
		}
		for _, l := range matcher.FindAllStringSubmatch(s[2], -1) {
			wrong = append(wrong, m.checkLabel(s[1], l[1], l[3])...)
		}
	}
	for _, g := range grouping.FindAllStringSubmatch(expression, -1) {
		for l := range strings.FieldsFuncSeq(g[1], func(r rune) bool { return r == ',' || r == ' ' }) {
			if !slices.Contains(known, l) && !slices.Contains(target, l) {
				wrong = append(wrong, "no metric of it has the label "+l)
			}
		}
	}
	for _, c := range counting.FindAllStringSubmatch(expression, -1) {
		if m := e[c[1]]; m != nil && m.kind != "counter" && m.kind != "histogram" {
			wrong = append(wrong, fmt.Sprintf("%s is a %s, and has no rate", c[1], m.kind))
		}
	}
	return wrong
}

// checkLabel looks for a label and for each of the values that a matcher names. A variable
// of a dashboard, and what is different in each cluster, is any value.
func (m *metric) checkLabel(name, label, values string) []string {
	if slices.Contains(target, label) {
		return nil
	}
	have, ok := m.labels[label]
	if !ok {
		return []string{fmt.Sprintf("%s has no label %s", name, label)}
	}
	var wrong []string
	for value := range strings.SplitSeq(values, "|") {
		switch {
		case label == "checksum" || label == "reason" || label == "le" && value == "1.0": // Prometheus 3 writes 1 so
		case !slices.Contains(have, value):
			wrong = append(wrong, fmt.Sprintf("%s has no %s=%q", name, label, value))
		}
	}
	return wrong
}
