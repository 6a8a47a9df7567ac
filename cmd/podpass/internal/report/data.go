package report

import (
	"encoding/json"
	"io"

	"sigs.k8s.io/yaml"
)

func writeJSON(w io.Writer, v any) error {
	if r, ok := v.(*Report); ok {
		v = r.whole()
	}
	e := json.NewEncoder(w)
	e.SetEscapeHTML(false)
	e.SetIndent("", "  ")
	return e.Encode(v)
}

func writeYAML(w io.Writer, r *Report) error {
	b, err := yaml.Marshal(r.whole())
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
