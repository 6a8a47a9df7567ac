package inject

import (
	"errors"
	"fmt"
	"slices"

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

func (s *podSpec) readHead(r *rawjson.Reader) {
	for name := range r.Members {
		switch string(name) {
		case "volumes", "initContainers", "containers":
			for range r.Elements { // read when they are needed
			}
		default:
			s.readHeadMember(r, string(name))
		}
	}
}

func (s *podSpec) readHeadMember(r *rawjson.Reader, name string) {
	switch name {
	case "serviceAccountName":
		readName(r, &s.ServiceAccountName)
	case "serviceAccount":
		readName(r, &s.ServiceAccount)
	case "nodeSelector":
		r.Map(&s.NodeSelector)
	}
}

func (s *podSpec) read(r *rawjson.Reader) {
	left := maxElements
	for name := range r.Members {
		switch string(name) {
		case "hostNetwork":
			r.Bool(&s.HostNetwork)
		case "shareProcessNamespace":
			r.Bool(&s.ShareProcessNamespace)
		case "securityContext":
			r.Value(&s.SecurityContext)
		case "os":
			for name := range r.Members {
				if string(name) == "name" {
					r.Text(&s.OS)
				}
			}
		case "runtimeClassName":
			readName(r, &s.RuntimeClassName)
		case "affinity":
			s.readAffinity(r, &left)
		case "resources":
			r.Value(&s.Resources)
		case "imagePullSecrets":
			s.ImagePullSecrets = list(r, &left, readReference)
		case "volumes":
			s.Volumes = list(r, &left, readVolume)
		case "initContainers":
			s.InitContainers = list(r, &left, readContainer)
		case "containers":
			s.Containers = list(r, &left, readContainer)
		default:
			s.readHeadMember(r, string(name))
		}
	}
}

// list reads an array; null is a nil one.
func list[T any](r *rawjson.Reader, left *int, read func(*rawjson.Reader, *int, *T)) []T {
	if r.Null() {
		return nil
	}
	all := []T{}
	for range r.Elements {
		if *left--; *left < 0 {
			r.Fail(errTooLarge)
		}
		if len(all) == cap(all) {
			all = slices.Grow(all, max(4, len(all))) // append leaves five times as much behind
		}
		all = append(all, *new(T))
		read(r, left, &all[len(all)-1])
	}
	return all
}

func readVolume(r *rawjson.Reader, _ *int, v *podVolume) {
	for name := range r.Members {
		switch string(name) {
		case "name":
			readName(r, &v.Name)
		case "projected":
			r.Value(&v.Projected)
		case "emptyDir":
			r.Value(&v.EmptyDir)
		}
	}
}

func readContainer(r *rawjson.Reader, left *int, c *podContainer) {
	for name := range r.Members {
		switch string(name) {
		case "name":
			readName(r, &c.Name)
		case "env":
			c.Env = list(r, left, readEnv)
		case "envFrom":
			c.EnvFrom = list(r, left, readEnvFrom)
		case "volumeMounts":
			c.VolumeMounts = list(r, left, readMount)
		case "ports":
			c.Ports = list(r, left, readPort)
		case "resources":
			readResources(r, &c.Resources)
		case "restartPolicy":
			readName(r, &c.RestartPolicy)
		case "securityContext":
			readSecurity(r, &c.SecurityContext)
		}
	}
}

func readSecurity(r *rawjson.Reader, s *containerSecurity) {
	for name := range r.Members {
		switch string(name) {
		case "runAsUser":
			r.Value(&s.RunAsUser)
		case "privileged":
			r.Bool(&s.Privileged)
		case "capabilities":
			r.Value(&s.Capabilities)
		case "windowsOptions":
			r.Value(&s.WindowsOptions)
		}
	}
}

func readEnv(r *rawjson.Reader, _ *int, e *podEnv) {
	for name := range r.Members {
		switch string(name) {
		case "name":
			r.Text(&e.Name)
		case "value":
			r.Text(&e.Value)
		case "valueFrom":
			r.Value(&e.ValueFrom)
		}
	}
}

func readEnvFrom(r *rawjson.Reader, _ *int, e *podEnvFrom) {
	r.Value(e)
	for _, ref := range []*reference{e.SecretRef, e.ConfigMapRef} {
		if ref != nil {
			ref.Name = serviceaccount.ClipName(ref.Name)
		}
	}
}

func readReference(r *rawjson.Reader, _ *int, ref *reference) {
	for name := range r.Members {
		if string(name) == "name" {
			readName(r, &ref.Name)
		}
	}
}

func readMount(r *rawjson.Reader, _ *int, m *podMount) {
	for name := range r.Members {
		switch string(name) {
		case "name":
			readName(r, &m.Name)
		case "mountPath":
			r.Text(&m.MountPath)
		}
	}
}

func readPort(r *rawjson.Reader, _ *int, p *podPort) {
	for name := range r.Members {
		switch string(name) {
		case "containerPort":
			r.Int(&p.ContainerPort)
		case "protocol":
			readName(r, &p.Protocol)
		}
	}
}

func readResources(r *rawjson.Reader, into *podResources) {
	for name := range r.Members {
		switch string(name) {
		case "requests":
			readQuantities(r, &into.Requests)
		case "limits":
			readQuantities(r, &into.Limits)
		}
	}
}

func readQuantities(r *rawjson.Reader, into *map[string]quantity) {
	*into = map[string]quantity{}
	for name := range r.Members {
		key, text := string(name), ""
		if raw := r.Raw(); len(raw) > 0 && raw[0] == '"' {
			rawjson.NewReader(raw).Text(&text)
		} else {
			text = string(raw)
		}
		(*into)[key] = quantity(text)
	}
}
