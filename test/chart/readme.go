package chart

import (
	"bytes"
	"encoding/json"
	"fmt"
	"strings"

	"go.yaml.in/yaml/v3"
)

const readmeHead = `# The chart of podpass

<!-- Written by test/chart from values.yaml: change that, then go test ./test/chart -run README -update -->

Cloud credentials for pods without static keys. One chart, one release per cluster.

` + "```sh" + `
helm install podpass charts/podpass -n podpass-system --create-namespace --wait --set global.imageRegistry=$REGISTRY
` + "```" + `

It comes up with no values at all. Each platform has a page and, where it needs some, a file of values: [EKS](../../docs/install/eks.md), [GKE](../../docs/install/gke.md), [AKS](../../docs/install/aks.md),
[OpenShift](../../docs/install/openshift.md), [kind](../../docs/install/kind.md), [your own](../../docs/install/self-managed.md).

What the schema or a template refuses says which value, and what to write instead. A key of a default is taken away by ` + "`null`" + `.

| value | default | meaning |
|---|---|---|
`

// README is the chart's, from its values.yaml: each value with its default and its comments.
// A value is described by the comment above it or behind it; a mapping in block style is one
// row for each of its keys.
func README(values []byte) (string, error) {
	var document yaml.Node
	if err := yaml.Unmarshal(values, &document); err != nil {
		return "", err
	}
	if len(document.Content) != 1 || document.Content[0].Kind != yaml.MappingNode {
		return "", fmt.Errorf("values.yaml is no mapping")
	}
	var out strings.Builder
	out.WriteString(readmeHead)
	err := rows(&out, "", document.Content[0])
	return out.String(), err
}

func rows(out *strings.Builder, path string, mapping *yaml.Node) error {
	for i := 0; i < len(mapping.Content); i += 2 {
		key, value := mapping.Content[i], mapping.Content[i+1]
		name := strings.TrimPrefix(path+"."+key.Value, ".")
		means := meaning(key.HeadComment, key.LineComment, value.HeadComment, value.LineComment)
		if value.Kind == yaml.MappingNode && value.Style&yaml.FlowStyle == 0 && len(value.Content) > 0 {
			fmt.Fprintf(out, "| **`%s`** | | %s |\n", name, means)
			if err := rows(out, name, value); err != nil {
				return err
			}
			continue
		}
		text, err := compact(value)
		if err != nil {
			return fmt.Errorf("%s: %w", name, err)
		}
		fmt.Fprintf(out, "| `%s` | `%s` | %s |\n", name, cell(text), means)
	}
	return nil
}

// meaning makes one cell of comments. Lines that are set off are examples.
func meaning(comments ...string) string {
	var text strings.Builder
	for _, comment := range comments {
		for line := range strings.Lines(comment) {
			line = strings.TrimPrefix(strings.TrimRight(line, "\n"), "#")
			switch trimmed := strings.TrimSpace(line); {
			case trimmed == "":
			case strings.HasPrefix(line, "  ") || strings.HasPrefix(trimmed, "- "):
				fmt.Fprintf(&text, "<br>`%s`", cell(strings.TrimPrefix(line, " ")))
			default:
				text.WriteString(" " + cell(trimmed))
			}
		}
	}
	return strings.TrimSpace(text.String())
}

// compact is a default as JSON, which is YAML in one line.
func compact(value *yaml.Node) (string, error) {
	var v any
	if err := value.Decode(&v); err != nil {
		return "", err
	}
	var out bytes.Buffer
	e := json.NewEncoder(&out)
	e.SetEscapeHTML(false)
	err := e.Encode(v)
	return strings.TrimSpace(out.String()), err
}

func cell(text string) string { return strings.ReplaceAll(text, "|", `\|`) }
