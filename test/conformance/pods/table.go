package pods

import (
	"embed"
	"encoding/json"
	"fmt"
	"maps"
	"path"
	"strings"

	"sigs.k8s.io/yaml"
)

//go:embed tables/*.yaml
var tableFiles embed.FS

// table is a file of many small cases about one thing: what all of its rows share, and
// the rows, which say what is different.
type table struct {
	name string

	// Description says what the rows show; a row's own is added to it.
	Description string `json:"description"`
	// Settings of rows that give none; or Values, a file of the chart's values in
	// docs/from, which people are told to install with.
	Settings json.RawMessage `json:"settings,omitempty"`
	Values   string          `json:"values,omitempty"`
	// ServiceAccount of all rows.
	ServiceAccount ServiceAccount `json:"serviceAccount"`
	Rows           []row          `json:"rows"`
}

// row is one case: a pod with one container, named app.
type row struct {
	// Name, after the file's, is the case's.
	Name        string          `json:"name"`
	Description string          `json:"description,omitempty"`
	Settings    json.RawMessage `json:"settings,omitempty"`
	// Account are annotations of the ServiceAccount, beside the table's.
	Account map[string]string `json:"account,omitempty"`
	// Labels and Annotations of the pod.
	Labels      map[string]string `json:"labels,omitempty"`
	Annotations map[string]string `json:"annotations,omitempty"`
	// Container are further fields of the container, Spec of the pod's spec.
	Container    map[string]json.RawMessage `json:"container,omitempty"`
	Spec         map[string]json.RawMessage `json:"spec,omitempty"`
	OtherWebhook OtherWebhook               `json:"otherWebhook,omitzero"`
	Expect       Expect                     `json:"expect"`
}

func loadTables() ([]Case, error) {
	tables, err := readTables()
	if err != nil {
		return nil, err
	}
	var cases []Case
	for _, t := range tables {
		if t.Values != "" {
			if t.Settings, err = settingsOf(t.Values); err != nil {
				return nil, fmt.Errorf("tables/%s.yaml: %w", t.name, err)
			}
		}
		for _, r := range t.Rows {
			c, err := t.row(r)
			if err != nil {
				return nil, fmt.Errorf("tables/%s.yaml, row %s: %w", t.name, r.Name, err)
			}
			c.Name = t.name + "-" + r.Name
			cases = append(cases, c)
		}
	}
	return cases, nil
}

func readTables() ([]table, error) {
	entries, err := tableFiles.ReadDir("tables")
	if err != nil {
		return nil, err
	}
	var tables []table
	for _, e := range entries {
		b, err := tableFiles.ReadFile(path.Join("tables", e.Name()))
		if err != nil {
			return nil, err
		}
		t := table{name: strings.TrimSuffix(e.Name(), ".yaml")}
		if err := yaml.UnmarshalStrict(b, &t); err != nil {
			return nil, fmt.Errorf("tables/%s: %w", e.Name(), err)
		}
		tables = append(tables, t)
	}
	return tables, nil
}

func (t table) row(r row) (Case, error) {
	container := map[string]any{"name": "app", "image": "example.com/app"}
	for k, v := range r.Container {
		container[k] = v
	}
	spec := map[string]any{"containers": []any{container}}
	for k, v := range r.Spec {
		spec[k] = v
	}
	metadata := map[string]any{}
	if r.Labels != nil {
		metadata["labels"] = r.Labels
	}
	if r.Annotations != nil {
		metadata["annotations"] = r.Annotations
	}
	pod, err := json.Marshal(map[string]any{"metadata": metadata, "spec": spec})
	if err != nil {
		return Case{}, err
	}
	account := t.ServiceAccount
	account.Annotations = maps.Clone(account.Annotations)
	if account.Annotations == nil {
		account.Annotations = map[string]string{}
	}
	maps.Copy(account.Annotations, r.Account)
	c := Case{
		Description: strings.TrimSpace(t.Description + " " + r.Description), Settings: t.Settings,
		ServiceAccount: account, Pod: pod, OtherWebhook: r.OtherWebhook, Expect: r.Expect,
	}
	if r.Settings != nil {
		c.Settings = r.Settings
	}
	if r.Name == "" {
		return Case{}, fmt.Errorf("no name")
	}
	return c, c.validate()
}
