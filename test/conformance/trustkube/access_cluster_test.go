package trustkube

import (
	"os"
	"path/filepath"
	"testing"

	authorizationv1 "k8s.io/api/authorization/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/podpass-io/podpass/federation/trust/kubetrust"
	"github.com/podpass-io/podpass/test/cluster"
)

// odd is RBAC of every form that a rule and a subject can have.
const odd = `
apiVersion: rbac.authorization.k8s.io/v1
kind: Role
metadata: {namespace: shop, name: one-secret}
rules:
- {apiGroups: [""], resources: [secrets], resourceNames: [orders], verbs: [get]}
- {apiGroups: ["apps"], resources: ["*/scale"], verbs: [update]}
- {apiGroups: ["*"], resources: [leases], verbs: ["*"]}
---
apiVersion: rbac.authorization.k8s.io/v1
kind: RoleBinding
metadata: {namespace: shop, name: one-secret}
roleRef: {apiGroup: rbac.authorization.k8s.io, kind: Role, name: one-secret}
subjects:
- {apiGroup: rbac.authorization.k8s.io, kind: User, name: "prod-eu:system:serviceaccount:shop:orders"}
- {kind: ServiceAccount, namespace: shop, name: local}
---
apiVersion: rbac.authorization.k8s.io/v1
kind: ClusterRole
metadata: {name: paths}
rules:
- {nonResourceURLs: ["/metrics", "/debug/*"], verbs: [get]}
---
apiVersion: rbac.authorization.k8s.io/v1
kind: ClusterRoleBinding
metadata: {name: paths}
roleRef: {apiGroup: rbac.authorization.k8s.io, kind: ClusterRole, name: paths}
subjects:
- {apiGroup: rbac.authorization.k8s.io, kind: Group, name: "prod-eu:system:serviceaccounts:shop"}
---
apiVersion: rbac.authorization.k8s.io/v1
kind: RoleBinding
metadata: {namespace: shop, name: dangling}
roleRef: {apiGroup: rbac.authorization.k8s.io, kind: Role, name: gone}
subjects:
- {apiGroup: rbac.authorization.k8s.io, kind: Group, name: "system:authenticated"}
`

// TestClusterAccess: of every question here Authorize says what the API server does, by
// the RBAC that is rendered for the usual rights, Kubernetes' own, and RBAC of odd forms.
func TestClusterAccess(t *testing.T) {
	c := cluster.Start(t, cluster.Options{Dir: filepath.Join(t.TempDir(), "kube"), ControlPlaneOnly: true})
	plan, found := kubetrust.Render(kubetrust.Spec{
		Issuers: presets[:1],
		Rights: []kubetrust.Right{
			{Pattern: kubetrust.Developers, Group: "keycloak:developers", Namespaces: []string{"shop"}},
			{Pattern: kubetrust.Readers, Group: "keycloak:sre"},
			{Pattern: kubetrust.Admins, Group: "keycloak:platform"},
		},
	}, kubetrust.Options{})
	if len(found) > 0 {
		t.Fatalf("found %v", found)
	}
	rendered, err := plan.RBAC()
	if err != nil {
		t.Fatal(err)
	}
	for _, ns := range []string{"shop", "payroll"} {
		if _, err := c.Kubectl(t.Context(), "create", "namespace", ns); err != nil {
			t.Fatal(err)
		}
	}
	for _, text := range []string{string(rendered), odd} {
		file := filepath.Join(t.TempDir(), "rbac.yaml")
		if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		if _, err := c.Kubectl(t.Context(), "apply", "-f", file); err != nil {
			t.Fatal(err)
		}
	}
	client := c.Client(t)
	ask := func(t *testing.T, u kubetrust.User, want kubetrust.Access) bool {
		t.Helper()
		spec := authorizationv1.SubjectAccessReviewSpec{User: u.Username, Groups: u.Groups}
		if want.Path != "" {
			spec.NonResourceAttributes = &authorizationv1.NonResourceAttributes{Path: want.Path, Verb: want.Verb}
		} else {
			spec.ResourceAttributes = &authorizationv1.ResourceAttributes{Verb: want.Verb, Group: want.Group, Resource: want.Resource, Subresource: want.Subresource, Name: want.Name, Namespace: want.Namespace}
		}
		answer, err := client.AuthorizationV1().SubjectAccessReviews().Create(t.Context(), &authorizationv1.SubjectAccessReview{Spec: spec}, metav1.CreateOptions{})
		if err != nil {
			t.Fatal(err)
		}
		return answer.Status.Allowed
	}
	users := accessUsers()
	// The server's own copy of RBAC follows what was applied; the last object is its end.
	waitFor(t, func() bool {
		return ask(t, users["a pod"], kubetrust.Access{Verb: "get", Path: "/debug/x"}) && ask(t, users["a developer"], kubetrust.Access{Verb: "list", Resource: "pods", Namespace: "shop"})
	})
	objects := readRBAC(t, client)
	for name, want := range promised() {
		t.Run(name, func(t *testing.T) {
			if got := ask(t, users[want.user], want.access); got != want.allowed {
				t.Errorf("the API server: %s may %s: %t, want %t", want.user, want.access, got, want.allowed)
			}
		})
	}
	asked, allowed := 0, 0
	for who, u := range users {
		for _, want := range questions() {
			server, own := ask(t, u, want), kubetrust.Authorize(objects, u, want)
			if asked++; server {
				allowed++
			}
			if server != own.Allowed {
				t.Errorf("%s, %s: the API server says %t, Authorize %t by %q", who, want, server, own.Allowed, own.By)
			}
		}
	}
	t.Logf("%d questions, %d of them allowed", asked, allowed)
	if allowed < 100 || asked-allowed < 100 {
		t.Errorf("%d of %d questions are allowed: they tell too little", allowed, asked)
	}
}
