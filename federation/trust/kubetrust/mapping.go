package kubetrust

import (
	"context"
	"fmt"
	"strings"

	"k8s.io/apiserver/pkg/apis/apiserver"

	"github.com/podpass-io/podpass/federation/finding"
)

// mappings explains which of username, groups, uid and extra cannot be made of the token.
// The rules that passed stay, as an expression with an email is valid only with them.
func (e evaluation) mappings(where string, a apiserver.JWTAuthenticator, passed []apiserver.ClaimValidationRule, refuses func(apiserver.JWTAuthenticator) error) []finding.Finding {
	m := a.ClaimMappings
	var found []finding.Finding
	part := apiserver.JWTAuthenticator{ClaimValidationRules: passed}
	part.ClaimMappings.Username = m.Username
	if err := refuses(part); err != nil && e.stands(m.Username, len(passed) == len(a.ClaimValidationRules)) {
		found = append(found, e.username(where+" claimMappings.username", m.Username, err))
	}
	part.ClaimMappings = apiserver.ClaimMappings{Username: anyone, Groups: m.Groups}
	if err := refuses(part); err != nil {
		found = append(found, e.groups(where+" claimMappings.groups", m.Groups, err))
	}
	part.ClaimMappings = apiserver.ClaimMappings{Username: anyone, UID: m.UID}
	if err := refuses(part); err != nil {
		f := finding.Bad(CodeMapping, where+" claimMappings.uid", "gives no uid: "+finding.Clip(err.Error()))
		found = append(found, finding.Fix(f, "have the expression stand a claim that is absent: claims.?name.orValue('')"))
	}
	for n, x := range m.Extra {
		part.ClaimMappings = apiserver.ClaimMappings{Username: anyone, Extra: []apiserver.ExtraMapping{x}}
		if err := refuses(part); err != nil {
			f := finding.Bad(CodeMapping, fmt.Sprintf("%s claimMappings.extra[%d]", where, n), "gives no value: "+finding.Clip(err.Error()))
			found = append(found, finding.Fix(f, "have the expression stand a claim that is absent: claims.?name.orValue('')"))
		}
	}
	return found
}

// stands reports whether the username can be looked at by itself: an expression with the
// email is not valid without the rule or the extra that looks at email_verified.
func (e evaluation) stands(m apiserver.PrefixedClaimOrExpression, allPassed bool) bool {
	return allPassed || m.Claim != "" || !strings.Contains(m.Expression, "email")
}

func (e evaluation) username(where string, m apiserver.PrefixedClaimOrExpression, refusal error) finding.Finding {
	switch {
	case m.Claim == "email" && e.token.has("email") && e.token.has("email_verified"):
		f := finding.Sides(finding.Bad(CodeEmail, where, "takes no email that is not verified"), "email_verified true", "email_verified "+e.token.text("email_verified"))
		return finding.Fix(f, "have the provider verify the address, or take sub for the username")
	case m.Claim != "" && !e.token.has(m.Claim):
		f := finding.Sides(finding.Bad(CodeUsername, where, "is a claim that the token does not have"), m.Claim, "")
		return finding.Fix(f, "use sub, which every token has, or have the provider send the claim: a scope or a mapper")
	case m.Claim != "":
		f := finding.Sides(finding.Bad(CodeUsername, where, "is a claim that is not one string"), m.Claim, e.token.text(m.Claim))
		return finding.Fix(f, "use sub")
	}
	f := finding.Bad(CodeUsername, where, "gives no username: "+finding.Clip(refusal.Error()))
	return finding.Fix(f, "correct the expression; podpass trust kube prints those of the usual issuers")
}

func (e evaluation) groups(where string, m apiserver.PrefixedClaimOrExpression, refusal error) finding.Finding {
	switch {
	case m.Claim != "" && e.token.elsewhere(m.Claim):
		f := finding.Bad(CodeOverage, where, "are not in the token, which only says where to ask for them; the API server would ask there without access of its own, and podpass asks no network")
		return finding.Fix(finding.Sides(f, m.Claim, e.token.text("_claim_names")), "have Entra send only the groups assigned to the application, or application roles")
	case m.Claim != "":
		f := finding.Sides(finding.Bad(CodeGroups, where, "is a claim that is neither a string nor a list of strings"), m.Claim, e.token.text(m.Claim))
		return finding.Fix(f, "have the provider send the names alone, or use an expression")
	}
	f := finding.Bad(CodeGroups, where, "cannot be made of the token: "+finding.Clip(refusal.Error()))
	return finding.Fix(f, "have the expression stand a token without the claim: claims.?groups.orValue([])")
}

// userRules explains which rule refuses the user that the mappings make.
func (e evaluation) userRules(ctx context.Context, where string, a apiserver.JWTAuthenticator, passed []apiserver.ClaimValidationRule, refuses func(apiserver.JWTAuthenticator) error) []finding.Finding {
	part := a
	part.ClaimValidationRules, part.UserValidationRules = passed, nil
	user, err := e.authenticate(ctx, part)
	if err != nil {
		return nil
	}
	var found []finding.Finding
	for n, r := range a.UserValidationRules {
		part.UserValidationRules = []apiserver.UserValidationRule{r}
		err := refuses(part)
		if err == nil {
			continue
		}
		f := finding.Bad(CodeUserRule, fmt.Sprintf("%s userValidationRules[%d]", where, n), "refuses the user: "+finding.Clip(err.Error()))
		f = finding.Sides(f, r.Expression, "username "+user.Username+", groups "+strings.Join(user.Groups, ", "))
		found = append(found, finding.Fix(f, "give username and groups a prefix, or leave out of the token what the rule is against"))
	}
	return found
}
