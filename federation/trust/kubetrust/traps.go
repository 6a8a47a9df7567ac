package kubetrust

import (
	"slices"
	"strings"

	"k8s.io/apiserver/pkg/apis/apiserver"

	"github.com/podpass-io/podpass/federation/finding"
	"github.com/podpass-io/podpass/federation/trust"
)

// open are issuers that give tokens to anybody in the world.
var open = []string{googleIssuer, githubIssuer, gitlabIssuer, "https://login.microsoftonline.com/9188040d-6c67-4c5b-b112-36a304b66dad/v2.0"}

// changing are claims that people or administrators may give to somebody else.
var changing = []string{"email", "preferred_username", "upn", "name", "nickname", "unique_name"}

// traps is what of an authenticator is broader than it need be, or will surprise somebody,
// seen by a token that it takes.
func (e evaluation) traps(where string, a apiserver.JWTAuthenticator, u User) []finding.Finding {
	var found []finding.Finding
	find := func(f finding.Finding, next string) { found = append(found, finding.Fix(f, "%s", next)) }
	m, t := a.ClaimMappings, e.token
	for _, name := range append([]string{u.Username}, u.Groups...) {
		if strings.HasPrefix(name, "system:") && name != "system:authenticated" {
			find(finding.Sides(finding.Broad(CodeSystem, where, "makes the bearer one of Kubernetes' own: the provider decides who is"), "", name), "give username and groups a prefix, and refuse system: in userValidationRules")
			break
		}
	}
	if m.Username.Claim != "" && m.Username.Prefix != nil && *m.Username.Prefix == "" {
		find(finding.Sides(finding.Broad(CodePrefix, where+" claimMappings.username", "has no prefix, so that the provider may name any user there is"), "", u.Username), "give it a prefix that names the issuer")
	}
	if m.Groups.Claim != "" && m.Groups.Prefix != nil && *m.Groups.Prefix == "" {
		find(finding.Broad(CodePrefix, where+" claimMappings.groups", "has no prefix, so that the provider may name any group there is, system:masters too"), "give it a prefix that names the issuer")
	}
	if len(a.ClaimValidationRules) == 0 && slices.Contains(open, a.Issuer.URL) {
		find(finding.Broad(CodeAnybody, where, "gives tokens to anybody, and no claimValidationRule says whose are meant"), "require the owner, domain or tenant in claimValidationRules")
	}
	if strings.HasPrefix(t.subject, serviceAccountSubject) {
		for _, aud := range a.Issuer.Audiences {
			if trust.ForOthers(aud, a.Issuer.URL) {
				find(finding.Sides(finding.Broad(CodeBroadAudience, where+" audiences", "take tokens that pods have for another service, whose operator can use them here"), "", aud), "ask for tokens with an audience of this API server's own")
			}
		}
	}
	switch c := m.Username.Claim; {
	case c == "email" && !t.has("email_verified"):
		find(finding.Broad(CodeEmail, where+" claimMappings.username", "takes an email of which the token does not say that it was verified"), "require email_verified in claimValidationRules, or take sub")
	case slices.Contains(changing, c):
		find(finding.Sides(finding.Broad(CodeMoved, where+" claimMappings.username", "is a claim that may be given to somebody else one day"), "sub", c), "take sub")
	}
	return append(found, e.groupTraps(where+" claimMappings.groups", m.Groups, u)...)
}

func (e evaluation) groupTraps(where string, m apiserver.PrefixedClaimOrExpression, u User) []finding.Finding {
	if m.Claim == "" && m.Expression == "" {
		return nil
	}
	if e.token.elsewhere("groups") {
		return []finding.Finding{finding.Fix(finding.Broad(CodeOverage, where, "lack groups that the token only says where to ask for: the bearer has fewer rights than the provider says"), "have Entra send only the groups assigned to the application, or application roles")}
	}
	if m.Claim != "" && !e.token.has(m.Claim) {
		return []finding.Finding{finding.Fix(finding.Sides(finding.Note(CodeGroups, where, "is a claim that the token does not have, so that the bearer is in no group of the provider's"), m.Claim, ""), "have the provider send it: a scope (groups) or a mapper; RBAC for groups gives the bearer nothing")}
	}
	for _, g := range u.Groups {
		if m.Claim != "" && m.Prefix != nil && strings.HasPrefix(g, *m.Prefix+"/") {
			return []finding.Finding{finding.Fix(finding.Sides(finding.Note(CodeGroups, where, "are whole paths, which RBAC must name with the slash"), "", g), "switch full path off in the provider's group mapper, or bind the names as they come")}
		}
	}
	return nil
}
