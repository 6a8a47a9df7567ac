package pods

import (
	"encoding/json"
	"fmt"
	"path"
	"reflect"

	"github.com/google/go-cmp/cmp"
)

// Container is what the container named "app" ends up with: all of it, and nothing
// else. It is read off the admitted pod by the rules of Kubernetes, with no part of
// podpass.
type Container struct {
	// Env are its variables as kubelet sets them: the last of a name counts. One that
	// comes from elsewhere is "field <path>", "secret <name> <key>" or
	// "configMap <name> <key>".
	Env map[string]string `json:"env,omitempty"`
	// Files are the ServiceAccount tokens that it can read, by path: "<audience>
	// <seconds>".
	Files map[string]string `json:"files,omitempty"`
	// Dirs are the emptyDir volumes in which it can write, by path: the volume's name.
	Dirs map[string]string `json:"dirs,omitempty"`
	// Broker are the tokens of the sidecar, by file name: "<audience> <seconds>"; none: there is no
	// sidecar.
	Broker map[string]string `json:"broker,omitempty"`
	// Unlabelled: the pod has not what the label of injected ones says, nor the label.
	Unlabelled bool `json:"unlabelled,omitempty"`
}

// admitted is what is read of an admitted pod.
type admitted struct {
	Metadata struct {
		Labels map[string]string `json:"labels"`
	} `json:"metadata"`
	Spec struct {
		InitContainers []admittedContainer `json:"initContainers"`
		Containers     []admittedContainer `json:"containers"`
		Volumes        []admittedVolume    `json:"volumes"`
	} `json:"spec"`
}

type admittedContainer struct {
	Name string `json:"name"`
	Env  []struct {
		Name      string `json:"name"`
		Value     string `json:"value"`
		ValueFrom *struct {
			FieldRef *struct {
				FieldPath string `json:"fieldPath"`
			} `json:"fieldRef"`
			SecretKeyRef    *keyRef `json:"secretKeyRef"`
			ConfigMapKeyRef *keyRef `json:"configMapKeyRef"`
		} `json:"valueFrom"`
	} `json:"env"`
	VolumeMounts []struct {
		Name      string `json:"name"`
		MountPath string `json:"mountPath"`
		ReadOnly  bool   `json:"readOnly"`
	} `json:"volumeMounts"`
}

type keyRef struct {
	Name string `json:"name"`
	Key  string `json:"key"`
}

type admittedVolume struct {
	Name      string    `json:"name"`
	EmptyDir  *struct{} `json:"emptyDir"`
	Projected *struct {
		Sources []struct {
			ServiceAccountToken *struct {
				Audience          string `json:"audience"`
				ExpirationSeconds int64  `json:"expirationSeconds"`
				Path              string `json:"path"`
			} `json:"serviceAccountToken"`
		} `json:"sources"`
	} `json:"projected"`
}

// check holds an admitted pod's container against w.
func (w *Container) check(o Outcome) []error {
	var pod admitted
	if err := json.Unmarshal(o.After, &pod); err != nil {
		return []error{err}
	}
	app, ok := pod.container("app")
	if !ok {
		return []error{fmt.Errorf("the pod has no container named app")}
	}
	got := Container{Env: app.variables(), Files: pod.tokens(app), Dirs: pod.dirs(app)}
	mode := "direct"
	if got.Unlabelled = w.Unlabelled; w.Unlabelled {
		mode = ""
	}
	if broker, ok := pod.container("podpass-broker"); ok {
		mode, got.Broker = "broker", map[string]string{}
		for file, token := range pod.tokens(broker) {
			got.Broker[path.Base(file)] = token
		}
	}
	var errs []error
	if diff := cmp.Diff(w.whole(), got.whole()); diff != "" {
		errs = append(errs, fmt.Errorf("the container has (-want +got):\n%s", diff))
	}
	if have := pod.Metadata.Labels["podpass.io/injected"]; have != mode {
		errs = append(errs, fmt.Errorf("the label says %q, want %q", have, mode))
	}
	return append(errs, keepsRest(o)...)
}

// whole makes none and empty the same.
func (w *Container) whole() Container {
	all := *w
	for _, m := range []*map[string]string{&all.Env, &all.Files, &all.Dirs, &all.Broker} {
		if *m == nil {
			*m = map[string]string{}
		}
	}
	return all
}

func (p *admitted) container(name string) (admittedContainer, bool) {
	for _, list := range [][]admittedContainer{p.Spec.Containers, p.Spec.InitContainers} {
		for _, c := range list {
			if c.Name == name {
				return c, true
			}
		}
	}
	return admittedContainer{}, false
}

func (c admittedContainer) variables() map[string]string {
	all := map[string]string{}
	for _, e := range c.Env {
		v := e.Value
		if from := e.ValueFrom; from != nil {
			switch {
			case from.FieldRef != nil:
				v = "field " + from.FieldRef.FieldPath
			case from.SecretKeyRef != nil:
				v = "secret " + from.SecretKeyRef.Name + " " + from.SecretKeyRef.Key
			case from.ConfigMapKeyRef != nil:
				v = "configMap " + from.ConfigMapKeyRef.Name + " " + from.ConfigMapKeyRef.Key
			}
		}
		all[e.Name] = v
	}
	return all
}

func (p *admitted) tokens(c admittedContainer) map[string]string {
	all := map[string]string{}
	for _, m := range c.VolumeMounts {
		for _, v := range p.Spec.Volumes {
			if v.Name != m.Name || v.Projected == nil {
				continue
			}
			for _, s := range v.Projected.Sources {
				if t := s.ServiceAccountToken; t != nil {
					all[path.Join(m.MountPath, t.Path)] = fmt.Sprintf("%s %d", t.Audience, t.ExpirationSeconds)
				}
			}
		}
	}
	return all
}

func (p *admitted) dirs(c admittedContainer) map[string]string {
	all := map[string]string{}
	for _, m := range c.VolumeMounts {
		for _, v := range p.Spec.Volumes {
			if v.Name == m.Name && v.EmptyDir != nil && !m.ReadOnly {
				all[m.MountPath] = m.Name
			}
		}
	}
	return all
}

// keepsRest reports what of the containers that were there before is not as it was,
// besides variables and mounts.
func keepsRest(o Outcome) []error {
	type pod struct {
		Spec struct {
			InitContainers []map[string]any `json:"initContainers"`
			Containers     []map[string]any `json:"containers"`
		} `json:"spec"`
	}
	var before, after pod
	for _, d := range []struct {
		raw  []byte
		into *pod
	}{{o.Before, &before}, {o.After, &after}} {
		if err := json.Unmarshal(d.raw, d.into); err != nil {
			return []error{err}
		}
	}
	var errs []error
	kept := map[any]map[string]any{}
	for _, c := range append(after.Spec.InitContainers, after.Spec.Containers...) {
		kept[c["name"]] = c
	}
	for _, c := range append(before.Spec.InitContainers, before.Spec.Containers...) {
		for field, was := range c {
			if is := kept[c["name"]][field]; field != "env" && field != "volumeMounts" && !reflect.DeepEqual(was, is) {
				errs = append(errs, fmt.Errorf("container %v: %s was %s, is %s", c["name"], field, text(was), text(is)))
			}
		}
	}
	return errs
}
