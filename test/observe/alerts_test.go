package observe

import (
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"sigs.k8s.io/yaml"
)

// alertsFile is the rule file that the chart ships.
const alertsFile = "../../charts/podpass/alerts/podpass.yaml"

// rule is an alert, as a rule file and a PrometheusRule have it.
type rule struct {
	Alert       string            `json:"alert"`
	Expr        string            `json:"expr"`
	For         string            `json:"for,omitempty"`
	Labels      map[string]string `json:"labels"`
	Annotations map[string]string `json:"annotations"`
}

type group struct {
	Name  string `json:"name"`
	Rules []rule `json:"rules"`
}

func read(t *testing.T, file string, into any) {
	t.Helper()
	raw, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if err := yaml.UnmarshalStrict(raw, into); err != nil {
		t.Fatalf("%s: %v", file, err)
	}
}

// shipped are the alerts of the rule file.
func shipped(t *testing.T) []rule {
	t.Helper()
	var file struct {
		Groups []group `json:"groups"`
	}
	read(t, alertsFile, &file)
	var all []rule
	for _, g := range file.Groups {
		all = append(all, g.Rules...)
	}
	return all
}

// cases is a file of promtool's.
type cases struct {
	RuleFiles          []string `json:"rule_files"`
	EvaluationInterval string   `json:"evaluation_interval"`
	Tests              []struct {
		Name        string `json:"name"`
		Interval    string `json:"interval"`
		InputSeries []struct {
			Series string `json:"series"`
			Values string `json:"values"`
		} `json:"input_series"`
		AlertRuleTest []struct {
			EvalTime  string           `json:"eval_time"`
			AlertName string           `json:"alertname"`
			ExpAlerts []map[string]any `json:"exp_alerts"`
		} `json:"alert_rule_test"`
	} `json:"tests"`
}

// tool is a program of Debian's package prometheus, of which make packages takes two.
func tool(t *testing.T, name string) string {
	t.Helper()
	path, err := exec.LookPath(name)
	if err != nil {
		t.Skipf("no %s: it is in Debian's package prometheus; make packages takes it from there", name)
	}
	return path
}

// TestAlerts: promtool finds the rules right, and each fires and is silent when it should,
// with the text that people read then.
func TestAlerts(t *testing.T) {
	promtool := tool(t, "promtool")
	dir := t.TempDir()
	for from, to := range map[string]string{alertsFile: "podpass.yaml", "testdata/alerts.yaml": "alerts.yaml"} {
		raw, err := os.ReadFile(from)
		if err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(filepath.Join(dir, to), raw, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	for _, args := range [][]string{{"check", "rules", "--lint=all", "--lint-fatal", "podpass.yaml"}, {"test", "rules", "alerts.yaml"}} {
		cmd := exec.CommandContext(t.Context(), promtool, args...)
		cmd.Dir = dir
		if out, err := cmd.CombinedOutput(); err != nil {
			t.Errorf("promtool %s: %v\n%s", strings.Join(args, " "), err, out)
		}
	}
}

// TestAlertsHaveBothCases: an alert that never fires, or always does, is not tested by the
// other case.
func TestAlertsHaveBothCases(t *testing.T) {
	var file cases
	read(t, "testdata/alerts.yaml", &file)
	fires, silent := map[string]bool{}, map[string]bool{}
	for _, c := range file.Tests {
		for _, e := range c.AlertRuleTest {
			if len(e.ExpAlerts) > 0 {
				fires[e.AlertName] = true
			} else {
				silent[e.AlertName] = true
			}
		}
	}
	rules := shipped(t)
	for _, r := range rules {
		if !fires[r.Alert] || !silent[r.Alert] {
			t.Errorf("%s: a case in which it fires: %t; in which it is silent: %t", r.Alert, fires[r.Alert], silent[r.Alert])
		}
	}
	if len(fires) != len(rules) {
		t.Errorf("%d alerts have cases, and there are %d", len(fires), len(rules))
	}
}

// TestAlertsUseWhatIsExposed: each metric, label and value of an expression, and each series
// of promtool's cases, is in a scrape of the real programs, in the type that it is used as.
func TestAlertsUseWhatIsExposed(t *testing.T) {
	e := scrape(t)
	for _, r := range shipped(t) {
		for _, wrong := range e.check(r.Expr) {
			t.Errorf("%s: %s", r.Alert, wrong)
		}
	}
	var file cases
	read(t, "testdata/alerts.yaml", &file)
	for _, c := range file.Tests {
		for _, s := range c.InputSeries {
			for _, wrong := range e.check(s.Series) {
				t.Errorf("%s: %s", c.Name, wrong)
			}
		}
	}
}

// TestCheckSeesMistakes: what TestAlertsUseWhatIsExposed and the dashboard's test rely on.
func TestCheckSeesMistakes(t *testing.T) {
	e := exposed{}
	e.add(t, "# TYPE podpass_a_total counter\npodpass_a_total{outcome=\"failed\"} 1\n# TYPE podpass_b gauge\npodpass_b 2")
	for expression, want := range map[string][]string{
		`sum by (namespace, outcome) (rate(podpass_a_total{outcome="failed"}[5m])) > 0`: nil,
		`podpass_c > 0`:                              {"no metric podpass_c"},
		`podpass_a_total{outcom="failed"}`:           {"podpass_a_total has no label outcom"},
		`podpass_a_total{outcome=~"failed|dropped"}`: {`podpass_a_total has no outcome="dropped"`},
		`sum by (kind) (podpass_b)`:                  {"no metric of it has the label kind"},
		`increase(podpass_b[5m])`:                    {"podpass_b is a gauge, and has no rate"},
	} {
		if d := cmp.Diff(want, e.check(expression)); d != "" {
			t.Errorf("%s (-want +got)\n%s", expression, d)
		}
	}
}

// TestRunbooks: each alert has a heading in docs/alerts.md, under which is all that somebody
// wants to know who is woken by it; each heading is an alert's; the alert links to it, with
// the severity of the page's table.
func TestRunbooks(t *testing.T) {
	raw, err := os.ReadFile("../../docs/alerts.md")
	if err != nil {
		t.Fatal(err)
	}
	runbooks := map[string]string{}
	for _, section := range strings.Split(string(raw), "\n## ")[1:] {
		title, text, _ := strings.Cut(section, "\n")
		runbooks[title] = text
	}
	severities := map[string]string{}
	for _, row := range regexp.MustCompile(`(?m)^\| \[(\w+)\]\(#(\w+)\) \| (\w+) \|`).FindAllStringSubmatch(string(raw), -1) {
		severities[row[1]] = row[3]
		if row[2] != strings.ToLower(row[1]) {
			t.Errorf("the table links %s to #%s", row[1], row[2])
		}
	}
	var names []string
	for _, r := range shipped(t) {
		names = append(names, r.Alert)
		text := runbooks[r.Alert]
		for _, part := range []string{"**What it means.**", "**What breaks.**", "**What to look at.**", "```sh\n", "**What to do.**"} {
			if !strings.Contains(text, part) {
				t.Errorf("the runbook of %s has no %q", r.Alert, part)
			}
		}
		if want := "https://github.com/podpass-io/podpass/blob/main/docs/alerts.md#" + strings.ToLower(r.Alert); r.Annotations["runbook_url"] != want {
			t.Errorf("%s links to %s, want %s", r.Alert, r.Annotations["runbook_url"], want)
		}
		if got := severities[r.Alert]; got != r.Labels["severity"] || got != "critical" && got != "warning" {
			t.Errorf("%s is %s in the rules, and %q in the page's table", r.Alert, r.Labels["severity"], got)
		}
		if r.Annotations["summary"] == "" || r.Annotations["description"] == "" {
			t.Errorf("%s has no summary, or no description", r.Alert)
		}
	}
	for title := range runbooks {
		if !slices.Contains(names, title) {
			t.Errorf("docs/alerts.md has a runbook of %s, which is no alert", title)
		}
	}
}
