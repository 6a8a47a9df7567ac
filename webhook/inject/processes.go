package inject

import (
	"slices"

	"github.com/podpass-io/podpass/federation/serviceaccount"
)

// checkSharedProcesses warns of containers that can read the broker's memory and files
// by /proc. The broker forbids that to others of its user (PR_SET_DUMPABLE), once it
// runs; it cannot forbid it to who may trace any process, nor to root, who may become
// any user. Skipped containers count: the list says who needs an identity, not who
// cannot take it. A user that only the image names is not known here.
func (pl *planner) checkSharedProcesses() {
	if !pl.pod.Spec.ShareProcessNamespace {
		return
	}
	for _, c := range pl.containers() {
		if why := pl.seesBroker(c); why != "" {
			pl.warn(serviceaccount.Problem{
				Code: codeSharedProcesses, Where: pl.whereContainer(c.Name),
				Message: "the pod's containers share their processes, and this one " + why + ", so that it may read the broker's tokens, which broker mode keeps from applications",
				Fix:     "remove shareProcessNamespace, or run the container as another user without that capability",
			})
		}
	}
}

// seesBroker says why a container may look into the broker's process; "": it may not,
// or it is not known.
func (pl *planner) seesBroker(c *podContainer) string {
	s := c.SecurityContext
	user := s.RunAsUser
	if user == nil {
		user = pl.pod.Spec.SecurityContext.RunAsUser
	}
	own := pl.runAs
	switch {
	case s.Privileged:
		return "is privileged"
	case slices.ContainsFunc(s.Capabilities.Add, traces):
		return "has the capability SYS_PTRACE"
	case user != nil && *user == 0:
		return "runs as root"
	case user != nil && own != nil && *user == *own, user == nil && own == nil:
		return "runs as the broker's user"
	}
	return ""
}

// traces reports whether a capability, by any of its names, allows to trace any process.
func traces(capability string) bool {
	return slices.Contains([]string{"SYS_PTRACE", "CAP_SYS_PTRACE", "ALL"}, capability)
}
