package kubetrust

import (
	"strings"
	"testing"

	rbacv1 "k8s.io/api/rbac/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

func TestBound(t *testing.T) {
	ada := User{Username: "acme:ada", Groups: []string{"acme:developers", "system:authenticated"}}
	group := func(name string) rbacv1.Subject { return rbacv1.Subject{Kind: "Group", Name: name} }
	for name, test := range map[string]struct {
		subject  rbacv1.Subject
		user     User
		bindings string
		said     string // of the one finding; empty: there is none
	}{
		"the group":                {group("acme:developers"), ada, "ClusterRoleBinding b", ""},
		"the user":                 {rbacv1.Subject{Kind: "User", Name: "acme:ada"}, ada, "ClusterRoleBinding b", ""},
		"everybody":                {group("system:authenticated"), ada, "", "has no binding for the user"},
		"without the prefix":       {group("developers"), ada, "", "is for group developers, which is almost"},
		"with another prefix":      {group("keycloak:developers"), ada, "", "is for group keycloak:developers, which is almost"},
		"with a slash":             {group("acme:/developers"), ada, "", "is for group acme:/developers, which is almost"},
		"without the colon":        {group("acmedevelopers"), ada, "", "is for group acmedevelopers, which is almost"},
		"with a dash":              {group("acme-developers"), ada, "", "is for group acme-developers, which is almost"},
		"in other letters":         {group("acme:Developers"), ada, "", "is for group acme:Developers, which is almost"},
		"a user of that name":      {rbacv1.Subject{Kind: "User", Name: "acme:developers"}, ada, "", "is for user acme:developers, which is almost"},
		"another group":            {group("acme:sre"), ada, "", "has no binding for the user"},
		"Kubernetes' own":          {group("system:developers"), ada, "", "has no binding for the user"},
		"a ServiceAccount":         {rbacv1.Subject{Kind: "ServiceAccount", Name: "ada", Namespace: "acme"}, ada, "", "has no binding for the user"},
		"nobody, and masters":      {group("acme:sre"), User{Username: "root", Groups: []string{"system:masters"}}, "", ""},
		"a ServiceAccount's token": {rbacv1.Subject{Kind: "ServiceAccount", Name: "ci", Namespace: "shop"}, User{Username: "system:serviceaccount:shop:ci"}, "ClusterRoleBinding b", ""},
	} {
		t.Run(name, func(t *testing.T) {
			r := RBAC{ClusterRoleBindings: []rbacv1.ClusterRoleBinding{{ObjectMeta: metav1.ObjectMeta{Name: "b"}, Subjects: []rbacv1.Subject{test.subject}}}}
			b := Bound(r, test.user)
			found := b.Missing(test.user)
			if got := strings.Join(b.For, ", "); got != test.bindings {
				t.Errorf("bindings %q, want %q", got, test.bindings)
			}
			if test.said == "" {
				if len(found) > 0 {
					t.Errorf("found %v", found)
				}
				return
			}
			if len(found) != 1 || found[0].Code != CodeUnbound || !strings.Contains(found[0].Message, test.said) {
				t.Errorf("found %v, want one that %q", found, test.said)
			}
		})
	}
}

// TestBoundNamespaced: a RoleBinding counts as much, and its ServiceAccounts are its own namespace's.
func TestBoundNamespaced(t *testing.T) {
	r := RBAC{RoleBindings: []rbacv1.RoleBinding{{ObjectMeta: metav1.ObjectMeta{Namespace: "shop", Name: "b"}, Subjects: []rbacv1.Subject{{Kind: "ServiceAccount", Name: "ci"}}}}}
	if b := Bound(r, User{Username: "system:serviceaccount:shop:ci"}); strings.Join(b.For, "") != "RoleBinding shop/b" {
		t.Errorf("got %+v", b)
	}
	if b := Bound(r, User{Username: "system:serviceaccount:payments:ci"}); len(b.For) > 0 {
		t.Errorf("got %+v for the ServiceAccount of another namespace", b)
	}
}

func TestBoundShowsFew(t *testing.T) {
	var r RBAC
	for range 50 {
		r.ClusterRoleBindings = append(r.ClusterRoleBindings, rbacv1.ClusterRoleBinding{Subjects: []rbacv1.Subject{{Kind: "Group", Name: "sre"}}})
	}
	if b := Bound(r, User{Username: "a:u", Groups: []string{"a:sre"}}); len(b.Near) != 5 {
		t.Errorf("%d findings, want 5", len(b.Near))
	}
}

func TestCollisions(t *testing.T) {
	for name, test := range map[string]struct {
		first, second string // username mappings
		want          int
	}{
		"prefixes that differ":      {`{claim: sub, prefix: "a:"}`, `{claim: sub, prefix: "b:"}`, 0},
		"one prefix":                {`{claim: sub, prefix: "a:"}`, `{claim: sub, prefix: "a:"}`, 1},
		"one is the other's begin":  {`{claim: sub, prefix: "a:"}`, `{claim: sub, prefix: "a:b:"}`, 1},
		"no prefix":                 {`{claim: sub, prefix: "a:"}`, `{claim: sub, prefix: ""}`, 1},
		"expressions":               {`{expression: "'a:' + claims.sub"}`, `{expression: "\"a:\" + claims.sub"}`, 1},
		"an expression and a claim": {`{expression: "'a:' + claims.sub"}`, `{claim: sub, prefix: "b:"}`, 0},
		"who knows":                 {`{expression: "claims.sub"}`, `{claim: sub, prefix: "b:"}`, 0},
	} {
		t.Run(name, func(t *testing.T) {
			d, found := Parse([]byte(`
apiVersion: apiserver.config.k8s.io/v1
kind: AuthenticationConfiguration
jwt:
- issuer: {url: "https://a.example.com", audiences: [a]}
  claimMappings: {username: `+test.first+`}
- issuer: {url: "https://b.example.com", audiences: [a]}
  claimMappings: {username: `+test.second+`}
`), Options{})
			if d == nil {
				t.Fatal(found)
			}
			got := Collisions(d)
			if len(got) != test.want {
				t.Errorf("found %v, want %d", got, test.want)
			}
			for _, f := range got {
				if f.Code != CodeCollision || f.Where != "jwt[0] https://a.example.com and jwt[1] https://b.example.com" {
					t.Errorf("found %v", f)
				}
			}
		})
	}
}
