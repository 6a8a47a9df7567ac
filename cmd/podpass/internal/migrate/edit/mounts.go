package edit

import (
	"fmt"
	"path"
	"slices"
	"strings"
)

// drop takes a volume out, with its mounts.
func (e *editor) drop(v node, f File) {
	name := v.text("name")
	e.mounts(v, func(node) bool { return true })
	e.test(v, "name")
	i := slices.IndexFunc(e.spec.objects("volumes"), func(o node) bool { return o.at == v.at })
	e.cut(e.spec, "volumes", []int{i})
	e.show("- volume %s: %s", name, f)
}

// unmount takes out the mounts of single files of a volume that it no longer shows: for
// one that is not there, kubelet would make a directory.
func (e *editor) unmount(v node, before, after []string) {
	lost := func(within string) []string {
		return slices.DeleteFunc(slices.Clone(before), func(file string) bool {
			return slices.Contains(after, file) || !below(file, within)
		})
	}
	e.mounts(v, func(m node) bool {
		sub := m.text("subPath")
		return sub != "" && len(lost(path.Clean(sub))) > 0 &&
			!slices.ContainsFunc(after, func(file string) bool { return below(file, path.Clean(sub)) })
	})
	for _, c := range e.containers() {
		for _, m := range c.objects("volumeMounts") {
			if m.text("name") != v.text("name") {
				continue
			}
			if m.text("subPathExpr") != "" {
				e.loose = append(e.loose, fmt.Sprintf("container %s: the subPathExpr of mount %s of volume %s may refer to what it shows no more", c.text("name"), m.text("mountPath"), v.text("name")))
				continue
			}
			within := path.Clean(m.text("subPath")) // "." of none
			for _, file := range lost(within) {
				e.gone = append(e.gone, gone{container: c.text("name"), path: path.Join(m.text("mountPath"), relative(file, within))})
			}
		}
	}
}

// mounts takes those of a volume out that are to go.
func (e *editor) mounts(v node, goes func(mount node) bool) {
	name := v.text("name")
	for _, c := range e.containers() {
		var indices []int
		for i, m := range c.objects("volumeMounts") {
			if m.text("name") == name && goes(m) {
				indices = append(indices, i)
			}
		}
		if len(indices) == 0 {
			continue
		}
		e.touch(c)
		for _, i := range indices {
			m := c.objects("volumeMounts")[i]
			e.test(m, "name")
			e.test(m, "mountPath")
			e.gone = append(e.gone, gone{container: c.text("name"), path: path.Clean(m.text("mountPath"))})
			e.show("- container %s: mount %s of volume %s", c.text("name"), m.text("mountPath"), name)
		}
		e.cut(c, "volumeMounts", indices)
	}
}

// below reports whether a path is another one, or below it; "." holds all.
func below(file, dir string) bool {
	return dir == "." || file == dir || strings.HasPrefix(file, strings.TrimSuffix(dir, "/")+"/")
}

// relative is the rest of a path that is below dir.
func relative(file, dir string) string {
	if dir == "." {
		return file
	}
	return strings.TrimPrefix(file, dir)
}
