package chart

import (
	"encoding/json"
	"os"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"go.yaml.in/yaml/v3"
)

// TestREADME: the chart's has each value as values.yaml has it, and what it means.
func TestREADME(t *testing.T) {
	got := readme(t)
	file := chartDir + "/README.md"
	if *update {
		if err := os.WriteFile(file, []byte(got), 0o644); err != nil { //nolint:gosec // everybody reads it
			t.Fatal(err)
		}
		return
	}
	want, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if d := cmp.Diff(strings.Split(string(want), "\n"), strings.Split(got, "\n")); d != "" {
		t.Errorf("-want +got (-update writes it anew):\n%s", d)
	}
}

func readme(t *testing.T) string {
	t.Helper()
	values, err := os.ReadFile(chartDir + "/values.yaml")
	if err != nil {
		t.Fatal(err)
	}
	text, err := README(values)
	if err != nil {
		t.Fatal(err)
	}
	return text
}

// TestREADMERows: what is a row, and of what it is made.
func TestREADMERows(t *testing.T) {
	const values = `# The image.
image:
  repository: podpass # [registry/]repository
  # What is pulled.
  digest: ""
# How many:
#   replicas: 3
# or fewer.
replicas: 2
resources: {limits: {memory: 1Gi}}
none: {}
level: info # debug|info
`
	const want = "| **`image`** | | The image. |\n" +
		"| `image.repository` | `\"podpass\"` | [registry/]repository |\n" +
		"| `image.digest` | `\"\"` | What is pulled. |\n" +
		"| `replicas` | `2` | How many:<br>`  replicas: 3` or fewer. |\n" +
		"| `resources` | `{\"limits\":{\"memory\":\"1Gi\"}}` |  |\n" +
		"| `none` | `{}` |  |\n" +
		"| `level` | `\"info\"` | debug\\|info |\n"
	got, err := README([]byte(values))
	if err != nil {
		t.Fatal(err)
	}
	if d := cmp.Diff(strings.Split(want, "\n"), strings.Split(strings.TrimPrefix(got, readmeHead), "\n")); d != "" {
		t.Error(d)
	}
	if _, err := README([]byte("- a list\n")); err == nil {
		t.Error("values that are no mapping have a README")
	}
}

// TestValuesAndSchemaAgree: what values.yaml has the schema knows, and what the schema knows
// somebody who reads values.yaml finds.
func TestValuesAndSchemaAgree(t *testing.T) {
	var schema struct {
		Properties map[string]any `json:"properties"`
	}
	raw, err := os.ReadFile(chartDir + "/values.schema.json")
	if err != nil {
		t.Fatal(err)
	}
	if err := json.Unmarshal(raw, &schema); err != nil {
		t.Fatal(err)
	}
	var values map[string]any
	if raw, err = os.ReadFile(chartDir + "/values.yaml"); err != nil {
		t.Fatal(err)
	}
	if err := yaml.Unmarshal(raw, &values); err != nil {
		t.Fatal(err)
	}
	for name := range merged(schema.Properties, values) {
		// enabled is a parent chart's, for its condition.
		if _, ok := values[name]; !ok && name != "enabled" {
			t.Errorf("values.yaml does not have %s", name)
		}
		if _, ok := schema.Properties[name]; !ok {
			t.Errorf("the schema does not have %s", name)
		}
	}
}
