package observe

import (
	"bytes"
	"os/exec"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"sigs.k8s.io/yaml"

	"github.com/podpass-io/podpass/test/testbed"
)

// everything of the monitoring that the chart has, with each value of its own.
const everything = "testdata/everything.yaml"

// render runs helm template, and gives its output; the error has what Helm complains of.
func render(t *testing.T, args ...string) ([]byte, error) {
	t.Helper()
	helm, err := testbed.Helm(t.Context(), t.Output())
	if err != nil {
		t.Fatal(err)
	}
	var stderr strings.Builder
	cmd := exec.CommandContext(t.Context(), helm, append([]string{"template", "podpass", "../../charts/podpass", "--namespace", "podpass-system"}, args...)...)
	cmd.Stderr = &stderr
	out, err := cmd.Output()
	if err != nil {
		t.Log(stderr.String())
		return []byte(stderr.String()), err
	}
	return out, nil
}

// objects are those that the monitoring's templates make, by kind.
func objects(t *testing.T, args ...string) map[string]unstructured.Unstructured {
	t.Helper()
	out, err := render(t, args...)
	if err != nil {
		t.Fatal(err)
	}
	all := map[string]unstructured.Unstructured{}
	for doc := range bytes.SplitSeq(out, []byte("\n---\n")) {
		if !bytes.Contains(doc, []byte("# Source: podpass/templates/monitoring/")) {
			continue
		}
		var o unstructured.Unstructured
		if err := yaml.Unmarshal(doc, &o.Object); err != nil {
			t.Fatal(err)
		}
		if o.Object != nil {
			all[o.GetKind()] = o
		}
	}
	return all
}

// TestNothingByDefault: no kind that a cluster may not have, and nothing else, unless it is
// asked for.
func TestNothingByDefault(t *testing.T) {
	if got := objects(t); len(got) != 0 {
		t.Errorf("%v", got)
	}
}

// TestObjects: each switch makes its own object, and a ServiceMonitor the Service that it is
// about.
func TestObjects(t *testing.T) {
	for set, want := range map[string]map[string]string{
		"metrics.service.enabled=true":                                  {"Service": "podpass-webhook-metrics"},
		"metrics.serviceMonitor.enabled=true":                           {"Service": "podpass-webhook-metrics", "ServiceMonitor": "podpass-webhook"},
		"broker.metricsPort=9912,metrics.podMonitor.enabled=true":       {"PodMonitor": "podpass-broker"},
		"metrics.prometheusRule.enabled=true":                           {"PrometheusRule": "podpass-alerts"},
		"metrics.dashboard.enabled=true,metrics.dashboard.namespace=ui": {"ConfigMap": "podpass-dashboard"},
	} {
		got := map[string]string{}
		for kind, o := range objects(t, "--set", set) {
			got[kind] = o.GetName()
			if want := map[bool]string{true: "ui", false: "podpass-system"}[kind == "ConfigMap"]; o.GetNamespace() != want {
				t.Errorf("%s: %s is in %s, want %s", set, kind, o.GetNamespace(), want)
			}
		}
		if d := cmp.Diff(want, got); d != "" {
			t.Errorf("%s (-want +got)\n%s", set, d)
		}
	}
}

// TestMistakes: what makes no sense is said, with what to write instead.
func TestMistakes(t *testing.T) {
	for set, want := range map[string]string{
		"metrics.podMonitor.enabled=true": "set that to a port that applications do not use, such as 9912",
		"metrics.prometheusRule.enabled=true,metrics.prometheusRule.disabled={PodpassDown}": `there is no alert "PodpassDown"; there are PodpassWebhookDown, `,
		"metrics.serviceMonitor.interval=often":                                             "metrics/serviceMonitor/interval",
		"metrics.prometheusRule.runbookURL=runbooks.example.com":                            "metrics/prometheusRule/runbookURL",
		"metrics.serviceMonitors.enabled=true":                                              "serviceMonitors",
	} {
		out, err := render(t, "--set", set)
		if err == nil || !strings.Contains(strings.ReplaceAll(string(out), ".", "/"), strings.ReplaceAll(want, ".", "/")) {
			t.Errorf("%s: %v, want %q in\n%s", set, err, want, out)
		}
	}
}

// rules of the PrometheusRule, by alert.
func rules(t *testing.T, args ...string) map[string]rule {
	t.Helper()
	var o struct {
		Spec struct{ Groups []group }
	}
	convert(t, objects(t, args...)["PrometheusRule"].Object, &o)
	all := map[string]rule{}
	for _, g := range o.Spec.Groups {
		for _, r := range g.Rules {
			all[r.Alert] = r
		}
	}
	return all
}

// TestRules: those of the PrometheusRule are those of the rule file, which promtool has held,
// without those that do not apply, and with what the values say of each.
func TestRules(t *testing.T) {
	brokers := []string{"PodpassExchangesFailing", "PodpassRenewalsFailing", "PodpassExchangesDenied", "PodpassBrokerPanics"}
	for name, test := range map[string]struct {
		set     string
		without []string
		change  func(*rule)
	}{
		"with brokers":    {"broker.metricsPort=9912", nil, nil},
		"without brokers": {"replicas=2", brokers, nil},
		"one replica":     {"replicas=1", append([]string{"PodpassWebhookSingle"}, brokers...), nil},
		"without audit":   {"audit.enabled=false", append([]string{"PodpassPodsUninjected", "PodpassServiceAccountsMalformed", "PodpassAuditStale"}, brokers...), nil},
		"disabled":        {"metrics.prometheusRule.disabled={PodpassWebhookSlow}", append([]string{"PodpassWebhookSlow"}, brokers...), nil},
		"labels":          {"metrics.prometheusRule.alertLabels.severity=page,metrics.prometheusRule.alertLabels.team=id", brokers, func(r *rule) { r.Labels = map[string]string{"severity": "page", "team": "id"} }},
		"runbooks": {"metrics.prometheusRule.runbookURL=https://runbooks.example.com/podpass", brokers, func(r *rule) {
			r.Annotations["runbook_url"] = "https://runbooks.example.com/podpass#" + strings.ToLower(r.Alert)
		}},
	} {
		t.Run(name, func(t *testing.T) {
			want := map[string]rule{}
			for _, r := range shipped(t) {
				if test.change != nil {
					test.change(&r)
				}
				want[r.Alert] = r
			}
			for _, w := range test.without {
				delete(want, w)
			}
			if d := cmp.Diff(want, rules(t, "--set", "metrics.prometheusRule.enabled=true", "--set", test.set)); d != "" {
				t.Errorf("(-want +got)\n%s", d)
			}
		})
	}
}

// TestDashboardIsShippedWhole: the ConfigMap has the file as it is.
func TestDashboardIsShippedWhole(t *testing.T) {
	var file, rendered map[string]any
	read(t, dashboardFile, &file)
	o := objects(t, "--set", "metrics.dashboard.enabled=true")["ConfigMap"]
	text, _, err := unstructured.NestedString(o.Object, "data", "podpass.json")
	if err != nil {
		t.Fatal(err)
	}
	if err := yaml.Unmarshal([]byte(text), &rendered); err != nil {
		t.Fatal(err)
	}
	if d := cmp.Diff(file, rendered); d != "" {
		t.Errorf("(-file +rendered)\n%s", d)
	}
	if o.GetLabels()["grafana_dashboard"] != "1" {
		t.Errorf("labels %v", o.GetLabels())
	}
}
