package report

import (
	"encoding/json"
	"io"

	"sigs.k8s.io/yaml"
)

// WriteJSON prints a value as people read it.
func WriteJSON(w io.Writer, v any) error {
	e := json.NewEncoder(w)
	e.SetEscapeHTML(false)
	e.SetIndent("", "  ")
	return e.Encode(v)
}

// WriteYAML prints a value by its JSON names.
func WriteYAML(w io.Writer, v any) error {
	b, err := yaml.Marshal(v)
	if err != nil {
		return err
	}
	_, err = w.Write(b)
	return err
}

// whole has [] where there is nothing, so that programs find lists.
func (r *Report) whole() Report {
	c := *r
	if c.Findings == nil {
		c.Findings = []Finding{}
	}
	if c.Checks == nil {
		c.Checks = []Check{}
	}
	return c
}
