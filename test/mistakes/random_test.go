package mistakes

import (
	"encoding/json"
	"os"
	"path/filepath"
	"testing"

	"pgregory.net/rapid"

	"github.com/podpass-io/podpass/webhook/inject"
)

// settings are the values that the webhook gets as its settings.
var settings = []string{"mode", "tokenExpiration", "brokerPort", "staticKeys", "userErrors", "broker", "caBundle", "aws", "gcp", "azure", "oidc", "kube", "mappings"}

// TestRandomValues: whatever values.schema.json and the templates let pass, the webhook
// starts with. Values are drawn from the schema itself.
func TestRandomValues(t *testing.T) {
	raw, err := os.ReadFile(filepath.Join(chartDir, "values.schema.json"))
	if err != nil {
		t.Fatal(err)
	}
	g := &generator{pki: authority(t)}
	if err := json.Unmarshal(raw, &g.root); err != nil {
		t.Fatal(err)
	}
	tried, passed := 0, 0
	rapid.Check(t, func(t *rapid.T) {
		values := g.values(t, settings)
		config, err := render(values)
		tried++
		if err != nil {
			return
		}
		passed++
		if _, err := inject.LoadSettings([]byte(config)); err != nil {
			b, _ := json.MarshalIndent(values, "", " ") // what was made of JSON has JSON
			t.Fatalf("the chart takes what the webhook refuses: %v\n%s", err, b)
		}
	})
	t.Logf("%d of %d sets of values passed the chart, and all of them the webhook", passed, tried)
	if passed < tried/5 {
		t.Errorf("only %d of %d passed the chart: this says little of the webhook", passed, tried)
	}
}
