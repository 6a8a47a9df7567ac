package inject

import (
	"fmt"

	"github.com/podpass-io/podpass/federation/serviceaccount"
)

const (
	// maxPatch is what etcd takes in one request unless it is configured otherwise
	// (--max-request-bytes): a pod to which more is added cannot be stored. Planning
	// stops there, since small containers make a patch a hundred times their size.
	maxPatch = 3 << 19 // 1.5 MiB
	// maxPod is what the API server takes in one request. What it has in etcd's 1.5 MiB
	// is about twice that as JSON.
	maxPod = 3 << 20
)

// fits reports, and fails, that the injected pod cannot be stored.
func (pl *planner) fits() bool {
	if len(pl.patch.json) <= maxPatch && pl.pod.size <= maxPod {
		return true
	}
	pl.tooLarge(fmt.Sprintf("%d bytes, and %d or more to be added", pl.pod.size, len(pl.patch.json)))
	return false
}

func (pl *planner) tooLarge(how string) { pl.fail(TooLarge(pl.where(), how)) }

// TooLarge is the problem of a pod that cannot be stored, or not with what its
// containers need; how says how large it is.
func TooLarge(where, how string) serviceaccount.Problem {
	return serviceaccount.Problem{
		Code: codeTooLarge, Where: where,
		Message: "the pod, or what its containers need for their identities, is larger than the cluster can store: " + how,
		Fix:     "give the pod fewer containers, skip those that need no identity by the annotation podpass.io/skip-containers, or label the pod podpass.io/inject=false",
	}
}
