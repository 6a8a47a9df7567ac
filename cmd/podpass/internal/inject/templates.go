package inject

import (
	"cmp"
	"encoding/json"
	"fmt"
	"strings"

	"github.com/podpass-io/podpass/cmd/podpass/internal/manifest"
)

// templatePaths say where in each kind of object its pod is.
var templatePaths = map[string][]string{
	"Pod":                   {},
	"PodTemplate":           {"template"},
	"Deployment":            {"spec", "template"},
	"StatefulSet":           {"spec", "template"},
	"DaemonSet":             {"spec", "template"},
	"ReplicaSet":            {"spec", "template"},
	"ReplicationController": {"spec", "template"},
	"Job":                   {"spec", "template"},
	"CronJob":               {"spec", "jobTemplate", "spec", "template"},
}

// podOf gives the raw JSON of the object's pod: for a template, with the namespace
// and the prefix of the name that its controller would give.
func podOf(o manifest.Object, namespace string) ([]byte, error) {
	raw := json.RawMessage(o.Raw)
	path := templatePaths[o.Kind]
	for _, key := range path {
		var m map[string]json.RawMessage
		if err := json.Unmarshal(raw, &m); err != nil {
			return nil, err
		}
		if raw = m[key]; raw == nil {
			return nil, fmt.Errorf("%s is missing", strings.Join(path, "."))
		}
	}
	var p, meta map[string]json.RawMessage
	if err := json.Unmarshal(raw, &p); err != nil {
		return nil, err
	}
	if m := p["metadata"]; m != nil {
		if err := json.Unmarshal(m, &meta); err != nil {
			return nil, err
		}
	}
	if meta == nil {
		meta = map[string]json.RawMessage{}
	}
	quote := func(s string) json.RawMessage { b, _ := json.Marshal(s); return b } // a string always encodes
	meta["namespace"] = quote(cmp.Or(o.Metadata.Namespace, namespace))
	if len(path) > 0 {
		delete(meta, "name")
		meta["generateName"] = quote(o.Metadata.Name + "-")
	}
	encoded, err := json.Marshal(meta)
	if err != nil {
		return nil, err
	}
	p["metadata"] = encoded
	return json.Marshal(p)
}
