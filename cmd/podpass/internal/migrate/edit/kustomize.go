package edit

import (
	"bytes"
	"fmt"
	"regexp"
	"strings"

	yaml "go.yaml.in/yaml/v3"

	"github.com/podpass-io/podpass/cmd/podpass/internal/migrate/graph"
)

// Kustomize gives the change as a part of a kustomization.yaml, for the one that target
// is in. The patch counts elements: it is to be made of the manifest as that kustomization
// has it before its own patches, rather than of the live object; where the two differ, its
// tests make the build fail. A target that matches nothing does not: Kustomize leaves the
// patch out, without a word. A manifest without a namespace, which the kustomization sets
// later, needs a target without one.
func Kustomize(target graph.Object, c Change) ([]byte, error) {
	patch, err := block(c.Patch)
	if err != nil {
		return nil, err
	}
	group, version, found := strings.Cut(target.APIVersion, "/")
	if !found {
		group, version = "", group
	}
	type selector struct {
		Group     string `yaml:"group,omitempty"`
		Version   string `yaml:"version,omitempty"`
		Kind      string `yaml:"kind"`
		Name      string `yaml:"name"`
		Namespace string `yaml:"namespace,omitempty"`
	}
	type entry struct {
		Target selector  `yaml:"target"`
		Patch  yaml.Node `yaml:"patch"`
	}
	return marshal(struct {
		Patches []entry `yaml:"patches"`
	}{[]entry{{
		// A selector's name and namespace are regular expressions.
		Target: selector{group, version, target.Kind, regexp.QuoteMeta(target.Name), regexp.QuoteMeta(target.Namespace)},
		Patch:  yaml.Node{Kind: yaml.ScalarNode, Style: yaml.LiteralStyle, Value: patch},
	}}})
}

// block is a JSON patch as YAML.
func block(ops []Op) (string, error) {
	type operation struct {
		Op    string    `yaml:"op"`
		Path  string    `yaml:"path"`
		Value yaml.Node `yaml:"value,omitempty"`
	}
	var list []operation
	for _, op := range ops {
		o := operation{Op: op.Op, Path: op.Path}
		if op.Value != nil {
			var document yaml.Node
			if err := yaml.Unmarshal(op.Value, &document); err != nil { // JSON is YAML
				return "", fmt.Errorf("writing a patch for Kustomize: %w", err)
			}
			o.Value = *document.Content[0]
			plain(&o.Value)
		}
		list = append(list, o)
	}
	b, err := marshal(list)
	return strings.TrimSuffix(string(b), "\n"), err
}

// plain gives lists and objects YAML's own style rather than JSON's. Strings stay quoted.
func plain(n *yaml.Node) {
	if n.Kind != yaml.ScalarNode {
		n.Style = 0
	}
	for _, child := range n.Content {
		plain(child)
	}
}

func marshal(v any) ([]byte, error) {
	var b bytes.Buffer
	e := yaml.NewEncoder(&b)
	e.SetIndent(2)
	if err := e.Encode(v); err != nil {
		return nil, fmt.Errorf("writing a patch for Kustomize: %w", err)
	}
	return b.Bytes(), nil
}
