package metrics

import (
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

// documented is a row of the table in docs/metrics.md.
type documented struct {
	Type   string
	Labels []string
}

// names are the labels' of a match, sorted.
func names(matches [][]string) []string {
	var all []string
	for _, m := range matches {
		if m[1] != "le" { // of every histogram's buckets
			all = append(all, m[1])
		}
	}
	slices.Sort(all)
	return slices.Compact(all)
}

// TestMetricsAreDocumented: docs/metrics.md has what is shown, with type and labels, and
// nothing else.
func TestMetricsAreDocumented(t *testing.T) {
	m := New(func() map[string]time.Duration { return map[string]time.Duration{"aws": time.Minute} }, "aws")
	m.Requested("aws", 200)
	shown := map[string]documented{}
	for part := range strings.SplitSeq(m.Text(), "# TYPE ") {
		name, rest, _ := strings.Cut(part, " ")
		kind, series, ok := strings.Cut(rest, "\n")
		if ok && strings.HasPrefix(name, "podpass_") {
			series, _, _ = strings.Cut(series, "# HELP")
			shown[name] = documented{kind, names(regexp.MustCompile(`[{,](\w+)="`).FindAllStringSubmatch(series, -1))}
		}
	}
	doc, err := os.ReadFile("../../docs/metrics.md")
	if err != nil {
		t.Fatal(err)
	}
	inTable := map[string]documented{}
	for _, m := range regexp.MustCompile("(?m)^\\| `(podpass_broker_[a-z_]+)` \\| (\\w+) \\|([^|]*)\\|").FindAllStringSubmatch(string(doc), -1) {
		inTable[m[1]] = documented{m[2], names(regexp.MustCompile("`(\\w+)`").FindAllStringSubmatch(m[3], -1))}
	}
	if len(shown) != len(described) {
		t.Errorf("%d of %d metrics are shown", len(shown), len(described))
	}
	if diff := cmp.Diff(shown, inTable); diff != "" {
		t.Errorf("(-shown +documented)\n%s", diff)
	}
}
