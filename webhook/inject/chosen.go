package inject

import (
	"fmt"

	"github.com/podpass-io/podpass/federation/serviceaccount"
)

// chosen is the variable by which the container has another source of credentials for
// the cloud; false: it has none.
func (d *delivery) chosen(c *podContainer) (podEnv, bool) {
	for _, name := range d.own {
		have, _ := c.env(name)
		if want, ok := d.want(name); !c.hasEnv(name) || ok && want.same(have) || d.mounted(have) || d.guarded(have) {
			continue
		}
		if name == d.file && have.unseen() {
			continue // which may be where the token is: see checkKept
		}
		return have, true
	}
	return podEnv{}, false
}

// hasOwn reports, and warns, that the container has another source of credentials
// for the cloud.
func (pl *planner) hasOwn(d *delivery, c *podContainer) bool {
	have, ok := d.chosen(c)
	if ok {
		p := serviceaccount.Problem{
			Code: codeOwnCredentials, Where: pl.whereContainer(c.Name) + " variable " + have.Name,
			Message: fmt.Sprintf("the container has its own source of %s credentials, so that it does not get the ServiceAccount's", d.Cloud),
			Fix:     "remove the variable, and those that belong to it, to use the ServiceAccount's identity",
		}
		p.Message += d.openToNode(c)
		if podIdentity(have) {
			p.Message = "the variable is EKS Pod Identity's: the platform serves this container itself, with the role of the ServiceAccount's association, and podpass leaves it alone"
			p.Fix = "delete one of the two: the annotation of the ServiceAccount, or the association (aws eks delete-pod-identity-association)"
		}
		pl.warn(p)
	}
	return ok
}
