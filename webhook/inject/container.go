package inject

import (
	"slices"

	"github.com/podpass-io/podpass/federation/serviceaccount"
)

// inject plans what the container at a place lacks. New variables go to the end:
// a value can only refer ($(NAME)) to what comes before it, so that nothing the
// user wrote changes its meaning. Where one of the user's has to be countered (an
// overridden static key, NO_PROXY) ours follows it under the same name, and kubelet
// takes the last.
func (pl *planner) inject(at place, c *podContainer) {
	if pl.skipped[c.Name] {
		return
	}
	pl.prune(at, c)
	pl.pruneGuards(at, c)
	var env []envVar
	var mounts []volumeMount
	brokered := false
	for _, d := range pl.deliveries {
		everywhere := d.of(pl, c).placed(pl, c)
		d := everywhere.where(pl, c)
		overrides, ok := pl.staticKeys(d, c)
		if !ok {
			env = append(env, pl.leave(d, at, c)...)
			continue
		}
		missing, ok := pl.missingMounts(d, c)
		if !ok || pl.hasOwn(d, c) {
			env = append(env, pl.leave(d, at, c)...)
			continue
		}
		if d.Mode == serviceaccount.ModeBroker && at.list == "initContainers" && pl.early[c.Name] {
			env = append(env, pl.tooEarly(d, at, c)...)
			pl.used[d.Cloud] = pl.used[d.Cloud] || len(d.mounts) > 0
			mounts = append(mounts, missing...)
			continue
		}
		pl.used[d.Cloud] = true
		pl.unguard(d, at, c)
		pl.checkKept(d, c)
		pl.checkPlaces(everywhere, c)
		pl.checkSelection(d, c, overrides)
		pl.checkKubeconfig(d, c)
		if v, m, ok := pl.atHome(d.home, c); ok {
			env, missing = append(env, v), append(missing, m)
		}
		env = append(env, overrides...)
		added := d.missingEnv(c)
		pl.lacking[d.Cloud] = pl.lacking[d.Cloud] || d.lacking(added, missing)
		env = append(env, added...)
		mounts = append(mounts, missing...)
		if d.Mode == serviceaccount.ModeBroker {
			brokered = true
			pl.checkClientID(d, c)
			if _, ok := d.want(noIMDS.Name); ok {
				pl.checkNodeMetadata(d, c)
			}
		}
	}
	if brokered {
		pl.checkProxy(c)
		env = append(env, pl.noProxy(c)...)
	}
	appendTo(&pl.patch, at.path()+"/env", c.Env != nil, env)
	appendTo(&pl.patch, at.path()+"/volumeMounts", c.VolumeMounts != nil, mounts)
}

// missingEnv gives the variables that the container does not set; one that a chart
// rendered empty is not set, for SDKs neither. What an envFrom sets cannot be seen,
// and gives way to these, as it does with the webhooks whose annotations podpass
// honours.
func (d *delivery) missingEnv(c *podContainer) []envVar {
	var list []envVar
	for _, v := range d.env {
		if !c.hasEnv(v.Name) && !c.hasEnv(d.alternatives[v.Name]) {
			list = append(list, v)
		}
	}
	return list
}

// lacking reports whether what a container is missing is what gives it credentials.
func (d *delivery) lacking(env []envVar, mounts []volumeMount) bool {
	return (d.Cloud == "oidc" || d.Mode == serviceaccount.ModeDirect) && len(mounts) > 0 || slices.ContainsFunc(env, func(v envVar) bool { return slices.Contains(d.own, v.Name) || slices.Contains(d.static, v.Name) })
}
