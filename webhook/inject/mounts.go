package inject

import (
	"fmt"
	"slices"

	"github.com/podpass-io/podpass/federation/serviceaccount"
)

// home is a volume of its own in which a cloud's command line may write.
type home struct {
	env    envVar // names the place
	mount  volumeMount
	volume volume
	used   bool
}

// mountAt gives what the container has at a path.
func (c *podContainer) mountAt(at string) (podMount, bool) {
	i := slices.IndexFunc(c.VolumeMounts, func(have podMount) bool { return cleanPath(have.MountPath) == at })
	if i < 0 {
		return podMount{}, false
	}
	return c.VolumeMounts[i], true
}

// taken reports whether the container has something else where m would be.
func (m volumeMount) taken(c *podContainer) bool {
	have, ok := c.mountAt(m.MountPath)
	return ok && have.Name != m.Name
}

// where is the delivery for a container in which a place of the token's file may be
// taken: the others are enough, and the variable names one of them.
func (d *delivery) where(pl *planner, c *podContainer) *delivery {
	free := slices.DeleteFunc(slices.Clone(d.mounts), func(m volumeMount) bool { return m.taken(c) })
	if d.file == "" || len(free) == 0 || len(free) == len(d.mounts) {
		return d
	}
	left := *d
	left.mounts, left.env = free, slices.Clone(d.env)
	for i := range left.env {
		if v := &left.env[i]; v.Name == d.file {
			v.Value = pl.file(free[0].MountPath + "/" + d.token.Path)
		}
	}
	return &left
}

// missingMounts gives the mounts that the container lacks; false, with a warning,
// when something else is mounted there.
func (pl *planner) missingMounts(d *delivery, c *podContainer) ([]volumeMount, bool) {
	var missing []volumeMount
	for _, m := range d.mounts {
		if m.taken(c) {
			pl.warn(pl.mountTaken(m, c, fmt.Sprintf("the container mounts another volume where its %s token would be, so that it does not get the ServiceAccount's identity", d.Cloud), mountFix(d)))
			return nil, false
		}
		if _, ok := c.mountAt(m.MountPath); !ok {
			missing = append(missing, m)
		}
	}
	return missing, true
}

// atHome gives the variable and the mount of h for a container that names no place
// of its own; false: it needs none.
func (pl *planner) atHome(h *home, c *podContainer) (envVar, volumeMount, bool) {
	if h == nil || c.hasEnv(h.env.Name) {
		return envVar{}, volumeMount{}, false
	}
	if _, ok := c.mountAt(h.mount.MountPath); ok {
		pl.warn(pl.mountTaken(h.mount, c, "the container mounts another volume there, so that "+h.env.Name+" is not set", "set "+h.env.Name+" to a directory in which the container may write"))
		return envVar{}, volumeMount{}, false
	}
	h.used = true
	return h.env, h.mount, true
}

// checkPlaces warns of a container that has the token at one of its places only.
func (pl *planner) checkPlaces(d *delivery, c *podContainer) {
	for _, m := range d.mounts {
		if m.taken(c) {
			pl.warn(pl.mountTaken(m, c, fmt.Sprintf("the container mounts another volume at one of the places of its %s token, which is at the other alone", d.Cloud), "remove that mount if something in the container looks for the token there"))
		}
	}
}

func (pl *planner) mountTaken(m volumeMount, c *podContainer, message, fix string) serviceaccount.Problem {
	have, _ := c.mountAt(m.MountPath)
	return serviceaccount.Problem{
		Code: codeMountPath, Where: pl.whereContainer(c.Name) + " volumeMount " + m.MountPath, Value: have.Name, Message: message, Fix: fix,
	}
}

// checkKept warns of a container that names another identity, which it gets with the
// ServiceAccount's token, and of one whose place for the token cannot be seen.
func (pl *planner) checkKept(d *delivery, c *podContainer) {
	if have, _ := c.env(d.file); d.file != "" && have.unseen() {
		pl.warn(serviceaccount.Problem{
			Code: codeOwnCredentials, Where: pl.whereContainer(c.Name) + " variable " + d.file,
			Message: "where the container looks for its token cannot be seen here; the variable stays, and the token is at " + d.mounts[0].MountPath + "/" + d.token.Path,
			Fix:     "remove the variable, or set it to that path",
		})
	}
	for _, name := range d.kept {
		have, _ := c.env(name)
		want, ok := d.want(name)
		if !ok || !c.hasEnv(name) || want.same(have) {
			continue
		}
		pl.warn(serviceaccount.Problem{
			Code: codeOwnCredentials, Where: pl.whereContainer(c.Name) + " variable " + name, Value: have.Value,
			Message: "the container names another identity than its ServiceAccount, " + want.Value + "; it stays, and the ServiceAccount's token is mounted for it",
			Fix:     "remove the variable to use the ServiceAccount's identity; for this one the cloud has to trust the ServiceAccount, too",
		})
	}
}

// mounted reports whether a variable names the token's file in one of the places
// where this delivery mounts it.
func (d *delivery) mounted(have podEnv) bool {
	at := cleanPath(have.Value)
	return at != "" && (at == d.at || slices.ContainsFunc(d.mounts, func(m volumeMount) bool { return at == m.MountPath+"/"+d.token.Path }))
}

func mountFix(d *delivery) string {
	if d.Cloud == "oidc" || d.Cloud == "kube" { // whose files are mounted in either mode
		return "remove that mount"
	}
	return "remove that mount, or use broker mode, which mounts no cloud's token in the container"
}
