package metrics

import (
	"maps"
	"os"
	"regexp"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// TestMetricsAreDocumented: docs/metrics.md names what is shown, and no other.
func TestMetricsAreDocumented(t *testing.T) {
	shown := map[string]bool{}
	for _, d := range described {
		shown[d.name] = true
	}
	doc, err := os.ReadFile("../../docs/metrics.md")
	if err != nil {
		t.Fatal(err)
	}
	documented := map[string]bool{}
	for _, m := range regexp.MustCompile("(?m)^\\| `(podpass_broker_[a-z_]+)`").FindAllStringSubmatch(string(doc), -1) {
		documented[m[1]] = true
	}
	if diff := cmp.Diff(slices.Sorted(maps.Keys(shown)), slices.Sorted(maps.Keys(documented))); diff != "" {
		t.Errorf("(-shown +documented)\n%s", diff)
	}
}
