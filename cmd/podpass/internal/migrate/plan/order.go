package plan

import (
	"cmp"
	"slices"
)

// Turns of steps: what is cheap to take back goes first, and what stops a service if it
// goes wrong goes last.
const (
	turnRuns      = iota // starts now and then: a failure is one run's
	turnReplicas         // the replicas that are not yet changed serve on
	turnOrdered          // one pod after the other, each with its place
	turnCustom           // what its operator does is not known
	turnSingleton        // there is nothing else that serves
)

// turn of a workload of a kind with so many replicas.
func turn(kind string, replicas int) int {
	switch kind {
	case "Job", "CronJob", "PodTemplate":
		return turnRuns
	case "Deployment", "ReplicaSet", "ReplicationController":
		if replicas > 1 {
			return turnReplicas
		}
		return turnSingleton
	case "StatefulSet", "DaemonSet":
		return turnOrdered
	case "Pod":
		return turnSingleton
	}
	return turnCustom
}

// replicas that an object asks for: one if it does not say.
func replicas(object map[string]any) int {
	spec, _ := object["spec"].(map[string]any)
	if n, ok := spec["replicas"].(float64); ok {
		return int(n)
	}
	return 1
}

// sort by turn; within one, keys that nobody else has come first, since the last step of
// these is the last of the key.
func sortSteps(list []*draft) {
	slices.SortFunc(list, func(a, b *draft) int {
		return cmp.Or(cmp.Compare(a.turn, b.turn), cmp.Compare(a.users, b.users),
			cmp.Compare(a.Workload.Namespace, b.Workload.Namespace), cmp.Compare(a.Workload.Name, b.Workload.Name), cmp.Compare(a.Workload.Kind, b.Workload.Kind))
	})
}
