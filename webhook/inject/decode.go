package inject

import (
	"errors"
	"fmt"

	"github.com/podpass-io/podpass/federation/serviceaccount"
	"github.com/podpass-io/podpass/webhook/rawjson"
)

// ErrPod: the pod's JSON cannot be read. An API server has read it before.
var ErrPod = errors.New("decode pod")

// maxElements bounds the containers, variables, mounts, ports and volumes of a pod
// together: each takes up to 130 bytes here, and as little as three in the pod. A pod
// that etcd takes has a few thousand if it is extraordinary.
const maxElements = 32 << 10

// errTooLarge: the pod has more elements than that.
var errTooLarge = fmt.Errorf("more than %d containers, variables, mounts, ports and volumes", maxElements)

// Decode reads of a pod what decides whether anything is asked for, in one pass over
// its raw JSON; Plan reads the containers of a pod to which something is to be added.
// It reads as the API server does: names of fields in their exact case, where
// encoding/json would also take "Spec" for "spec" and so see a pod that the API
// server does not see. raw must not change while the Pod is in use.
func Decode(raw []byte) (*Pod, error) {
	p := &Pod{raw: raw, size: len(raw)}
	r := rawjson.NewReader(raw)
	for name := range r.Members {
		switch string(name) {
		case "metadata":
			p.readMetadata(r)
		case "spec":
			p.readSpec(r, (*podSpec).readHead)
		}
	}
	if err := r.End(); err != nil {
		return nil, fmt.Errorf("%w: %w", ErrPod, err)
	}
	if p.Metadata == nil || p.Spec == nil {
		return nil, fmt.Errorf("%w: metadata or spec is missing", ErrPod)
	}
	return p, nil
}

// whole is the pod with all that Plan looks at. It is another Pod: several callers may
// plan with one.
func (p *Pod) whole() (*Pod, error) {
	w := &Pod{Metadata: p.Metadata, Around: p.Around, raw: p.raw, size: p.size}
	r := rawjson.NewReader(p.raw)
	for name := range r.Members {
		if string(name) == "spec" {
			w.readSpec(r, (*podSpec).read)
		}
	}
	if err := r.End(); err != nil {
		return w, fmt.Errorf("%w: %w", ErrPod, err)
	}
	return w, nil
}

func (p *Pod) readMetadata(r *rawjson.Reader) {
	if r.Null() {
		p.Metadata = nil
		return
	}
	if p.Metadata == nil {
		p.Metadata = &podMetadata{}
	}
	for name := range r.Members {
		switch m := p.Metadata; string(name) {
		case "name":
			readName(r, &m.Name)
		case "generateName":
			readName(r, &m.GenerateName)
		case "namespace":
			readName(r, &m.Namespace)
		case "labels":
			r.Map(&m.Labels)
		case "annotations":
			r.Map(&m.Annotations)
		}
	}
}

// readName clips what no name in Kubernetes may be: it can only end up in messages and
// logs, once for each thing that is said of it.
func readName(r *rawjson.Reader, into *string) {
	r.Text(into)
	*into = serviceaccount.ClipName(*into)
}

func (p *Pod) readSpec(r *rawjson.Reader, read func(*podSpec, *rawjson.Reader)) {
	if r.Null() {
		p.Spec = nil
		return
	}
	if p.Spec == nil {
		p.Spec = &podSpec{}
	}
	read(p.Spec, r)
}
