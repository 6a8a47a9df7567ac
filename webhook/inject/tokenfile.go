package inject

import (
	"path"
	"slices"
	"strings"
)

// placed is the delivery for a container whose own variable says where it expects the
// token's file: there too, where nothing else can be. All containers share the volume,
// which has the token under each name that one of them wants.
func (d *delivery) placed(pl *planner, c *podContainer) *delivery {
	have, _ := c.env(d.file)
	if d.file == "" || !have.namesFile() {
		return d
	}
	more := *d
	more.at = have.Value
	// Below a mount of ours the volume itself has the file: a mount cannot be within one
	// that is read-only.
	for _, m := range d.mounts {
		if name, ok := strings.CutPrefix(have.Value, m.MountPath+"/"); ok && !m.taken(c) && more.addFile(name) {
			return &more
		}
	}
	dir, name := path.Split(have.Value)
	dir = path.Clean(dir)
	if !free(dir) || d.within(dir) || pl.mountsNear(d, c, dir) || !more.addFile(name) {
		return d
	}
	// A mount of ours below it gives way: the container has said where it looks.
	more.mounts = slices.DeleteFunc(slices.Clone(d.mounts), func(m volumeMount) bool {
		return below(canonical(m.MountPath), canonical(dir)) && canonical(m.MountPath) != canonical(dir)
	})
	more.mounts = append(more.mounts, volumeMount{Name: d.volumes[0].Name, MountPath: dir, ReadOnly: true})
	return &more
}

// within reports whether a directory is within a mount of d's, where a container with
// another mount does not start: the volume is read-only, and may have a file of that name.
func (d *delivery) within(dir string) bool {
	dir = canonical(dir)
	return slices.ContainsFunc(d.mounts, func(m volumeMount) bool { return dir != canonical(m.MountPath) && below(dir, canonical(m.MountPath)) })
}

// namesFile reports whether the value is known, and can be a file's path in a container.
func (e podEnv) namesFile() bool {
	v := e.Value
	return !e.unseen() && path.IsAbs(v) && path.Clean(v) == v && !strings.Contains(v, ":")
}

// addFile makes the volume have the token under a further name; false: what is a file
// by one name would be a directory by another.
func (d *delivery) addFile(name string) bool {
	v := d.volumes[0].Projected
	for _, p := range v.Sources {
		switch have := p.ServiceAccountToken.Path; {
		case have == name:
			return true
		case below(have, name) || below(name, have):
			return false
		}
	}
	token := d.token
	token.Path = name
	v.Sources = append(v.Sources, projection{ServiceAccountToken: &token})
	return true
}

// unseen reports whether a variable is set to what cannot be seen here.
func (e podEnv) unseen() bool { return e.ValueFrom != nil || strings.Contains(e.Value, "$(") }

// secretsDir is where images have nothing of their own that a mount would hide; its
// other name is /run/secrets. What is directly in it, or Kubernetes' own, is the API
// server's.
const secretsDir = "/var/run/secrets"

// free reports whether a directory may be mounted over, as far as the image goes.
func free(dir string) bool {
	dir = canonical(dir)
	return dir != secretsDir && below(dir, secretsDir) && !below(dir, secretsDir+"/kubernetes.io")
}

// mountsNear reports whether the container has, or gets, something else at a directory,
// above it or below it.
func (pl *planner) mountsNear(d *delivery, c *podContainer, dir string) bool {
	near := func(at string) bool {
		at, dir := canonical(cleanPath(at)), canonical(dir)
		return below(at, dir) || below(dir, at)
	}
	for _, m := range c.VolumeMounts {
		if m.Name != d.volumes[0].Name && near(m.MountPath) {
			return true
		}
	}
	for _, other := range pl.deliveries {
		if other.Cloud != d.Cloud && slices.ContainsFunc(other.mounts, func(m volumeMount) bool { return near(m.MountPath) }) {
			return true
		}
	}
	return false
}

// canonical is a path by one name: in images /var/run is a link to /run, mostly.
func canonical(at string) string {
	if rest, ok := strings.CutPrefix(at, "/run/"); ok {
		return "/var/run/" + rest
	}
	return at
}

// below reports whether a path is dir, or below it.
func below(at, dir string) bool {
	return at == dir || strings.HasPrefix(at, strings.TrimSuffix(dir, "/")+"/")
}
