package inject

import (
	"bufio"
	"bytes"
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"

	utilyaml "k8s.io/apimachinery/pkg/util/yaml"
	"sigs.k8s.io/yaml"
)

// maxManifest bounds what is read of one file: far above what etcd would store.
const maxManifest = 16 << 20

// object is one object of a manifest: its raw JSON, and what tells which it is.
type object struct {
	raw  []byte
	file string
	head
}

type head struct {
	Kind     string `json:"kind"`
	Metadata struct {
		Name         string            `json:"name"`
		GenerateName string            `json:"generateName"`
		Namespace    string            `json:"namespace"`
		Labels       map[string]string `json:"labels"`
		Annotations  map[string]string `json:"annotations"`
	} `json:"metadata"`
	Items []json.RawMessage `json:"items"`
}

func (o object) String() string {
	return o.Kind + " " + cmp.Or(o.Metadata.Name, o.Metadata.GenerateName, "without a name")
}

// readAll reads all objects of the files, those within Lists one by one.
func readAll(stdin io.Reader, files []string) ([]object, error) {
	var all []object
	for _, name := range files {
		b, err := read(stdin, name)
		if err != nil {
			return nil, err
		}
		docs := utilyaml.NewYAMLReader(bufio.NewReader(bytes.NewReader(b)))
		for n := 1; ; n++ {
			doc, err := docs.Read()
			if errors.Is(err, io.EOF) {
				break
			}
			if err != nil {
				return nil, fmt.Errorf("%s: document %d: %w", name, n, err)
			}
			raw, err := yaml.YAMLToJSONStrict(doc)
			if err != nil {
				return nil, fmt.Errorf("%s: document %d: %w", name, n, err)
			}
			if all, err = appendObject(all, name, raw); err != nil {
				return nil, fmt.Errorf("%s: document %d: %w", name, n, err)
			}
		}
	}
	return all, nil
}

func read(stdin io.Reader, name string) ([]byte, error) {
	r := stdin
	if name != "-" {
		f, err := os.Open(name)
		if err != nil {
			return nil, err
		}
		defer f.Close()
		r = f
	}
	b, err := io.ReadAll(io.LimitReader(r, maxManifest+1))
	if err == nil && len(b) > maxManifest {
		err = fmt.Errorf("%s is larger than %d MiB", name, maxManifest>>20)
	}
	return b, err
}

func appendObject(list []object, file string, raw []byte) ([]object, error) {
	if string(bytes.TrimSpace(raw)) == "null" {
		return list, nil // an empty document, or only comments
	}
	o := object{raw: raw, file: file}
	if err := json.Unmarshal(raw, &o.head); err != nil {
		return nil, fmt.Errorf("not a Kubernetes object: %w", err)
	}
	if o.Kind == "" {
		return nil, errors.New("not a Kubernetes object: kind is missing")
	}
	if !strings.HasSuffix(o.Kind, "List") {
		return append(list, o), nil
	}
	var err error
	for _, item := range o.Items {
		if list, err = appendObject(list, file, item); err != nil {
			return nil, err
		}
	}
	return list, nil
}

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

// pod gives the raw JSON of the object's pod: for a template, with the namespace
// and the prefix of the name that its controller would give.
func (o object) pod(namespace string) ([]byte, error) {
	raw := json.RawMessage(o.raw)
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
