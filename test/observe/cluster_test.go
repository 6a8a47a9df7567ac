package observe

import (
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"sigs.k8s.io/yaml"

	"github.com/podpass-io/podpass/test/cluster"
)

// operatorModule has the custom resource definitions of prometheus-operator.
const operatorModule = "github.com/prometheus-operator/prometheus-operator@v0.85.0"

// definitions are the files of those of the chart's kinds, which are taken out of the module.
func definitions(t *testing.T) []string {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), "go", "mod", "download", "-json", operatorModule)
	cmd.Dir = t.TempDir() // of no module
	cmd.Stderr = t.Output()
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("fetch prometheus-operator: %v", err)
	}
	var module struct{ Dir string }
	if err := json.Unmarshal(out, &module); err != nil {
		t.Fatal(err)
	}
	var files []string
	for _, kind := range []string{"servicemonitors", "podmonitors", "prometheusrules"} {
		files = append(files, filepath.Join(module.Dir, "example", "prometheus-operator-crd", "monitoring.coreos.com_"+kind+".yaml"))
	}
	return files
}

// TestClusterMonitors: a real API server with prometheus-operator's own definitions takes
// each object, with each value set, and refuses mistakes in them: a dry run, with no operator.
// And each command of the runbooks runs where the chart is installed.
func TestClusterMonitors(t *testing.T) {
	c := cluster.Start(t, cluster.Options{ControlPlaneOnly: true})
	for _, file := range definitions(t) {
		kubectl(t, c, "apply", "--server-side", "-f", file)
		kubectl(t, c, "wait", "--for=condition=Established", "--timeout=60s", "-f", file)
	}
	for _, namespace := range []string{"podpass-system", "shop"} {
		kubectl(t, c, "create", "namespace", namespace)
	}
	made := objects(t, "--values", everything)
	if len(made) != 5 {
		t.Errorf("%d objects", len(made))
	}
	for kind, o := range made {
		if err := dryRun(t, c, o.Object); err != nil {
			t.Errorf("%s: %v", kind, err)
		}
	}
	for kind, spoil := range map[string]func(spec map[string]any){
		"ServiceMonitor": func(spec map[string]any) { spec["endpoints"].([]any)[0].(map[string]any)["interval"] = "often" },
		"PodMonitor":     func(spec map[string]any) { spec["podMetricsEndpoint"] = spec["podMetricsEndpoints"] },
		"PrometheusRule": func(spec map[string]any) { delete(spec["groups"].([]any)[0].(map[string]any), "name") },
	} {
		o := made[kind]
		spoil(o.Object["spec"].(map[string]any))
		if dryRun(t, c, o.Object) == nil {
			t.Errorf("a %s with a mistake is taken", kind)
		}
	}
	runbookCommands(t, c)
}

func kubectl(t *testing.T, c *cluster.Cluster, args ...string) string {
	t.Helper()
	out, err := c.Kubectl(t.Context(), args...)
	if err != nil {
		t.Fatal(err)
	}
	return out
}

// dryRun has the API server say what it thinks of an object.
func dryRun(t *testing.T, c *cluster.Cluster, object any) error {
	t.Helper()
	_, err := c.Kubectl(t.Context(), "apply", "--server-side", "--dry-run=server", "--validate=strict", "-f", manifest(t, object))
	return err
}

func manifest(t *testing.T, object any) string {
	t.Helper()
	raw, err := yaml.Marshal(object)
	if err != nil {
		t.Fatal(err)
	}
	file := filepath.Join(t.TempDir(), "object.yaml")
	if err := os.WriteFile(file, raw, 0o600); err != nil {
		t.Fatal(err)
	}
	return file
}

// runbookCommands runs what docs/alerts.md shows for kubectl, with the chart's objects in the
// cluster. There is no node, so that nothing is seen of pods; that podpass's own commands
// exist is TestDocumentedCommands' matter.
func runbookCommands(t *testing.T, c *cluster.Cluster) {
	t.Helper()
	out, err := render(t)
	if err != nil {
		t.Fatal(err)
	}
	file := filepath.Join(t.TempDir(), "chart.yaml")
	if err := os.WriteFile(file, out, 0o600); err != nil {
		t.Fatal(err)
	}
	kubectl(t, c, "apply", "--server-side", "-f", file)
	kubectl(t, c, "create", "secret", "generic", "podpass-webhook-ca", "-n", "podpass-system") // as a replica makes it
	doc, err := os.ReadFile("../../docs/alerts.md")
	if err != nil {
		t.Fatal(err)
	}
	ran := map[string]bool{}
	for _, block := range regexp.MustCompile("(?s)```sh\n(.*?)```").FindAllStringSubmatch(string(doc), -1) {
		for line := range strings.Lines(block[1]) {
			command, ok := strings.CutPrefix(strings.TrimSpace(line), "kubectl ")
			if !ok || ran[command] {
				continue
			}
			ran[command] = true
			answer, err := c.Kubectl(t.Context(), strings.Fields(command)...)
			if err != nil {
				t.Error(err)
			}
			if strings.HasPrefix(command, "auth can-i ") && strings.TrimSpace(answer) != "yes" {
				t.Errorf("kubectl %s: %s; podpass has that right", command, answer)
			}
		}
	}
	if len(ran) < 15 {
		t.Errorf("%d commands", len(ran))
	}
}
