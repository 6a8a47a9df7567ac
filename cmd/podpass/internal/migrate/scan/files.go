package scan

import (
	"bufio"
	"bytes"
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"

	utilyaml "k8s.io/apimachinery/pkg/util/yaml"
	"sigs.k8s.io/yaml"

	"github.com/podpass-io/podpass/cmd/podpass/internal/hint"
	"github.com/podpass-io/podpass/cmd/podpass/internal/manifest"
	"github.com/podpass-io/podpass/cmd/podpass/internal/migrate/graph"
	"github.com/podpass-io/podpass/cmd/podpass/internal/migrate/workload"
	"github.com/podpass-io/podpass/federation/serviceaccount"
	"github.com/podpass-io/podpass/federation/statickey"
)

const (
	// maxFile bounds what is read of one file: far above what somebody reviews.
	maxFile = 64 << 20
	// maxLoose bounds a file of a folder that is no manifest.
	maxLoose = 1 << 20
)

// Stream is the file of what was read of standard input.
const Stream = "standard input"

// one object of a file.
type object struct {
	raw  []byte
	file string
	// content is raw decoded.
	content map[string]any
}

// Files reads manifests: files, folders with all that is in them, and "-" for standard
// input. What in a folder is no manifest, as a chart's values, is looked at as a text.
func (c *Collector) Files(stdin io.Reader, names []string, in serviceaccount.Installation) error {
	var objects []object
	for _, name := range names {
		found, err := c.read(stdin, name)
		if err != nil {
			return err
		}
		objects = append(objects, found...)
	}
	rank := func(o object) int {
		switch has := len(workload.Templates(o.content)) > 0; {
		case has && workload.Controller(o.content, c.Namespace) == nil:
			return 0
		case has && o.content["kind"] != "Pod":
			return 1
		case has:
			return 2
		case o.content["kind"] == "ServiceAccount":
			return 3
		}
		return 4
	}
	slices.SortStableFunc(objects, func(a, b object) int { return cmp.Compare(rank(a), rank(b)) })
	for _, o := range objects {
		if err := c.take(o, in); err != nil {
			return fmt.Errorf("%s: %w", o.file, err)
		}
	}
	return nil
}

// take gives an object to the part of the collector that it is for.
func (c *Collector) take(o object, in serviceaccount.Installation) error {
	switch {
	case len(workload.Templates(o.content)) > 0:
		c.Workload(o.content, o.file)
		if builtIn(o.content["apiVersion"]) {
			return nil
		}
	case o.content["kind"] == "ServiceAccount":
		return c.account(o.raw, in)
	}
	return c.Keep(o.raw, o.file)
}

// account takes a ServiceAccount as JSON.
func (c *Collector) account(raw []byte, in serviceaccount.Installation) error {
	var a struct {
		keeper
		ImagePullSecrets []struct{ Name string } `json:"imagePullSecrets"`
	}
	if err := json.Unmarshal(raw, &a); err != nil {
		return err
	}
	var pull []string
	for _, s := range a.ImagePullSecrets {
		pull = append(pull, s.Name)
	}
	namespace := cmp.Or(a.Metadata.Namespace, c.Namespace)
	if c.Seen != nil {
		var content map[string]any
		if err := json.Unmarshal(raw, &content); err != nil {
			return err
		}
		c.Seen(graph.Object{APIVersion: "v1", Kind: "ServiceAccount", Namespace: namespace, Name: a.Metadata.Name}, content)
	}
	asked, direct := clouds(serviceaccount.Resolve(serviceaccount.Request{
		Namespace: namespace, Name: a.Metadata.Name, Annotations: a.Metadata.Annotations, Labels: a.Metadata.Labels, AnyPod: true,
	}, in))
	c.Account(namespace, a.Metadata.Name, asked, direct, pull)
	return nil
}

// clouds of which a ServiceAccount asks for an identity, and those in direct mode.
func clouds(a serviceaccount.Answer) (asked, direct []string) {
	add := func(name string, mode serviceaccount.Mode) {
		asked = append(asked, name)
		if mode == serviceaccount.ModeDirect {
			direct = append(direct, name)
		}
	}
	if a.AWS != nil {
		add("aws", a.AWS.Mode)
	}
	if a.Azure != nil {
		add("azure", a.Azure.Mode)
	}
	if a.GCP != nil {
		add("gcp", a.GCP.Mode)
	}
	if a.Kube != nil {
		asked = append(asked, "kubernetes")
	}
	return asked, direct
}

// builtIn is whether an API is Kubernetes' own, whose objects hold no settings beside
// their templates.
func builtIn(apiVersion any) bool {
	version, _ := apiVersion.(string)
	group, _, ok := strings.Cut(version, "/")
	return !ok || group == "apps" || group == "batch"
}

// read gives the objects of a file or of all files below a folder.
func (c *Collector) read(stdin io.Reader, name string) ([]object, error) {
	if name == "-" {
		b, err := manifest.ReadFile(stdin, name, maxFile)
		if err != nil {
			return nil, err
		}
		return c.objects(b, Stream, true)
	}
	info, err := os.Stat(name)
	if err != nil {
		return nil, hint.New(err, "name a file, a folder, or - for standard input")
	}
	if !info.IsDir() {
		b, err := manifest.ReadFile(nil, name, maxFile)
		if err != nil {
			return nil, err
		}
		return c.objects(b, name, true)
	}
	var all []object
	err = filepath.WalkDir(name, func(path string, d fs.DirEntry, err error) error {
		switch {
		case err != nil:
			return err
		case d.IsDir() && d.Name() == ".git":
			return fs.SkipDir
		case !d.Type().IsRegular():
			return nil
		}
		b, err := manifest.ReadFile(nil, path, maxFile)
		if err != nil {
			return err
		}
		found, err := c.objects(b, path, false)
		all = append(all, found...)
		return err
	})
	return all, err
}

// objects are those of a file; what is none is looked at as a text, or, if the file was
// named as a manifest, an error.
func (c *Collector) objects(b []byte, file string, named bool) ([]object, error) {
	found, err := parse(b, file)
	switch {
	case err == nil:
		return found, nil
	case named:
		return nil, hint.New(fmt.Errorf("%s: %w", file, err), "give what kubectl apply takes, or a folder, in which other files are looked at as texts")
	case len(b) > maxLoose:
		c.unread = append(c.unread, graph.Unread{What: "file " + file, Why: fmt.Sprintf("it is no manifest, and larger than %d KiB", maxLoose>>10)})
		return nil, nil
	}
	c.looked["other files"]++
	c.keep(graph.Object{Kind: "File", Name: file, File: file}, keeper{}, nil, statickey.Find([]statickey.Named{{Name: filepath.Base(file), Value: b}}))
	return nil, nil
}

var errNotObject = errors.New("not a Kubernetes object: kind is missing")

func parse(b []byte, file string) ([]object, error) {
	var all []object
	docs := utilyaml.NewYAMLReader(bufio.NewReader(bytes.NewReader(b)))
	for n := 1; ; n++ {
		doc, err := docs.Read()
		if errors.Is(err, io.EOF) {
			return all, nil
		}
		if err != nil {
			return nil, fmt.Errorf("document %d: %w", n, err)
		}
		raw, err := yaml.YAMLToJSON(doc)
		if err != nil {
			return nil, fmt.Errorf("document %d: not YAML", n) // the parser's error may quote a value
		}
		if all, err = flatten(all, raw, file); err != nil {
			return nil, fmt.Errorf("document %d: %w", n, err)
		}
	}
}

// flatten adds an object, or those that a List has.
func flatten(all []object, raw []byte, file string) ([]object, error) {
	if string(bytes.TrimSpace(raw)) == "null" {
		return all, nil // an empty document, or only comments
	}
	o := object{raw: raw, file: file}
	if json.Unmarshal(raw, &o.content) != nil {
		return nil, errNotObject
	}
	kind, _ := o.content["kind"].(string)
	if kind == "" {
		return nil, errNotObject
	}
	items, ok := o.content["items"].([]any)
	if !ok || !strings.HasSuffix(kind, "List") {
		return append(all, o), nil
	}
	for _, item := range items {
		inner, err := json.Marshal(item)
		if err != nil {
			return nil, err
		}
		if all, err = flatten(all, inner, file); err != nil {
			return nil, err
		}
	}
	return all, nil
}
