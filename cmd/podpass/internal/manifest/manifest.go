// Package manifest reads Kubernetes objects from files, and podpass's settings.
package manifest

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

	"github.com/podpass-io/podpass/cmd/podpass/internal/hint"
	"github.com/podpass-io/podpass/webhook/inject"
	"github.com/podpass-io/podpass/webhook/rawjson"
)

// maxManifest bounds what is read of one file: far above what etcd would store.
const maxManifest = 16 << 20

// Object is one object of a manifest: its raw JSON, and what tells which it is.
type Object struct {
	Raw  []byte
	File string
	Head
}

// Head is what all kinds of objects have.
type Head struct {
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

// String gives the kind and the name.
func (o Object) String() string {
	return o.Kind + " " + cmp.Or(o.Metadata.Name, o.Metadata.GenerateName, "without a name")
}

// Read reads all objects of the files, "-" for standard input, those within Lists
// one by one.
func Read(stdin io.Reader, files []string) ([]Object, error) {
	var all []Object
	for _, name := range files {
		b, err := ReadFile(stdin, name, maxManifest)
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

// ReadFile reads a file of at most limit bytes, some MiB; "-" is standard input.
func ReadFile(stdin io.Reader, name string, limit int64) ([]byte, error) {
	r := stdin
	if name != "-" {
		f, err := os.Open(name)
		if err != nil {
			return nil, err
		}
		defer f.Close()
		r = f
	}
	b, err := io.ReadAll(io.LimitReader(r, limit+1))
	switch {
	case err != nil:
		return nil, fmt.Errorf("read %s: %w", name, err)
	case int64(len(b)) > limit:
		return nil, fmt.Errorf("%s is larger than %d KiB", name, limit>>10)
	}
	return b, nil
}

// Once refuses two names that are standard input: the second would find it empty.
func Once(names ...string) error {
	seen := false
	for _, name := range names {
		if name != "-" {
			continue
		}
		if seen {
			return hint.New(errors.New("standard input is named twice, and can be read once"), "give one of the two by its file's name")
		}
		seen = true
	}
	return nil
}

func appendObject(list []Object, file string, raw []byte) ([]Object, error) {
	if string(bytes.TrimSpace(raw)) == "null" {
		return list, nil // an empty document, or only comments
	}
	o := Object{Raw: raw, File: file}
	if err := json.Unmarshal(raw, &o.Head); err != nil {
		return nil, fmt.Errorf("not a Kubernetes object: %w", cmp.Or(onlyText(raw), err))
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

// onlyText says which label or annotation is no text, which YAML makes of true or 8080
// without quotes; nil: they all are.
func onlyText(raw []byte) error {
	r := rawjson.NewReader(raw)
	for name := range r.Members {
		if string(name) != "metadata" {
			continue
		}
		for name := range r.Members {
			if string(name) == "labels" || string(name) == "annotations" {
				var texts map[string]string
				r.Map(&texts)
			}
		}
	}
	return r.End()
}

// ServiceAccounts are those among objects, by namespace/name; namespace is that of
// objects that name none.
func ServiceAccounts(objects []Object, namespace string) map[string]Head {
	found := map[string]Head{}
	for _, o := range objects {
		if o.Kind == "ServiceAccount" {
			found[cmp.Or(o.Metadata.Namespace, namespace)+"/"+o.Metadata.Name] = o.Head
		}
	}
	return found
}

// Settings reads the webhook's configuration file; without one they are podpass's
// defaults, with the broker's image of this version.
func Settings(file, version string) (inject.Settings, error) {
	if file == "" {
		return inject.Settings{Broker: inject.BrokerSettings{Image: "podpass.io/podpass-broker:" + version}}, nil
	}
	b, err := os.ReadFile(file)
	if err != nil {
		return inject.Settings{}, err
	}
	s, err := inject.LoadSettings(b)
	if err != nil {
		return inject.Settings{}, fmt.Errorf("%s: %w", file, err)
	}
	return s, nil
}
