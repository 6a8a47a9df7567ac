package doctor

import (
	"fmt"
	"strings"

	"github.com/podpass-io/podpass/cmd/podpass/internal/hint"
)

// Target is what was named.
type Target struct {
	// Kind is one of kinds' values.
	Kind string
	Name string
}

func (t Target) String() string { return t.Kind + "/" + t.Name }

// Kinds of targets, as kubectl names them.
const (
	kindPod        = "pod"
	kindAccount    = "serviceaccount"
	kindNamespace  = "namespace"
	kindDeployment = "deployment"
)

var kinds = map[string]string{
	"pod": kindPod, "pods": kindPod, "po": kindPod,
	"serviceaccount": kindAccount, "serviceaccounts": kindAccount, "sa": kindAccount,
	"namespace": kindNamespace, "namespaces": kindNamespace, "ns": kindNamespace,
	"deployment": kindDeployment, "deployments": kindDeployment, "deploy": kindDeployment,
	"statefulset": "statefulset", "statefulsets": "statefulset", "sts": "statefulset",
	"daemonset": "daemonset", "daemonsets": "daemonset", "ds": "daemonset",
	"replicaset": "replicaset", "replicasets": "replicaset", "rs": "replicaset",
	"job": "job", "jobs": "job",
}

// ParseTargets reads the arguments as kubectl does: TYPE/NAME..., or TYPE NAME....
func ParseTargets(args []string) ([]Target, error) {
	usage := func(format string, a ...any) ([]Target, error) {
		return nil, hint.New(fmt.Errorf(format, a...), "name what to look at as kubectl does: pod/orders-1, deployment/orders, sa/orders or namespace/shop")
	}
	if len(args) > 1 && !strings.Contains(args[0], "/") {
		typed := make([]string, 0, len(args)-1)
		for _, name := range args[1:] {
			typed = append(typed, args[0]+"/"+name)
		}
		args = typed
	}
	var list []Target
	for _, arg := range args {
		kind, name, ok := strings.Cut(arg, "/")
		if !ok || name == "" || strings.Contains(name, "/") {
			return usage("%q names no object", arg)
		}
		known, ok := kinds[strings.ToLower(kind)]
		if !ok {
			return usage("%q is no kind of object that podpass looks at", kind)
		}
		list = append(list, Target{known, name})
	}
	return list, nil
}
