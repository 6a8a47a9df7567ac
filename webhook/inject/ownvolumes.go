package inject

import "slices"

// ownVolume reports whether a volume is an earlier plan's: by its name and what is in it,
// and where other webhooks have the same name, by the pod's annotation.
func (pl *planner) ownVolume(v podVolume) bool {
	switch v.Name {
	case gcpConfigVolume, kubeconfigVolume:
		return v.EmptyDir != nil
	case gcloudVolume:
		return v.EmptyDir != nil && pl.own.injected["gcp"].Mode != ""
	case tokensVolume, oidcVolume, kubeVolume:
		return v.tokens()
	case awsVolume:
		return pl.wasDirect("aws") && v.tokens()
	case gcpTokenVolume:
		return pl.wasDirect("gcp") && v.tokens()
	case azureVolume:
		return pl.wasDirect("azure") && v.tokens()
	}
	return false
}

// tokens reports whether a volume has ServiceAccount tokens and nothing else.
func (v podVolume) tokens() bool {
	return v.Projected != nil && !slices.ContainsFunc(v.Projected.Sources, func(p projection) bool { return p.ServiceAccountToken == nil })
}

// putVolumes adds what is missing, and removes what an earlier plan had otherwise, or for
// nobody any more.
func (pl *planner) putVolumes() {
	have := pl.pod.Spec.Volumes
	removeStale(&pl.patch, "/spec/volumes/", have, func(v podVolume) bool {
		if kept, planned := pl.own.kept[v.Name]; planned {
			return !kept && pl.ownVolume(v)
		}
		return pl.ownVolume(v) && !pl.mountedByUser(v.Name)
	})
	appendTo(&pl.patch, "/spec/volumes", have != nil, pl.volumes)
}

// mountedByUser reports whether a container that is not podpass's mounts a volume: one
// that is skipped now, perhaps.
func (pl *planner) mountedByUser(volume string) bool {
	for _, c := range pl.containers() {
		if slices.ContainsFunc(c.VolumeMounts, func(m podMount) bool { return m.Name == volume }) {
			return true
		}
	}
	return false
}
