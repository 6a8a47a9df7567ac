package docs

import (
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"go.yaml.in/yaml/v3"
)

// TestChartTable: of each row of docs/compare.md's table of charts, podpass's column names
// values that the chart has, or says "no" with the reason, or a word without a value; and
// each value of the chart is in a row, but those that are podpass's own matter.
func TestChartTable(t *testing.T) {
	values := chartValues(t)
	_, table, ok := strings.Cut(pages(t)["docs/compare.md"], "\n## The chart\n")
	if !ok {
		t.Fatal("docs/compare.md has no part about the chart")
	}
	named := map[string]bool{}
	rows := 0
	for line := range strings.Lines(table) {
		cells := strings.Split(strings.TrimSpace(line), " | ")
		if len(cells) != 4 || strings.Contains(line, "---") || strings.HasPrefix(line, "| what ") {
			continue
		}
		rows++
		what, ours := strings.TrimPrefix(cells[0], "| "), cells[1]
		if ours == "no" || strings.HasPrefix(ours, "no;") {
			t.Errorf("%s: no without a reason", what)
		}
		for _, m := range regexp.MustCompile("`([^`]+)`").FindAllStringSubmatch(ours, -1) {
			name := m[1]
			if strings.ContainsAny(name, " /*") || strings.HasPrefix(ours, "no") {
				continue // a command or a file, or the reason
			}
			if !values[name] {
				t.Errorf("%s: the chart has no value %s", what, name)
			}
			top, _, _ := strings.Cut(name, ".")
			named[top] = true
		}
	}
	if rows < 50 {
		t.Errorf("only %d rows", rows)
	}
	// What is about pods and clouds has no counterpart in those charts.
	own := []string{
		"audit", "aws", "azure", "broker", "brokerPort", "caBundle", "excludedNamespaces", "gcp", "includeKubeSystem", "kube", "mappings", "mode",
		"oidc", "serviceAccountCheck", "shutdownDelaySeconds", "staticKeys", "tokenExpiration", "userErrors",
	}
	for name := range values {
		if !strings.Contains(name, ".") && !named[name] && !slices.Contains(own, name) {
			t.Errorf("no row of docs/compare.md has the value %s", name)
		}
	}
}

// chartValues are the paths of the chart's values, with dots.
func chartValues(t *testing.T) map[string]bool {
	t.Helper()
	raw, err := os.ReadFile(filepath.Join(Root(t), "charts", "podpass", "values.yaml"))
	if err != nil {
		t.Fatal(err)
	}
	var values map[string]any
	if err := yaml.Unmarshal(raw, &values); err != nil {
		t.Fatal(err)
	}
	paths := map[string]bool{}
	collect(values, "", paths)
	return paths
}

func collect(values map[string]any, prefix string, paths map[string]bool) {
	for name, value := range values {
		paths[prefix+name] = true
		if below, ok := value.(map[string]any); ok {
			collect(below, prefix+name+".", paths)
		}
	}
}
