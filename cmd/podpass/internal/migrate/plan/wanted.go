package plan

import (
	"errors"
	"fmt"
	"strings"

	"github.com/podpass-io/podpass/cmd/podpass/internal/exit"
	"github.com/podpass-io/podpass/cmd/podpass/internal/hint"
	"github.com/podpass-io/podpass/cmd/podpass/internal/migrate/graph"
)

// shortNames of kubectl.
var shortNames = map[string]string{
	"deploy": "deployment", "sts": "statefulset", "ds": "daemonset", "rs": "replicaset", "rc": "replicationcontroller", "cj": "cronjob", "po": "pod",
}

// wanted reports whether one of the names, TYPE/NAME as for kubectl, is a workload's.
func wanted(names []string) (func(graph.Object) bool, error) {
	if len(names) == 0 {
		return nil, nil
	}
	want := map[string]bool{}
	for _, n := range names {
		kind, name, ok := strings.Cut(n, "/")
		if !ok || kind == "" || name == "" {
			return nil, hint.New(fmt.Errorf("%q is not TYPE/NAME", n), "name workloads as deployment/orders")
		}
		kind, _, _ = strings.Cut(strings.ToLower(kind), ".") // without its group
		if long, ok := shortNames[kind]; ok {
			kind = long
		}
		want[kind+"/"+name] = true
	}
	return func(o graph.Object) bool {
		kind := strings.ToLower(o.Kind)
		return want[kind+"/"+o.Name] || want[kind+"s/"+o.Name]
	}, nil
}

// nothing is the error of a plan without steps.
func nothing(g *graph.Graph, names []string) error {
	if len(names) > 0 {
		return exit.Found(hint.New(fmt.Errorf("no static key is used by %s", strings.Join(names, ", ")), "see who uses keys with podpass migrate scan, and name the namespace with -n"))
	}
	if len(g.Credentials) > 0 {
		return exit.Found(hint.New(errors.New("no workload uses any of the static keys that there are"), "see them with podpass migrate scan, and delete them"))
	}
	return hint.New(errors.New("there is no static key to plan for"), "look in all namespaces with -A, and see with podpass migrate scan what was not read")
}
