package apply

import (
	"context"
	"errors"
	"slices"
	"strings"

	"github.com/podpass-io/podpass/cmd/podpass/internal/access"
	"github.com/podpass-io/podpass/cmd/podpass/internal/hint"
	"github.com/podpass-io/podpass/cmd/podpass/internal/migrate/graph"
	"github.com/podpass-io/podpass/cmd/podpass/internal/migrate/plan"
	"github.com/podpass-io/podpass/federation/trust/kubetrust"
)

// right is one that a step needs.
type right struct{ namespace, group, resource, subresource, verb string }

func (r right) String() string {
	resource := r.resource
	if r.group != "" {
		resource += "." + r.group
	}
	if r.subresource != "" {
		resource += "/" + r.subresource
	}
	return r.verb + " " + resource + " in namespace " + r.namespace
}

// rights that a step needs, where something is to be done; to look, fewer.
func (r *Runner) rights(s plan.Step) ([]right, error) {
	n := s.Workload.Namespace
	gvr, err := r.Objects.Resource(s.Workload)
	if err != nil {
		return nil, err
	}
	need := map[string][]string{
		"serviceaccounts": {"get", "patch"},
		"secrets":         {"get", "list", "create", "update", "patch"},
		"pods":            {"get", "list", "create", "delete"},
	}
	if s.ServiceAccount.New {
		need["serviceaccounts"] = append(need["serviceaccounts"], "create")
	}
	if slices.ContainsFunc(s.Keys, func(k plan.Key) bool { return k.Object.Kind == "ConfigMap" }) {
		need["configmaps"] = []string{"get", "patch"}
	}
	all := []right{{n, "", "pods", "exec", "get"}, {n, "", "pods", "exec", "create"}}
	for resource, verbs := range need {
		for _, verb := range verbs {
			all = append(all, right{n, "", resource, "", verb})
		}
	}
	if s.Workload.Kind == "Deployment" {
		all = append(all, right{n, gvr.Group, "replicasets", "", "get"}) // between it and its pods
	}
	verbs := []string{"get"}
	switch {
	case recreated(s.Workload):
		verbs = append(verbs, "create", "delete")
	case s.Manager == "":
		verbs = append(verbs, "patch")
	}
	for _, verb := range verbs {
		all = append(all, right{n, gvr.Group, gvr.Resource, "", verb})
	}
	return all, nil
}

// checkRights says all rights at once that are missing, before anything is changed.
func (r *Runner) checkRights(ctx context.Context, steps []plan.Step) error {
	if !r.Approve {
		return nil // what is shown needs what it reads, and says so itself
	}
	asked := map[right]bool{}
	var missing []string
	for _, s := range steps {
		if len(s.ByHand) > 0 {
			continue
		}
		all, err := r.rights(s)
		if err != nil {
			return err
		}
		for _, one := range all {
			if asked[one] {
				continue
			}
			asked[one] = true
			answer, err := access.AskOwn(ctx, r.Client, kubetrust.Access{Namespace: one.namespace, Group: one.group, Resource: one.resource, Subresource: one.subresource, Verb: one.verb})
			if err != nil {
				return err
			}
			if !answer.Allowed {
				missing = append(missing, one.String())
			}
		}
	}
	if len(missing) == 0 {
		return nil
	}
	slices.Sort(missing)
	return hint.New(errors.New("you may not: "+strings.Join(missing, ", ")), "ask for these rights, or let somebody run it who has them; nothing has been changed")
}

// recreated reports whether objects of a kind cannot be changed in place.
func recreated(o graph.Object) bool {
	return o.Kind == "Job" && strings.HasPrefix(o.APIVersion, "batch/") || o.Kind == "Pod" && o.APIVersion == "v1"
}
