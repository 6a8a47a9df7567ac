package kubetrust

import (
	"cmp"
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strings"

	v1 "k8s.io/apiserver/pkg/apis/apiserver/v1"

	"github.com/podpass-io/podpass/federation/finding"
)

// people are what is particular about each provider for people.
var people = map[string]struct {
	// username is a claim that stays the person's: RBAC and audit logs must not speak of
	// somebody else when an email is given to the next. Entra's sub differs from
	// application to application, its oid does not.
	username string
	groups   string
	// shown is what an audit log may have besides; nobody gets a right by it.
	shown string
}{
	Keycloak: {"sub", "groups", "preferred_username"},
	Okta:     {"sub", "groups", "preferred_username"},
	Entra:    {"oid", "groups", "preferred_username"},
	// Google puts no groups into tokens: rights are by user, or by groups of another way.
	Google: {"sub", "", "email"},
	Auth0:  {"sub", "https://podpass.io/groups", "nickname"}, // groups itself Auth0 leaves out without a word
	OIDC:   {"sub", "groups", "preferred_username"},
}

var guid = regexp.MustCompile(`^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$`)

// shownKey of user.extra is a name that people recognise.
const shownKey = "podpass.io/shown-name"

// person gives the authenticator of a provider for people.
func (r *renderer) person(where string, i Issuer) v1.JWTAuthenticator {
	p := people[i.Preset]
	a := r.begin(i)
	prefix := i.Name + ":"
	username, groups := cmp.Or(i.UsernameClaim, p.username), cmp.Or(i.GroupsClaim, p.groups)
	a.ClaimMappings.Username = v1.PrefixedClaimOrExpression{Claim: username, Prefix: &prefix}
	switch username {
	case "email":
		// The server looks at email_verified only where there is one.
		a.ClaimValidationRules = append(a.ClaimValidationRules, rule(verifiedRule, "the email is not verified"))
		r.find(finding.Fix(finding.Broad(CodeMoved, where, "takes the email for the username, which the provider may give to somebody else one day"), "leave usernameClaim out"))
	case "preferred_username", "upn", "name", "nickname", "unique_name":
		r.find(finding.Fix(finding.Sides(finding.Broad(CodeMoved, where, "takes a claim for the username that people or administrators may change"), p.username, username), "leave usernameClaim out"))
	}
	if groups != "" {
		a.ClaimMappings.Groups = v1.PrefixedClaimOrExpression{Claim: groups, Prefix: &prefix}
	}
	if len(i.GroupNames) > 0 {
		a.ClaimMappings.Groups = v1.PrefixedClaimOrExpression{Expression: named(groups, prefix, i.GroupNames)}
	}
	if p.shown != "" && p.shown != username {
		a.ClaimMappings.Extra = []v1.ExtraMapping{{Key: shownKey, ValueExpression: fmt.Sprintf("claims.?%s.orValue('')", p.shown)}}
	}
	switch i.Preset {
	case Entra:
		a.ClaimValidationRules = append(a.ClaimValidationRules,
			v1.ClaimValidationRule{Claim: "tid", RequiredValue: i.Tenant})
		if groups == "groups" && a.ClaimMappings.Groups.Claim != "" {
			// Above 200 groups the token only says where to ask for them, of which an API
			// server can make nothing. With groups.claim it would try, without access, and
			// its error would not tell.
			a.ClaimMappings.Groups = v1.PrefixedClaimOrExpression{Expression: named(groups, prefix, nil)}
		}
		if groups == "groups" {
			a.ClaimValidationRules = append(a.ClaimValidationRules, rule(overageRule,
				"the person has more groups than Entra puts into a token: have it send the groups assigned to the application only, or application roles"))
		}
	case Google:
		a.ClaimValidationRules = append(a.ClaimValidationRules, oneOf("hd", i.Domains, "the account is of another Google Workspace"))
	}
	return a
}

// verifiedRule wants the provider's word for the email.
const verifiedRule = "claims.?email_verified.orValue(false) == true"

// overageRule refuses tokens that only say where their groups are.
const overageRule = "!has(claims._claim_names) || !('groups' in claims._claim_names)"

// named gives groups their names where there is one; a token need not have groups. (The
// server compiles 'groups' in claims, too, and then fails to evaluate it for every token.)
func named(claim, prefix string, names map[string]string) string {
	if len(names) == 0 {
		return fmt.Sprintf("dyn(claims[?%s].orValue([])).map(g, %s + g)", quoted(claim), quoted(prefix))
	}
	var pairs []string
	for _, id := range slices.Sorted(maps.Keys(names)) {
		pairs = append(pairs, quoted(id)+": "+quoted(names[id]))
	}
	table := "{" + strings.Join(pairs, ", ") + "}"
	return fmt.Sprintf("dyn(claims[?%s].orValue([])).map(g, %s + (g in %s ? %s[g] : g))", quoted(claim), quoted(prefix), table, table)
}

func rule(expression, message string) v1.ClaimValidationRule {
	return v1.ClaimValidationRule{Expression: expression, Message: message}
}

// oneOf requires a claim; of one value it is what the flags of older API servers say, too.
func oneOf(claim string, values []string, message string) v1.ClaimValidationRule {
	if len(values) == 1 {
		return v1.ClaimValidationRule{Claim: claim, RequiredValue: values[0]}
	}
	var list []string
	for _, v := range values {
		list = append(list, quoted(v))
	}
	return rule(fmt.Sprintf("claims.?%s.orValue('') in [%s]", claim, strings.Join(list, ", ")), message)
}

// quoted is a CEL string. What goes in was checked to have no control characters.
func quoted(s string) string {
	return "'" + strings.NewReplacer(`\`, `\\`, `'`, `\'`).Replace(s) + "'"
}
