package inject

import (
	"encoding/json"
	"fmt"
	"io"
	"strings"

	jsonpatch "gopkg.in/evanphx/json-patch.v4"
	"sigs.k8s.io/yaml"

	"github.com/podpass-io/podpass/cmd/podpass/internal/exit"
	"github.com/podpass-io/podpass/cmd/podpass/internal/hint"
	"github.com/podpass-io/podpass/cmd/podpass/internal/manifest"
	"github.com/podpass-io/podpass/federation/serviceaccount"
	"github.com/podpass-io/podpass/webhook/inject"
)

// admission is what the webhook does, with manifests in place of a cluster.
type admission struct {
	settings  inject.Settings
	defaults  bool // settings are podpass's own
	namespace string
	accounts  map[string]manifest.Head // by namespace/name
	cluster   cluster
	stderr    io.Writer
}

// result is an object as it would be.
type result struct {
	object []byte
	patch  []operation
}

// admit gives the object with its pod injected; false for one that has no pod.
func (a admission) admit(o manifest.Object) (result, bool, error) {
	path, ok := templatePaths[o.Kind]
	if !ok {
		return result{}, false, nil
	}
	fail := func(err error) (result, bool, error) {
		return result{}, false, fmt.Errorf("%s: %s: %w", o.File, o, err)
	}
	pod, err := podOf(o, a.namespace)
	if err != nil {
		return fail(err)
	}
	p, err := inject.Decode(pod)
	if err != nil {
		return fail(err)
	}
	req := p.Request()
	p.Around = a.cluster.around(req.Namespace)
	account, ok := a.accounts[req.Namespace+"/"+req.Name]
	if !ok {
		fmt.Fprintf(a.stderr, "warning: %s: ServiceAccount %s/%s is in none of the files: taken to have no annotations; name its file with --service-account\n", o, req.Namespace, req.Name)
	}
	req.Annotations, req.Labels = account.Metadata.Annotations, account.Metadata.Labels
	r, err := inject.Plan(p, serviceaccount.Resolve(req, a.settings.Installation), a.settings)
	if err != nil {
		return fail(err)
	}
	for _, w := range r.Warnings {
		fmt.Fprintf(a.stderr, "warning: %s\n", w)
	}
	if len(r.Errors) > 0 {
		return result{}, false, exit.Found(hint.Problems(r.Errors, a.defaults))
	}
	out, ops, err := patchObject(o.Raw, path, r.Patch)
	if err != nil {
		return fail(err)
	}
	return result{object: out, patch: ops}, true, nil
}

// operation is one of an RFC 6902 JSON patch.
type operation struct {
	Op    string          `json:"op"`
	Path  string          `json:"path"`
	Value json.RawMessage `json:"value"`
}

// patchObject applies a pod's patch to the object that has the pod at path.
func patchObject(raw []byte, path []string, patch []byte) ([]byte, []operation, error) {
	if patch == nil {
		return raw, nil, nil
	}
	var ops []operation
	if err := json.Unmarshal(patch, &ops); err != nil {
		return nil, nil, err
	}
	var prefix strings.Builder
	for _, key := range path {
		prefix.WriteString("/" + key)
	}
	moved := make([]operation, 0, len(ops)+1)
	for _, op := range ops {
		op.Path = prefix.String() + op.Path
		moved = append(moved, op)
	}
	if len(path) > 0 && !hasMetadata(raw, path) {
		// A template may do without; the pod that its controller makes does not.
		moved = append([]operation{{Op: "add", Path: prefix.String() + "/metadata", Value: json.RawMessage("{}")}}, moved...)
	}
	b, err := json.Marshal(moved)
	if err != nil {
		return nil, nil, err
	}
	p, err := jsonpatch.DecodePatch(b)
	if err != nil {
		return nil, nil, err
	}
	out, err := p.Apply(raw)
	return out, moved, err
}

func hasMetadata(raw json.RawMessage, path []string) bool {
	for _, key := range append(path[:len(path):len(path)], "metadata") {
		var m map[string]json.RawMessage
		if json.Unmarshal(raw, &m) != nil {
			return false
		}
		raw = m[key]
	}
	return raw != nil && string(raw) != "null"
}

// printer gives the function that prints results in a format.
func printer(format string) (func(io.Writer, []result) error, error) {
	switch format {
	case "yaml":
		return printYAML, nil
	case "json":
		return func(w io.Writer, list []result) error {
			return each(w, list, func(r result) any { return json.RawMessage(r.object) })
		}, nil
	case "patch":
		return func(w io.Writer, list []result) error {
			return each(w, list, func(r result) any {
				if r.patch == nil {
					return []operation{}
				}
				return r.patch
			})
		}, nil
	}
	return nil, hint.New(fmt.Errorf("unknown output format %q", format), "use yaml, json or patch")
}

func printYAML(w io.Writer, list []result) error {
	for i, r := range list {
		b, err := yaml.JSONToYAML(r.object)
		if err != nil {
			return err
		}
		if i > 0 {
			b = append([]byte("---\n"), b...)
		}
		if _, err := w.Write(b); err != nil {
			return err
		}
	}
	return nil
}

func each(w io.Writer, list []result, value func(result) any) error {
	enc := json.NewEncoder(w)
	enc.SetIndent("", "  ")
	for _, r := range list {
		if err := enc.Encode(value(r)); err != nil {
			return err
		}
	}
	return nil
}
