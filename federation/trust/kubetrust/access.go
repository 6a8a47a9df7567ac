package kubetrust

import (
	"fmt"
	"slices"
	"strings"

	rbacv1 "k8s.io/api/rbac/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/labels"

	"github.com/podpass-io/podpass/federation/finding"
	"github.com/podpass-io/podpass/federation/trust"
)

// Access is what a user wants to do: something to a resource, or to a path that is none.
type Access struct {
	Verb        string `json:"verb"`
	Group       string `json:"group,omitempty"`
	Resource    string `json:"resource,omitempty"`
	Subresource string `json:"subresource,omitempty"`
	Name        string `json:"name,omitempty"`
	Namespace   string `json:"namespace,omitempty"` // empty: of the cluster, or of all namespaces
	Path        string `json:"path,omitempty"`      // instead of a resource: /healthz
}

// String says it as people do: "get pods/log of shop".
func (a Access) String() string {
	if a.Path != "" {
		return a.Verb + " " + a.Path
	}
	s := a.Verb + " " + a.Resource
	if a.Group != "" {
		s += "." + a.Group
	}
	if a.Subresource != "" {
		s += "/" + a.Subresource
	}
	if a.Name != "" {
		s += " " + a.Name
	}
	if a.Namespace != "" {
		s += " in " + a.Namespace
	}
	return s
}

// RBAC is what a cluster has of it.
type RBAC struct {
	Roles               []rbacv1.Role
	RoleBindings        []rbacv1.RoleBinding
	ClusterRoles        []rbacv1.ClusterRole
	ClusterRoleBindings []rbacv1.ClusterRoleBinding
}

// Authorize says whether RBAC lets a user do something, and by which binding. The API
// server's own authorizer cannot be imported; this one is held against its answers. What
// other authorizers of a server say (webhooks, Node) is not known here.
func Authorize(r RBAC, u User, want Access) trust.Verdict {
	var broken []finding.Finding
	judge := func(binding string, ref rbacv1.RoleRef, namespace string) (string, bool) {
		rules, ok := r.rules(ref, namespace)
		if !ok {
			f := finding.Broad(CodeRoleMissing, binding, "is for the user, and its "+ref.Kind+" "+finding.Clip(ref.Name)+" was not given")
			broken = append(broken, finding.Fix(f, "give it too: kubectl get %s %s -o yaml", strings.ToLower(ref.Kind), finding.Clip(ref.Name)))
			return "", false
		}
		if slices.ContainsFunc(rules, func(rule rbacv1.PolicyRule) bool { return covers(rule, want) }) {
			return binding + " to " + ref.Kind + " " + ref.Name, true
		}
		return "", false
	}
	if slices.Contains(u.Groups, "system:masters") {
		return trust.Verdict{Allowed: true, By: "group system:masters, before any authorizer"}
	}
	for _, b := range r.ClusterRoleBindings {
		if isFor(b.Subjects, u, "") {
			if by, ok := judge("ClusterRoleBinding "+b.Name, b.RoleRef, ""); ok {
				return trust.Verdict{Allowed: true, By: by, Findings: broken}
			}
		}
	}
	if want.Namespace != "" && want.Path == "" {
		for _, b := range r.RoleBindings {
			if b.Namespace == want.Namespace && isFor(b.Subjects, u, b.Namespace) {
				if by, ok := judge("RoleBinding "+b.Namespace+"/"+b.Name, b.RoleRef, b.Namespace); ok {
					return trust.Verdict{Allowed: true, By: by, Findings: broken}
				}
			}
		}
	}
	return trust.Verdict{Findings: append(broken, Forbidden(u, want))}
}

// Forbidden is what is said of a user who may not do something.
func Forbidden(u User, want Access) finding.Finding {
	f := finding.Sides(finding.Bad(CodeForbidden, "RBAC", "lets the user not "+want.String()), "", "user "+u.Username+", groups "+strings.Join(u.Groups, ", "))
	return finding.Fix(f, "bind one of the groups, with its prefix, to a role that has it; podpass trust kube -o rbac prints the usual ones")
}

// isFor reports whether one of the subjects is the user. A ServiceAccount without a
// namespace is of the binding's.
func isFor(list []rbacv1.Subject, u User, namespace string) bool {
	return slices.ContainsFunc(list, func(s rbacv1.Subject) bool {
		switch s.Kind {
		case rbacv1.UserKind:
			return u.Username == s.Name
		case rbacv1.GroupKind:
			return slices.Contains(u.Groups, s.Name)
		case rbacv1.ServiceAccountKind:
			ns := s.Namespace
			if ns == "" {
				ns = namespace
			}
			return ns != "" && u.Username == serviceAccountSubject+ns+":"+s.Name
		}
		return false
	})
}

// rules of a role; false: it is not there.
func (r RBAC) rules(ref rbacv1.RoleRef, namespace string) ([]rbacv1.PolicyRule, bool) {
	switch ref.Kind {
	case "Role":
		for _, role := range r.Roles {
			if role.Name == ref.Name && role.Namespace == namespace {
				return role.Rules, true
			}
		}
	case "ClusterRole":
		for _, role := range r.ClusterRoles {
			if role.Name == ref.Name {
				return r.aggregated(role), true
			}
		}
	}
	return nil, false
}

// aggregated are a ClusterRole's rules and those that the cluster's controller copies into
// it, which files may not have yet.
func (r RBAC) aggregated(role rbacv1.ClusterRole) []rbacv1.PolicyRule {
	if role.AggregationRule == nil {
		return role.Rules
	}
	rules := slices.Clone(role.Rules)
	for _, s := range role.AggregationRule.ClusterRoleSelectors {
		selector, err := metav1.LabelSelectorAsSelector(&s)
		if err != nil {
			continue // the controller aggregates nothing by it, either
		}
		for _, other := range r.ClusterRoles {
			if other.Name != role.Name && selector.Matches(labels.Set(other.Labels)) {
				rules = append(rules, other.Rules...)
			}
		}
	}
	return rules
}

// covers reports whether a rule allows what is wanted.
// https://kubernetes.io/docs/reference/access-authn-authz/rbac/#referring-to-resources
func covers(rule rbacv1.PolicyRule, want Access) bool {
	has := func(list []string, one string) bool { return slices.Contains(list, "*") || slices.Contains(list, one) }
	if !has(rule.Verbs, want.Verb) {
		return false
	}
	if want.Path != "" {
		return slices.ContainsFunc(rule.NonResourceURLs, func(u string) bool {
			start, all := strings.CutSuffix(u, "*")
			return u == want.Path || all && strings.HasPrefix(want.Path, start)
		})
	}
	resource := want.Resource
	if want.Subresource != "" {
		resource += "/" + want.Subresource
	}
	return has(rule.APIGroups, want.Group) &&
		(has(rule.Resources, resource) || want.Subresource != "" && slices.Contains(rule.Resources, "*/"+want.Subresource)) &&
		(len(rule.ResourceNames) == 0 || slices.Contains(rule.ResourceNames, want.Name))
}

// ParseAccess reads VERB and RESOURCE[.GROUP][/SUBRESOURCE], or a path.
func ParseAccess(verb, what string) (Access, error) {
	if strings.HasPrefix(what, "/") {
		return Access{Verb: verb, Path: what}, nil
	}
	resource, subresource, _ := strings.Cut(what, "/")
	resource, group, _ := strings.Cut(resource, ".")
	if verb == "" || resource == "" || strings.ContainsAny(what, " ,") {
		return Access{}, fmt.Errorf("%q of %q is no verb and resource: want get and deployments.apps/scale, or get and /healthz", verb, what)
	}
	return Access{Verb: verb, Group: group, Resource: resource, Subresource: subresource}, nil
}
