package kubetrust

import (
	"bytes"
	"encoding/json"
	"fmt"
	"regexp"
	"slices"
	"strings"

	rbacv1 "k8s.io/api/rbac/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/util/validation"
	"sigs.k8s.io/yaml"

	"github.com/podpass-io/podpass/federation/finding"
)

// readerRole is what view leaves out and people on call want to see; never Secrets.
const readerRole = "podpass:read-cluster"

// readerRules are objects of the whole cluster, which the ClusterRole view, made to be
// bound in a namespace too, does not name.
func readerRules() []rbacv1.PolicyRule {
	read := []string{"get", "list", "watch"}
	return []rbacv1.PolicyRule{
		{APIGroups: []string{""}, Resources: []string{"nodes", "namespaces", "persistentvolumes"}, Verbs: read},
		{APIGroups: []string{"storage.k8s.io"}, Resources: []string{"storageclasses", "csidrivers", "csinodes", "volumeattachments"}, Verbs: read},
		{APIGroups: []string{"apiextensions.k8s.io"}, Resources: []string{"customresourcedefinitions"}, Verbs: read},
		{APIGroups: []string{"rbac.authorization.k8s.io"}, Resources: []string{"roles", "rolebindings", "clusterroles", "clusterrolebindings"}, Verbs: read},
		{APIGroups: []string{"metrics.k8s.io"}, Resources: []string{"nodes", "pods"}, Verbs: read},
	}
}

// right adds the RBAC of one pattern. Groups are never those of Kubernetes' own: nobody
// can take system:masters away again from who has a token with it.
func (r *renderer) right(where string, right Right) {
	wrong := func(message, next string) { r.find(finding.Fix(finding.Bad(CodePattern, where, message), "%s", next)) }
	prefix, _, prefixed := strings.Cut(right.Group, ":")
	switch {
	case right.Group == "":
		wrong("is for no group", "give group, with the issuer's name before it: keycloak:developers")
		return
	case strings.HasPrefix(right.Group, "system:"):
		wrong("is for a group of Kubernetes' own", "bind a group of the provider's to cluster-admin: pattern admins")
		return
	case !prefixed || !slices.ContainsFunc(r.plan.Issuers, func(p Planned) bool { return p.Name == prefix }):
		r.find(finding.Fix(finding.Sides(finding.Broad(CodePattern, where, "is for a group with the prefix of no issuer of the list"), "NAME:GROUP", right.Group), "write the issuer's name and a colon before the group"))
	}
	switch right.Pattern {
	case Developers:
		if len(right.Namespaces) == 0 {
			wrong("has no namespaces", "name those in which the group may edit")
		}
		for _, ns := range right.Namespaces {
			if len(validation.IsDNS1123Label(ns)) > 0 {
				wrong("names a namespace that can be none: "+finding.Clip(ns), "correct it")
				continue
			}
			r.plan.objects = append(r.plan.objects, roleBinding(ns, bindingName(Developers, right.Group), "edit", right.Group))
		}
	case Readers, Admins:
		if len(right.Namespaces) > 0 {
			wrong("has namespaces, and is for the whole cluster", "leave them out, or use pattern developers")
			return
		}
		if right.Pattern == Admins {
			r.plan.objects = append(r.plan.objects, clusterRoleBinding(bindingName(Admins, right.Group), "cluster-admin", right.Group))
			return
		}
		if !slices.ContainsFunc(r.plan.objects, func(o any) bool { c, ok := o.(rbacv1.ClusterRole); return ok && c.Name == readerRole }) {
			r.plan.objects = append(r.plan.objects, rbacv1.ClusterRole{
				TypeMeta: metav1.TypeMeta{APIVersion: rbacv1.SchemeGroupVersion.String(), Kind: "ClusterRole"}, ObjectMeta: metav1.ObjectMeta{Name: readerRole}, Rules: readerRules(),
			})
		}
		name := bindingName(Readers, right.Group)
		r.plan.objects = append(r.plan.objects, clusterRoleBinding(name, "view", right.Group), clusterRoleBinding(name+":cluster", readerRole, right.Group))
	default:
		r.find(finding.Fix(finding.Sides(finding.Bad(CodePattern, where, "has a pattern that is none"), strings.Join([]string{Developers, Readers, Admins}, ", "), right.Pattern), "correct it, or write the RBAC yourself"))
	}
}

var notInNames = regexp.MustCompile(`[/%]+`)

// bindingName is the same for the same group; names of RBAC take all but / and %.
func bindingName(pattern, group string) string {
	return "podpass:" + pattern + ":" + notInNames.ReplaceAllString(group, "-")
}

func subjects(group string) []rbacv1.Subject {
	return []rbacv1.Subject{{Kind: rbacv1.GroupKind, APIGroup: rbacv1.GroupName, Name: group}}
}

func clusterRoleBinding(name, role, group string) rbacv1.ClusterRoleBinding {
	return rbacv1.ClusterRoleBinding{
		TypeMeta: metav1.TypeMeta{APIVersion: rbacv1.SchemeGroupVersion.String(), Kind: "ClusterRoleBinding"}, ObjectMeta: metav1.ObjectMeta{Name: name},
		Subjects: subjects(group), RoleRef: rbacv1.RoleRef{APIGroup: rbacv1.GroupName, Kind: "ClusterRole", Name: role},
	}
}

func roleBinding(namespace, name, role, group string) rbacv1.RoleBinding {
	return rbacv1.RoleBinding{
		TypeMeta: metav1.TypeMeta{APIVersion: rbacv1.SchemeGroupVersion.String(), Kind: "RoleBinding"}, ObjectMeta: metav1.ObjectMeta{Name: name, Namespace: namespace},
		Subjects: subjects(group), RoleRef: rbacv1.RoleRef{APIGroup: rbacv1.GroupName, Kind: "ClusterRole", Name: role},
	}
}

// RBAC is the rights as YAML, for kubectl apply; empty without rights.
func (p *Plan) RBAC() ([]byte, error) {
	var b bytes.Buffer
	for n, o := range p.objects {
		raw, err := json.Marshal(o)
		if err != nil {
			return nil, fmt.Errorf("writing RBAC: %w", err)
		}
		var tree map[string]any
		if err := json.Unmarshal(raw, &tree); err != nil {
			return nil, fmt.Errorf("writing RBAC: %w", err)
		}
		text, err := yaml.Marshal(pruned(tree))
		if err != nil {
			return nil, fmt.Errorf("writing RBAC: %w", err)
		}
		if n > 0 {
			b.WriteString("---\n")
		}
		b.Write(text)
	}
	return b.Bytes(), nil
}
