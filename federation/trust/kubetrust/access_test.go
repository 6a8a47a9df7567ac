package kubetrust

import (
	"testing"

	"github.com/google/go-cmp/cmp"
	rbacv1 "k8s.io/api/rbac/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

// TestAuthorize: forms that no API server of the conformance suite has, and what is said.
func TestAuthorize(t *testing.T) {
	group := []rbacv1.Subject{{Kind: "Group", APIGroup: "rbac.authorization.k8s.io", Name: "g"}}
	objects := RBAC{
		RoleBindings: []rbacv1.RoleBinding{
			{ObjectMeta: metav1.ObjectMeta{Name: "gone", Namespace: "shop"}, Subjects: group, RoleRef: rbacv1.RoleRef{Kind: "ClusterRole", Name: "gone"}},
			{ObjectMeta: metav1.ObjectMeta{Name: "edit", Namespace: "shop"}, Subjects: group, RoleRef: rbacv1.RoleRef{Kind: "ClusterRole", Name: "edit"}},
			{ObjectMeta: metav1.ObjectMeta{Name: "edit", Namespace: "web"}, RoleRef: rbacv1.RoleRef{Kind: "ClusterRole", Name: "edit"}},
		},
		ClusterRoles: []rbacv1.ClusterRole{
			{ObjectMeta: metav1.ObjectMeta{Name: "edit"}, AggregationRule: &rbacv1.AggregationRule{ClusterRoleSelectors: []metav1.LabelSelector{{MatchLabels: map[string]string{"to": "edit"}}}}},
			{ObjectMeta: metav1.ObjectMeta{Name: "part", Labels: map[string]string{"to": "edit"}}, Rules: []rbacv1.PolicyRule{{APIGroups: []string{""}, Resources: []string{"pods"}, Verbs: []string{"get"}}}},
		},
	}
	u := User{Username: "u", Groups: []string{"g"}}
	for name, test := range map[string]struct {
		user    User
		want    Access
		allowed bool
		by      string
		codes   []string
	}{
		"aggregated in files":   {u, Access{Verb: "get", Resource: "pods", Namespace: "shop"}, true, "RoleBinding shop/edit to ClusterRole edit", []string{"WI335"}},
		"another namespace":     {u, Access{Verb: "get", Resource: "pods", Namespace: "web"}, false, "", []string{"WI334"}},
		"all namespaces":        {u, Access{Verb: "get", Resource: "pods"}, false, "", []string{"WI334"}},
		"a path by RoleBinding": {u, Access{Verb: "get", Path: "/metrics", Namespace: "shop"}, false, "", []string{"WI334"}},
		"a role that is gone":   {u, Access{Verb: "delete", Resource: "pods", Namespace: "shop"}, false, "", []string{"WI335", "WI334"}},
		"system:masters":        {User{Groups: []string{"system:masters"}}, Access{Verb: "delete", Resource: "nodes"}, true, "group system:masters, before any authorizer", nil},
	} {
		t.Run(name, func(t *testing.T) {
			v := Authorize(objects, test.user, test.want)
			if v.Allowed != test.allowed || v.By != test.by {
				t.Errorf("%t by %q, want %t by %q", v.Allowed, v.By, test.allowed, test.by)
			}
			if diff := cmp.Diff(test.codes, append([]string(nil), codesOf(v.Findings)...)); diff != "" {
				t.Errorf("-want +got\n%s", diff)
			}
		})
	}
}

func TestParseAccess(t *testing.T) {
	for what, want := range map[string]Access{
		"pods":                       {Verb: "get", Resource: "pods"},
		"pods/log":                   {Verb: "get", Resource: "pods", Subresource: "log"},
		"deployments.apps":           {Verb: "get", Group: "apps", Resource: "deployments"},
		"deployments.apps/scale":     {Verb: "get", Group: "apps", Resource: "deployments", Subresource: "scale"},
		"leases.coordination.k8s.io": {Verb: "get", Group: "coordination.k8s.io", Resource: "leases"},
		"/healthz":                   {Verb: "get", Path: "/healthz"},
	} {
		got, err := ParseAccess("get", what)
		if err != nil || got != want {
			t.Errorf("%s: got %+v, %v", what, got, err)
		}
	}
	for _, what := range []string{"", "pods, secrets", ".apps"} {
		if got, err := ParseAccess("get", what); err == nil {
			t.Errorf("%q is taken for %+v", what, got)
		}
	}
}
