package pods

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"regexp"

	"sigs.k8s.io/yaml"
)

// The chart, and the files of values in the documentation, from this directory.
const (
	chartDir = "../../../charts/podpass"
	fromDir  = "../../../docs/from"
)

// picked are the values that the chart's template gives to the webhook as its settings.
var picked = regexp.MustCompile(`pick \.Values((?: "\w+")+)`)

// settingsOf gives the webhook's settings with a file of docs/from, as the chart makes them,
// besides the broker's, of which the conformance suite has its own.
func settingsOf(file string) (json.RawMessage, error) {
	values, err := readYAML(filepath.Join(chartDir, "values.yaml"))
	if err != nil {
		return nil, err
	}
	theirs, err := readYAML(filepath.Join(fromDir, file))
	if err != nil {
		return nil, err
	}
	if err := overlay("", values, theirs); err != nil {
		return nil, fmt.Errorf("%s: %w", file, err)
	}
	template, err := os.ReadFile(filepath.Join(chartDir, "templates", "_settings.tpl"))
	if err != nil {
		return nil, err
	}
	list := picked.FindSubmatch(template)
	if list == nil {
		return nil, fmt.Errorf("the chart's template picks no values")
	}
	settings := map[string]any{}
	for _, name := range regexp.MustCompile(`\w+`).FindAllString(string(list[1]), -1) {
		settings[name] = values[name]
	}
	return json.Marshal(settings)
}

func readYAML(file string) (map[string]any, error) {
	b, err := os.ReadFile(file)
	if err != nil {
		return nil, err
	}
	var m map[string]any
	if err := yaml.UnmarshalStrict(b, &m); err != nil {
		return nil, fmt.Errorf("%s: %w", file, err)
	}
	return m, nil
}

// overlay sets values to theirs; a value that the chart does not have is an error, except
// in a map that is the administrator's to fill.
func overlay(path string, values, theirs map[string]any) error {
	for name, v := range theirs {
		have, ok := values[name]
		if !ok {
			return fmt.Errorf("%s%s is no value of the chart", path, name)
		}
		inner, isMap := v.(map[string]any)
		into, hasMap := have.(map[string]any)
		if isMap && hasMap && len(into) > 0 {
			if err := overlay(path+name+".", into, inner); err != nil {
				return err
			}
			continue
		}
		values[name] = v
	}
	return nil
}
