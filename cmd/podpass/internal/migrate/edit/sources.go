package edit

import (
	"path"
	"slices"
)

// source is what a volume shows files of.
type source struct {
	node
	kind string // Secret, ConfigMap, or "" for anything else
	name string
	// index of a projected volume's source; -1: the volume has this one alone.
	index int
}

// sources of a volume.
func sources(v node) []source {
	var list []source
	if secret := v.object("secret"); secret.m != nil {
		list = append(list, source{secret, Secret, secret.text("secretName"), -1})
	}
	if configMap := v.object("configMap"); configMap.m != nil {
		list = append(list, source{configMap, ConfigMap, configMap.text("name"), -1})
	}
	for i, from := range v.object("projected").objects("sources") {
		for _, s := range []source{
			{from.object("secret"), Secret, "", i},
			{from.object("configMap"), ConfigMap, "", i},
			{from.object("downwardAPI"), "", "", i},
		} {
			if s.m != nil {
				s.name = s.text("name")
				list = append(list, s)
			}
		}
	}
	return list
}

func (s source) isOf(f File) bool { return s.kind != "" && s.kind == f.Kind && s.name == f.Name }

// paths are the files that a volume is known to show: what its sources list, and what f
// says of its own object.
func (f File) paths(v node) []string {
	var paths []string
	for _, s := range sources(v) {
		items := s.objects("items")
		for _, item := range items {
			paths = append(paths, path.Clean(item.text("path")))
		}
		if len(items) == 0 && s.isOf(f) {
			paths = slices.Concat(paths, f.All, f.Keys)
		}
	}
	return paths
}
