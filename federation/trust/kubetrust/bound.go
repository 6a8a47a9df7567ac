package kubetrust

import (
	"fmt"
	"slices"
	"strings"
	"unicode"

	rbacv1 "k8s.io/api/rbac/v1"

	"github.com/podpass-io/podpass/federation/finding"
)

// Bindings are what RBAC has for a user.
type Bindings struct {
	// For names those that are for the user or a group of the user's, but for everybody who
	// is authenticated.
	For []string
	// Near are findings about others, whose subjects are written almost like one of the
	// user's names.
	Near []finding.Finding
}

// maxNear bounds the findings about near misses: more say nothing new.
const maxNear = 5

// Bound looks for the bindings of a user.
func Bound(r RBAC, u User) Bindings {
	own := User{Username: u.Username, Groups: slices.DeleteFunc(slices.Clone(u.Groups), everybody)}
	var b Bindings
	look := func(binding, namespace string, subjects []rbacv1.Subject) {
		if isFor(subjects, own, namespace) {
			b.For = append(b.For, binding)
			return
		}
		for _, s := range subjects {
			if f, ok := almost(binding, s, own); ok && len(b.Near) < maxNear {
				b.Near = append(b.Near, f)
			}
		}
	}
	for _, c := range r.ClusterRoleBindings {
		look("ClusterRoleBinding "+c.Name, "", c.Subjects)
	}
	for _, c := range r.RoleBindings {
		look("RoleBinding "+c.Namespace+"/"+c.Name, c.Namespace, c.Subjects)
	}
	return b
}

// Missing are findings that a user has no binding: what is almost one, or that there is
// nothing like it. Members of system:masters need none.
func (b Bindings) Missing(u User) []finding.Finding {
	switch {
	case len(b.For) > 0 || slices.Contains(u.Groups, "system:masters"):
		return nil
	case len(b.Near) > 0:
		return b.Near
	}
	f := finding.Sides(finding.Bad(CodeUnbound, "RBAC", "has no binding for the user, nor for a group of the user's"), "", "user "+u.Username+", groups "+strings.Join(u.Groups, ", "))
	return []finding.Finding{finding.Fix(f, "bind one of the groups as it is written here; podpass trust kube -o rbac prints the usual rights")}
}

func everybody(group string) bool {
	return group == "system:authenticated" || group == "system:unauthenticated"
}

// almost reports whether a subject is a name of the user's but for its kind, a prefix, case
// or a slash at its begin.
func almost(binding string, s rbacv1.Subject, u User) (finding.Finding, bool) {
	if s.Kind != rbacv1.UserKind && s.Kind != rbacv1.GroupKind || strings.HasPrefix(s.Name, "system:") {
		return finding.Finding{}, false
	}
	for _, name := range append([]string{u.Username}, u.Groups...) {
		if !slices.ContainsFunc(bare(s.Name), func(b string) bool { return slices.Contains(bare(name), b) }) {
			continue
		}
		f := finding.Bad(CodeUnbound, binding, fmt.Sprintf("is for %s %s, which is almost a name of the user's, and names are compared to the letter", strings.ToLower(s.Kind), finding.Clip(s.Name)))
		return finding.Fix(finding.Sides(f, s.Name, name), "bind it as the token gives it, or change the prefix or the provider's mapper"), true
	}
	return finding.Finding{}, false
}

// bare is a name without what people forget or write otherwise: case, slashes, the colon
// of a prefix; and the same without a prefix.
func bare(name string) []string {
	plain := func(r rune) rune {
		if unicode.IsLetter(r) || unicode.IsDigit(r) {
			return unicode.ToLower(r)
		}
		return -1
	}
	all := []string{strings.Map(plain, name)}
	for {
		_, after, ok := strings.Cut(name, ":")
		if !ok || strings.Map(plain, after) == "" {
			return all
		}
		name = after
		all = append(all, strings.Map(plain, name))
	}
}
