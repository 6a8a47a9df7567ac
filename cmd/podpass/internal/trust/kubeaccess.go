package trust

import (
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"io"

	rbacv1 "k8s.io/api/rbac/v1"

	"github.com/podpass-io/podpass/cmd/podpass/internal/access"
	"github.com/podpass-io/podpass/cmd/podpass/internal/hint"
	"github.com/podpass-io/podpass/cmd/podpass/internal/manifest"
	"github.com/podpass-io/podpass/federation/finding"
	"github.com/podpass-io/podpass/federation/trust"
	"github.com/podpass-io/podpass/federation/trust/kubetrust"
)

// kubeAccess is what the bearer wants, and whether it may.
type kubeAccess struct {
	Wanted string `json:"wanted"`
	trust.Verdict
}

func (a kubeAccess) said() string {
	if a.Allowed {
		return "may " + a.Wanted + ": " + cmp.Or(a.By, "the cluster gives no reason")
	}
	return "may not " + a.Wanted
}

func (o kubeCheckOptions) access(ctx context.Context, stdin io.Reader, want kubetrust.Access, u kubetrust.User) (*kubeAccess, error) {
	if len(o.rbac) > 0 {
		objects, err := readRBAC(stdin, o.rbac)
		if err != nil {
			return nil, err
		}
		return &kubeAccess{want.String(), kubetrust.Authorize(objects, u, want)}, nil
	}
	k, err := connect(o.cluster, "--issuer")
	if err != nil {
		return nil, err
	}
	if want.Path == "" {
		want.Namespace = k.namespace
	}
	verdict, err := k.ask(ctx, want, u)
	return &kubeAccess{want.String(), verdict}, err
}

// ask has the cluster answer, all of its authorizers.
func (k *kube) ask(ctx context.Context, want kubetrust.Access, u kubetrust.User) (trust.Verdict, error) {
	answer, err := access.Ask(ctx, k.client, u, want)
	if err != nil {
		return trust.Verdict{}, hint.New(err, "use the context of an administrator, or give RBAC objects with --rbac")
	}
	if answer.Allowed {
		return trust.Verdict{Allowed: true, By: answer.Reason}, nil
	}
	return trust.Verdict{Findings: []finding.Finding{kubetrust.Forbidden(u, want)}}, nil
}

// readRBAC reads the RBAC objects of files and leaves out others.
func readRBAC(stdin io.Reader, files []string) (kubetrust.RBAC, error) {
	var all kubetrust.RBAC
	list, err := manifest.Read(stdin, files)
	if err != nil {
		return all, fmt.Errorf("--rbac: %w", err)
	}
	for _, o := range list {
		switch o.Kind {
		case "Role":
			err = add(&all.Roles, o)
		case "RoleBinding":
			err = add(&all.RoleBindings, o)
		case "ClusterRole":
			err = add(&all.ClusterRoles, o)
		case "ClusterRoleBinding":
			err = add(&all.ClusterRoleBindings, o)
		}
		if err != nil {
			return all, fmt.Errorf("--rbac: %s: %s: %w", o.File, o, err)
		}
	}
	return all, nil
}

func add[T rbacv1.Role | rbacv1.RoleBinding | rbacv1.ClusterRole | rbacv1.ClusterRoleBinding](list *[]T, o manifest.Object) error {
	var one T
	if err := json.Unmarshal(o.Raw, &one); err != nil {
		return err
	}
	*list = append(*list, one)
	return nil
}
