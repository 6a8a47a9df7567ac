package apply

import (
	"context"
	"errors"
	"fmt"
	"slices"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/labels"

	"github.com/podpass-io/podpass/cmd/podpass/internal/cluster"
	"github.com/podpass-io/podpass/cmd/podpass/internal/hint"
	"github.com/podpass-io/podpass/cmd/podpass/internal/migrate/plan"
	"github.com/podpass-io/podpass/cmd/podpass/internal/migrate/rollout"
)

const again = "make the plan again: podpass migrate plan"

// check refuses what must not begin, for all steps at once.
func (r *Runner) check(ctx context.Context, p *plan.Plan, steps []plan.Step) error {
	if err := r.checkCluster(ctx, p.Cluster); err != nil {
		return err
	}
	if err := r.checkRights(ctx, steps); err != nil {
		return err
	}
	var namespaces []string
	for _, s := range steps {
		if !slices.Contains(namespaces, s.Workload.Namespace) {
			namespaces = append(namespaces, s.Workload.Namespace)
		}
	}
	return r.checkInstallation(ctx, namespaces)
}

// checkCluster refuses the plan of another cluster: the same names may be others there.
func (r *Runner) checkCluster(ctx context.Context, uid string) error {
	if uid == "" {
		return hint.New(errors.New("the plan was made of files, and cannot be applied"), "make one of the cluster: podpass migrate plan without -f; or hand its patches to whoever keeps the files")
	}
	n, err := r.Client.CoreV1().Namespaces().Get(ctx, metav1.NamespaceSystem, metav1.GetOptions{})
	if err != nil {
		return fmt.Errorf("ask which cluster it is: %w", err)
	}
	if string(n.UID) != uid {
		return hint.New(errors.New("the plan is for another cluster"), "choose that one by --context, or "+again)
	}
	return nil
}

// checkInstallation refuses namespaces whose pods podpass does not inject.
func (r *Runner) checkInstallation(ctx context.Context, namespaces []string) error {
	list, err := cluster.Find(ctx, r.Client)
	if errors.Is(err, cluster.ErrNotInstalled) {
		return hint.New(err, "install it first; its pods would have no credentials")
	}
	if err != nil {
		return err
	}
	if slices.ContainsFunc(list, func(i cluster.Installation) bool { return i.Registration == nil }) {
		return nil // it may not be read; the canary will tell
	}
	var errs []error
	for _, name := range namespaces {
		n, err := r.Client.CoreV1().Namespaces().Get(ctx, name, metav1.GetOptions{})
		switch {
		case apierrors.IsForbidden(err): // the label that each has is enough nearly always
			n = &corev1.Namespace{ObjectMeta: metav1.ObjectMeta{Labels: map[string]string{corev1.LabelMetadataName: name}}}
		case err != nil:
			return fmt.Errorf("read namespace %s: %w", name, err)
		}
		selected, err := selects(list, n)
		switch {
		case err != nil:
			return err
		case !selected:
			errs = append(errs, hint.New(fmt.Errorf("podpass leaves the pods of namespace %s alone", name), "take it out of the installation's excludedNamespaces"))
		}
	}
	return errors.Join(errs...)
}

// selects reports whether an installation asks to be told of a namespace's pods.
func selects(list []cluster.Installation, n *corev1.Namespace) (bool, error) {
	for _, i := range list {
		for _, w := range i.Registration.Webhooks {
			if w.NamespaceSelector == nil {
				return true, nil
			}
			s, err := metav1.LabelSelectorAsSelector(w.NamespaceSelector)
			if err != nil {
				return false, fmt.Errorf("MutatingWebhookConfiguration %s %s: namespaceSelector: %w", i.Name, w.Name, err)
			}
			if s.Matches(labels.Set(n.Labels)) {
				return true, nil
			}
		}
	}
	return false, nil
}

// object reads the workload of a step, and refuses it if it is not as the plan has seen it.
func (r *Runner) object(ctx context.Context, s plan.Step) (*unstructured.Unstructured, error) {
	u, err := r.Objects.Get(ctx, s.Workload)
	if err != nil {
		return nil, err
	}
	if u == nil {
		return nil, hint.New(fmt.Errorf("%s is not there any more", s.Workload), again)
	}
	if err := rollout.Refused(u); err != nil {
		return nil, fmt.Errorf("%s: %w", s.Workload, err)
	}
	if s.Manager != "" {
		if gone, err := without(u, s); err != nil || gone {
			return u, err // its owner has done it
		}
	}
	digest, err := plan.Digest(u.Object, s.Removals)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", s.Workload, err)
	}
	if digest != s.From {
		return nil, hint.New(fmt.Errorf("the plan is stale: the pod template of %s has changed since it was made", s.Workload), again)
	}
	return u, nil
}
