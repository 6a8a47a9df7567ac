package grafana

import (
	"encoding/json"
	"os"
	"testing"

	"github.com/grafana/grafana-foundation-sdk/go/cog/plugins"
	"github.com/grafana/grafana-foundation-sdk/go/dashboard"
)

// file is the dashboard as the chart ships it.
const file = "../../charts/podpass/dashboards/podpass.json"

// TestMain knows the panels and queries of Grafana's own plugins.
func TestMain(m *testing.M) {
	plugins.RegisterDefaultPlugins()
	os.Exit(m.Run())
}

func document(t *testing.T) []byte {
	t.Helper()
	raw, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	return raw
}

// strict reads a dashboard as Grafana's schema has it: no field that it does not know, none
// of another type, none missing; its panels and queries too.
func strict(raw []byte) error {
	var d dashboard.Dashboard
	// Where it finds nothing, its error is a list of none, which is not nil.
	if err := d.UnmarshalJSONStrict(raw); err != nil && err.Error() != "" {
		return err
	}
	return d.Validate()
}

// TestSchema stands in for Grafana itself, which reads what it does not know without a word,
// and shows something else.
func TestSchema(t *testing.T) {
	if err := strict(document(t)); err != nil {
		t.Error(err)
	}
}

// TestSchemaRefuses: the schema sees a mistake of each depth.
func TestSchemaRefuses(t *testing.T) {
	for name, spoil := range map[string]func(dashboard map[string]any){
		"of the dashboard": func(d map[string]any) { d["titel"] = "podpass" },
		"of a panel":       func(d map[string]any) { panel(d, 1)["gridPos"].(map[string]any)["h"] = "tall" },
		"of a variable":    func(d map[string]any) { variable(d)["type"] = true },
		"of the options":   func(d map[string]any) { panel(d, 1)["options"].(map[string]any)["colourMode"] = "value" },
		"of a query":       func(d map[string]any) { panel(d, 1)["targets"].([]any)[0].(map[string]any)["exp"] = "up" },
	} {
		t.Run(name, func(t *testing.T) {
			var d map[string]any
			if err := json.Unmarshal(document(t), &d); err != nil {
				t.Fatal(err)
			}
			spoil(d)
			raw, err := json.Marshal(d)
			if err != nil {
				t.Fatal(err)
			}
			if strict(raw) == nil {
				t.Error("it passes")
			}
		})
	}
}

func panel(d map[string]any, n int) map[string]any { return d["panels"].([]any)[n].(map[string]any) }

func variable(d map[string]any) map[string]any {
	return d["templating"].(map[string]any)["list"].([]any)[0].(map[string]any)
}
