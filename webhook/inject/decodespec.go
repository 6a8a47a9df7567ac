package inject

import (
	"slices"

	"github.com/podpass-io/podpass/webhook/rawjson"
)

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

func readReference(r *rawjson.Reader, _ *int, ref *reference) {
	for name := range r.Members {
		if string(name) == "name" {
			readName(r, &ref.Name)
		}
	}
}
