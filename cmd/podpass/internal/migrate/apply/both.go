package apply

import (
	"context"
	"fmt"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"github.com/podpass-io/podpass/cmd/podpass/internal/hint"
	"github.com/podpass-io/podpass/cmd/podpass/internal/migrate/edit"
	"github.com/podpass-io/podpass/cmd/podpass/internal/migrate/plan"
	"github.com/podpass-io/podpass/federation/serviceaccount"
)

// both refuses a step where the webhook does not let pods have a key beside an identity.
// Pods that start between the first phase and the rollout would be denied, or lose a key
// without a proof that they need none; those that undo starts, too. With a new
// ServiceAccount no pod has both.
func (r *Runner) both(ctx context.Context, s plan.Step, object *unstructured.Unstructured) error {
	if s.ServiceAccount.New {
		return nil
	}
	a := s.ServiceAccount
	request := serviceaccount.Request{Namespace: a.Namespace, Name: a.Name, AnyPod: true}
	switch now, err := r.account(ctx, a.Namespace, a.Name); {
	case err != nil:
		return err
	case now != nil:
		request.Annotations, request.Labels = now.Annotations, now.Labels
	}
	for _, removal := range s.Removals {
		template, _ := edit.Template(object.Object, removal.Template)
		request.PodAnnotations, _, _ = unstructured.NestedStringMap(template, "metadata", "annotations") // of another shape: none
		policy := serviceaccount.Resolve(request, r.Settings.Installation).StaticKeys
		if policy != serviceaccount.StaticKeysWarn {
			return hint.New(
				fmt.Errorf("podpass's setting staticKeys is %q for the pods of %s: those that start before the rollout would not have their key any more", policy, s.Workload),
				fmt.Sprintf("kubectl annotate serviceaccount %s -n %s %s=%s, until all its workloads are done", a.Name, a.Namespace, serviceaccount.KeyStaticKeys, serviceaccount.StaticKeysWarn))
		}
	}
	return nil
}
