package observe

import (
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"sigs.k8s.io/yaml"
)

// blocks are the code blocks of a page in one language.
func blocks(t *testing.T, page, language string) []string {
	t.Helper()
	raw, err := os.ReadFile(page)
	if err != nil {
		t.Fatal(err)
	}
	var all []string
	for _, m := range regexp.MustCompile("(?s)```"+language+"\n(.*?)```").FindAllStringSubmatch(string(raw), -1) {
		all = append(all, m[1])
	}
	return all
}

// TestDocumentedValues: what docs/metrics.md shows is what the chart takes, or a
// configuration of Prometheus that promtool finds right.
func TestDocumentedValues(t *testing.T) {
	promtool := tool(t, "promtool")
	values, configs := 0, 0
	for _, block := range blocks(t, "../../docs/metrics.md", "yaml") {
		file := filepath.Join(t.TempDir(), "block.yaml")
		if err := os.WriteFile(file, []byte(block), 0o600); err != nil {
			t.Fatal(err)
		}
		if strings.HasPrefix(block, "scrape_configs:") {
			configs++
			withoutKubernetes(t, block, file)
			if out, err := exec.CommandContext(t.Context(), promtool, "check", "config", file).CombinedOutput(); err != nil {
				t.Errorf("%v\n%s", err, out)
			}
			continue
		}
		values++
		if out, err := render(t, "--values", file); err != nil {
			t.Errorf("%v\n%s", err, out)
		}
	}
	if values != 4 || configs != 1 {
		t.Errorf("%d blocks of values, %d configurations", values, configs)
	}
}

// withoutKubernetes writes a configuration without the discovery of pods, which Debian's
// Prometheus is built without: all else of it is looked at.
func withoutKubernetes(t *testing.T, config, file string) {
	t.Helper()
	var c struct {
		ScrapeConfigs []map[string]any `json:"scrape_configs"`
	}
	if err := yaml.UnmarshalStrict([]byte(config), &c); err != nil {
		t.Fatal(err)
	}
	for _, job := range c.ScrapeConfigs {
		if job["kubernetes_sd_configs"] == nil {
			t.Errorf("%s finds no pods", job["job_name"])
		}
		delete(job, "kubernetes_sd_configs")
	}
	raw, err := yaml.Marshal(c)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(file, raw, 0o600); err != nil {
		t.Fatal(err)
	}
}

// runbookQueries runs what docs/alerts.md shows for Prometheus. That nothing is found is as
// it should be for most.
func runbookQueries(t *testing.T, p *prometheus, e exposed, at time.Time) {
	t.Helper()
	queries := blocks(t, "../../docs/alerts.md", "promql")
	if len(queries) < 8 {
		t.Errorf("%d queries", len(queries))
	}
	for _, q := range queries {
		for _, wrong := range e.check(q) {
			t.Errorf("%s: %s", strings.TrimSpace(q), wrong)
		}
		if _, err := p.query(t, q, at, at); err != nil {
			t.Errorf("%s: %v", strings.TrimSpace(q), err)
		}
	}
}
