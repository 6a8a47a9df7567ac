package inject

import (
	"github.com/podpass-io/podpass/federation/serviceaccount"
)

// checkSkipList warns of names that skip nothing, and of a list that skips all.
func (pl *planner) checkSkipList() {
	if len(pl.skipped) == 0 {
		return
	}
	names := pl.names()
	all := len(names) > 0
	for name := range names {
		all = all && pl.skipped[name]
	}
	for _, skip := range pl.answer.SkipContainers {
		if names[skip] {
			continue
		}
		names[skip] = true // said once of a name on several lists
		pl.warn(serviceaccount.Problem{
			Code: codeUnknownSkip, Where: pl.where(), Value: skip, Message: "the list of containers to skip names one that the pod does not have",
			Fix: "correct the name; nothing needs to be done if another webhook adds that container",
		})
	}
	if all {
		pl.warn(serviceaccount.Problem{
			Code: codeAllSkipped, Where: pl.where(), Message: "its ServiceAccount asks for cloud identities, but each container is on the list of those to skip",
			Fix: "shorten the list, or label the pod podpass.io/inject=false",
		})
	}
}
