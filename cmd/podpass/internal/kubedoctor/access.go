package kubedoctor

import (
	"context"
	"fmt"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/rest"

	"github.com/podpass-io/podpass/cmd/podpass/internal/access"
	"github.com/podpass-io/podpass/federation/finding"
	"github.com/podpass-io/podpass/federation/trust/kubetrust"
)

// access says what RBAC has for the user. What is wanted and allowed needs no explanation;
// a binding that is missing, or is written otherwise, explains what is not.
func (r *run) access(ctx context.Context) ([]finding.Finding, error) {
	b, found, err := r.bound(ctx)
	if err != nil {
		return nil, err
	}
	r.bindings = b.For
	missing := b.Missing(*r.user)
	if found != nil { // who may not look knows of none
		missing = nil
	}
	if r.Wanted == nil {
		return append(found, missing...), nil
	}
	allowed, err := r.allowed(ctx)
	switch {
	case err != nil:
		return nil, err
	case allowed:
		return nil, nil
	case len(missing) > 0:
		return missing, nil
	}
	found = append(found, kubetrust.Forbidden(*r.user, *r.Wanted))
	for _, f := range b.Near { // there are others, which may be what was meant
		f.Severity = finding.Info
		found = append(found, f)
	}
	return found, nil
}

// bound reads the bindings; a finding is that they may not be read.
func (r *run) bound(ctx context.Context) (kubetrust.Bindings, []finding.Finding, error) {
	var all kubetrust.RBAC
	rbac := r.client.RbacV1()
	clusterwide, err := rbac.ClusterRoleBindings().List(ctx, metav1.ListOptions{})
	if err == nil {
		all.ClusterRoleBindings = clusterwide.Items
		list, namespaced := rbac.RoleBindings(metav1.NamespaceAll).List(ctx, metav1.ListOptions{})
		if err = namespaced; err == nil {
			all.RoleBindings = list.Items
		}
	}
	if apierrors.IsForbidden(err) || apierrors.IsUnauthorized(err) {
		return kubetrust.Bindings{}, []finding.Finding{mayNot("list rolebindings and clusterrolebindings", "kubectl auth can-i list clusterrolebindings", "whether RBAC has something for the user is not known")}, nil
	}
	if err != nil {
		return kubetrust.Bindings{}, nil, fmt.Errorf("list bindings: %w", err)
	}
	return kubetrust.Bound(all, *r.user), nil, nil
}

// allowed asks the API server, as the bearer where it takes the token, so that nobody else
// needs a right.
func (r *run) allowed(ctx context.Context) (bool, error) {
	if r.answered == nil {
		answer, err := access.Ask(ctx, r.client, *r.user, *r.Wanted)
		return answer.Allowed, err
	}
	config := rest.AnonymousClientConfig(r.config)
	config.BearerToken = r.token
	client, err := kubernetes.NewForConfig(config)
	if err != nil {
		return false, err
	}
	answer, err := access.AskOwn(ctx, client, *r.Wanted)
	return answer.Allowed, err
}
