package trustkube

import (
	"testing"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/kubernetes"

	"github.com/podpass-io/podpass/federation/trust/kubetrust"
)

// waitFor waits for what the API server's own copies have yet to see.
func waitFor(t *testing.T, done func() bool) {
	t.Helper()
	tick := time.NewTicker(100 * time.Millisecond)
	defer tick.Stop()
	for deadline := time.Now().Add(time.Minute); time.Now().Before(deadline); <-tick.C {
		if done() {
			return
		}
	}
	t.Fatal("the API server does not see the RBAC that was applied")
}

func accessUsers() map[string]kubetrust.User {
	in := func(name string, groups ...string) kubetrust.User {
		return kubetrust.User{Username: name, Groups: append(groups, "system:authenticated")}
	}
	return map[string]kubetrust.User{
		"a developer":           in("keycloak:u-1", "keycloak:developers"),
		"on call":               in("keycloak:u-2", "keycloak:sre"),
		"the platform":          in("keycloak:u-3", "keycloak:platform"),
		"somebody":              in("keycloak:u-4"),
		"without the prefix":    in("u-1", "developers", "sre", "platform"),
		"a pod":                 in("prod-eu:system:serviceaccount:shop:orders", "prod-eu:system:serviceaccounts", "prod-eu:system:serviceaccounts:shop"),
		"another pod":           in("prod-eu:system:serviceaccount:shop:web", "prod-eu:system:serviceaccounts"),
		"a pod of this cluster": in("system:serviceaccount:shop:local", "system:serviceaccounts", "system:serviceaccounts:shop"),
		"a master":              in("keycloak:u-5", "system:masters"),
	}
}

// promise is what the rendered rights are for.
type promise struct {
	user    string
	access  kubetrust.Access
	allowed bool
}

func promised() map[string]promise {
	return map[string]promise{
		"a developer edits at home":         {"a developer", kubetrust.Access{Verb: "patch", Group: "apps", Resource: "deployments", Namespace: "shop"}, true},
		"a developer does not elsewhere":    {"a developer", kubetrust.Access{Verb: "get", Group: "apps", Resource: "deployments", Namespace: "payroll"}, false},
		"a developer gives no rights":       {"a developer", kubetrust.Access{Verb: "create", Group: "rbac.authorization.k8s.io", Resource: "rolebindings", Namespace: "shop"}, false},
		"on call reads everywhere":          {"on call", kubetrust.Access{Verb: "list", Resource: "pods"}, true},
		"on call reads nodes":               {"on call", kubetrust.Access{Verb: "list", Resource: "nodes"}, true},
		"on call reads logs":                {"on call", kubetrust.Access{Verb: "get", Resource: "pods", Subresource: "log", Namespace: "payroll"}, true},
		"on call reads no Secrets":          {"on call", kubetrust.Access{Verb: "get", Resource: "secrets", Namespace: "shop"}, false},
		"on call changes nothing":           {"on call", kubetrust.Access{Verb: "delete", Resource: "pods", Namespace: "shop"}, false},
		"the platform may everything":       {"the platform", kubetrust.Access{Verb: "delete", Resource: "nodes"}, true},
		"a group without its prefix is not": {"without the prefix", kubetrust.Access{Verb: "list", Resource: "pods", Namespace: "shop"}, false},
	}
}

// questions are every verb of every kind of resource, in both namespaces and in none.
func questions() []kubetrust.Access {
	var all []kubetrust.Access
	for _, verb := range []string{"get", "list", "create", "update", "delete"} {
		for _, r := range []kubetrust.Access{
			{Resource: "pods"},
			{Resource: "pods", Subresource: "log"},
			{Resource: "pods", Subresource: "exec"},
			{Resource: "secrets"},
			{Resource: "secrets", Name: "orders"},
			{Resource: "secrets", Name: "other"},
			{Resource: "nodes"},
			{Resource: "serviceaccounts", Subresource: "token"},
			{Group: "apps", Resource: "deployments"},
			{Group: "apps", Resource: "deployments", Subresource: "scale"},
			{Group: "apps", Resource: "anything", Subresource: "scale"},
			{Group: "coordination.k8s.io", Resource: "leases"},
			{Group: "rbac.authorization.k8s.io", Resource: "rolebindings"},
			{Group: "metrics.k8s.io", Resource: "pods"},
			{Group: "authentication.k8s.io", Resource: "selfsubjectreviews"},
		} {
			for _, ns := range []string{"", "shop", "payroll"} {
				r.Verb, r.Namespace = verb, ns
				all = append(all, r)
			}
		}
		for _, path := range []string{"/metrics", "/metrics/slis", "/debug/pprof", "/debug", "/healthz", "/version", "/apis/apps"} {
			all = append(all, kubetrust.Access{Verb: verb, Path: path})
		}
	}
	return all
}

func readRBAC(t *testing.T, client kubernetes.Interface) kubetrust.RBAC {
	t.Helper()
	must := func(err error) {
		if err != nil {
			t.Fatal(err)
		}
	}
	api, all := client.RbacV1(), kubetrust.RBAC{}
	roles, err := api.Roles("").List(t.Context(), metav1.ListOptions{})
	must(err)
	bindings, err := api.RoleBindings("").List(t.Context(), metav1.ListOptions{})
	must(err)
	clusterRoles, err := api.ClusterRoles().List(t.Context(), metav1.ListOptions{})
	must(err)
	clusterBindings, err := api.ClusterRoleBindings().List(t.Context(), metav1.ListOptions{})
	must(err)
	all.Roles, all.RoleBindings, all.ClusterRoles, all.ClusterRoleBindings = roles.Items, bindings.Items, clusterRoles.Items, clusterBindings.Items
	return all
}
