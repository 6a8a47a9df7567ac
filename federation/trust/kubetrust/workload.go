package kubetrust

import (
	"fmt"
	"strings"

	v1 "k8s.io/apiserver/pkg/apis/apiserver/v1"
)

// serviceAccountSubject is what comes before namespace and name in the sub of every
// cluster's tokens.
const serviceAccountSubject = "system:serviceaccount:"

// pods gives the authenticator of another cluster: its ServiceAccount orders in shop is
// `<cluster>:system:serviceaccount:shop:orders` here, in the groups
// `<cluster>:system:serviceaccounts` and `<cluster>:system:serviceaccounts:shop`, as it is
// at home without the prefix.
func (r *renderer) pods(i Issuer) v1.JWTAuthenticator {
	a := r.begin(i)
	prefix := i.Name + ":"
	a.ClaimValidationRules = []v1.ClaimValidationRule{rule(
		fmt.Sprintf("claims.sub.startsWith(%s) && claims.sub.split(':').size() == 4", quoted(serviceAccountSubject)),
		"the token is not a ServiceAccount's")}
	a.ClaimMappings = v1.ClaimMappings{
		Username: v1.PrefixedClaimOrExpression{Expression: quoted(prefix) + " + claims.sub"},
		Groups: v1.PrefixedClaimOrExpression{Expression: fmt.Sprintf("[%s, %s + claims.sub.split(':')[2]]",
			quoted(prefix+"system:serviceaccounts"), quoted(prefix+"system:serviceaccounts:"))},
		// The UID tells an account that was deleted and made again from its predecessor.
		UID: v1.ClaimOrExpression{Expression: fmt.Sprintf("%s + claims[?'kubernetes.io'].?serviceaccount.?uid.orValue('')", quoted(prefix))},
		Extra: []v1.ExtraMapping{
			{Key: "podpass.io/pod-name", ValueExpression: "claims[?'kubernetes.io'].?pod.?name.orValue('')"},
			{Key: "podpass.io/pod-uid", ValueExpression: "claims[?'kubernetes.io'].?pod.?uid.orValue('')"},
		},
	}
	return a
}

// github gives the authenticator of GitHub Actions: anybody has tokens of its issuer, so
// that the owner is required. The user is the token's sub, which an organisation may
// change the form of; RBAC had better use the groups.
func (r *renderer) github(i Issuer) v1.JWTAuthenticator {
	a := r.begin(i)
	prefix := i.Name + ":"
	a.ClaimValidationRules = []v1.ClaimValidationRule{oneOf("repository_owner", i.Owners, "the repository is of another owner")}
	a.ClaimMappings = v1.ClaimMappings{
		Username: v1.PrefixedClaimOrExpression{Claim: "sub", Prefix: &prefix},
		Groups: v1.PrefixedClaimOrExpression{Expression: fmt.Sprintf(
			"[%s + claims.repository_owner, %s + claims.repository, %s + claims.repository + ':' + claims.ref] + (has(claims.environment) ? [%s + claims.repository + ':' + claims.environment] : [])",
			quoted(prefix+"owner:"), quoted(prefix+"repository:"), quoted(prefix+"ref:"), quoted(prefix+"environment:"))},
		Extra: []v1.ExtraMapping{{Key: "podpass.io/run", ValueExpression: "claims.?run_id.orValue('')"}, {Key: "podpass.io/actor", ValueExpression: "claims.?actor.orValue('')"}},
	}
	return a
}

// gitlab gives the authenticator of GitLab's pipelines, of gitlab.com or one's own.
func (r *renderer) gitlab(i Issuer) v1.JWTAuthenticator {
	a := r.begin(i)
	prefix := i.Name + ":"
	if len(i.Owners) > 0 {
		var list []string
		for _, o := range i.Owners {
			list = append(list, fmt.Sprintf("claims.project_path.startsWith(%s)", quoted(strings.TrimSuffix(o, "/")+"/")))
		}
		a.ClaimValidationRules = []v1.ClaimValidationRule{rule(strings.Join(list, " || "), "the project is of another group")}
	}
	a.ClaimMappings = v1.ClaimMappings{
		Username: v1.PrefixedClaimOrExpression{Claim: "sub", Prefix: &prefix},
		Groups: v1.PrefixedClaimOrExpression{Expression: fmt.Sprintf(
			"[%s + claims.namespace_path, %s + claims.project_path] + (claims.?ref_protected.orValue('') == 'true' ? [%s + claims.project_path] : [])",
			quoted(prefix+"namespace:"), quoted(prefix+"project:"), quoted(prefix+"protected:"))},
		Extra: []v1.ExtraMapping{{Key: "podpass.io/run", ValueExpression: "claims.?pipeline_id.orValue('')"}, {Key: "podpass.io/actor", ValueExpression: "claims.?user_login.orValue('')"}},
	}
	return a
}
