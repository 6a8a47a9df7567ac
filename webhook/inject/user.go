package inject

import "slices"

// user is whom podpass's containers run as; nil: the platform's to choose.
//
// It is 65532, or what the installation says, and with that another user than the
// application's, except in one kind of pod. kubelet makes the file of a projected token
// 0600 and the reader's own when all containers of the pod have one runAsUser; a
// container of another user takes that away from all, and the file is root's, in the
// volume's defaultMode. Where the pod mounts a token of its own, with a mode in which
// others than the owner cannot read it, its application would lose it. There podpass's
// containers run as the application's user.
func (pl *planner) user() *int64 {
	s := pl.pod.Spec
	if u, ok := pl.commonUser(); ok && s.SecurityContext.FSGroup == nil && u > 0 && slices.ContainsFunc(s.Volumes, podVolume.ownersToken) {
		return &u
	}
	return pl.settings.Broker.user()
}

// commonUser is the one user of all of the pod's containers, by the pod's or their own
// security contexts; false: there are several, or one is not known.
func (pl *planner) commonUser() (user int64, known bool) {
	for _, c := range pl.containers() {
		own := c.SecurityContext.RunAsUser
		if own == nil {
			own = pl.pod.Spec.SecurityContext.RunAsUser
		}
		if own == nil || known && *own != user {
			return 0, false
		}
		user, known = *own, true
	}
	return user, known
}

// ownersToken reports whether a volume has a file to which kubelet's rule applies, a
// token, a key or a trust bundle, in a mode in which only owner and group can read it.
func (v podVolume) ownersToken() bool {
	p := v.Projected
	if p == nil || p.DefaultMode == 0 { // 0644, unless somebody says so
		return false
	}
	return p.DefaultMode&0o004 == 0 && slices.ContainsFunc(p.Sources, func(s projection) bool {
		return s.ServiceAccountToken != nil || s.PodCertificate != nil || s.ClusterTrustBundle != nil
	})
}
