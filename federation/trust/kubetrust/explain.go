package kubetrust

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"k8s.io/apiserver/pkg/apis/apiserver"
	"k8s.io/apiserver/plugin/pkg/authenticator/token/oidc"

	"github.com/podpass-io/podpass/federation/finding"
	"github.com/podpass-io/podpass/federation/trust"
)

// anyone is a mapping that always gives a user, for looking at the rest.
var anyone = apiserver.PrefixedClaimOrExpression{Expression: "'anyone'"}

// explain says what of an authenticator refuses the token. The server stops at the first
// reason, and its error is a text: so parts of the authenticator are asked one by one, in
// its order, and each that refuses the token is a finding.
func (e evaluation) explain(ctx context.Context, where string, a apiserver.JWTAuthenticator, refusal error) []finding.Finding {
	refuses := func(part apiserver.JWTAuthenticator) error {
		part.Issuer = a.Issuer
		_, err := e.authenticate(ctx, part)
		return err
	}
	bare := apiserver.JWTAuthenticator{ClaimMappings: apiserver.ClaimMappings{Username: anyone}}
	if refuses(bare) != nil {
		if found := e.verification(where, a); found != nil {
			return found
		}
		return []finding.Finding{e.unexplained(where, refusal)}
	}
	var found []finding.Finding
	var passed []apiserver.ClaimValidationRule
	for n, r := range a.ClaimValidationRules {
		part := bare
		part.ClaimValidationRules = []apiserver.ClaimValidationRule{r}
		if err := refuses(part); err != nil {
			found = append(found, e.claimRule(fmt.Sprintf("%s claimValidationRules[%d]", where, n), r, err))
		} else {
			passed = append(passed, r)
		}
	}
	mappings := e.mappings(where, a, passed, refuses)
	found = append(found, mappings...)
	if len(mappings) == 0 {
		found = append(found, e.userRules(ctx, where, a, passed, refuses)...)
	}
	if len(found) == 0 {
		return []finding.Finding{e.unexplained(where, refusal)}
	}
	return found
}

func (e evaluation) unexplained(where string, refusal error) finding.Finding {
	return finding.Fix(finding.Bad(CodeRefused, where, "refuses the token: "+finding.Clip(refusal.Error())), "these are the API server's own words, which its log has, too")
}

// verification explains a token that is refused whatever the rules are: in the server's
// order algorithm, keys, audience, time. Without the first two the rest is not known.
func (e evaluation) verification(where string, a apiserver.JWTAuthenticator) []finding.Finding {
	t := e.token
	if algorithms := oidc.AllValidSigningAlgorithms(); !slices.Contains(algorithms, t.algorithm) {
		f := finding.Sides(finding.Bad(CodeAlgorithm, where, "takes no token with this algorithm"), strings.Join(algorithms, ", "), t.algorithm)
		return []finding.Finding{finding.Fix(f, "have the issuer sign with RS256 or ES256")}
	}
	if _, err := e.keys.VerifySignature(context.Background(), t.raw); err != nil {
		f := finding.Bad(CodeSignature, where, "has no key that verifies the token")
		if e.set != nil {
			f = finding.Sides(f, "kid "+strings.Join(e.set.ids(), ", "), "kid "+t.keyID)
		}
		return []finding.Finding{finding.Fix(f, "see that the keys are the issuer's current ones, and the token is whole")}
	}
	var found []finding.Finding
	if want := a.Issuer.Audiences; !slices.ContainsFunc(t.audiences, func(got string) bool { return slices.Contains(want, got) }) {
		f := finding.Sides(finding.Bad(CodeAudience, where+" audiences", "have none of the token's"), strings.Join(want, ", "), strings.Join(t.audiences, ", "))
		f = finding.Fix(f, "ask for a token with the audience, or add the client that people use to audiences")
		for _, w := range want {
			for _, got := range t.audiences {
				if way := trust.Spelling(w, got); way != "" {
					f = finding.Fix(finding.Sides(finding.Bad(CodeAudienceSpelling, where+" audiences", "differ from the token's in "+way), w, got), "write the audience as the token has it")
				}
			}
		}
		found = append(found, f)
	}
	now := time.Now()
	switch {
	case t.expiry.IsZero() && !t.described:
		found = append(found, finding.Fix(finding.Bad(CodeExpired, "token", "has no exp, and is taken for expired"), "have the issuer give its tokens an end"))
	case !t.expiry.IsZero() && t.expiry.Before(now):
		f := finding.Sides(finding.Bad(CodeExpired, "token", "has expired"), "after "+now.UTC().Format(time.RFC3339), t.expiry.UTC().Format(time.RFC3339))
		found = append(found, finding.Fix(f, "get a new one; if it is new, compare the clocks"))
	case t.notBefore.After(now):
		f := finding.Sides(finding.Bad(CodeExpired, "token", "is not valid yet"), "before "+now.UTC().Format(time.RFC3339), t.notBefore.UTC().Format(time.RFC3339))
		found = append(found, finding.Fix(f, "compare the clocks of issuer and API server"))
	}
	return found
}

// tenants are claims that say whose people they are.
var tenants = []string{"tid", "hd", "repository_owner", "repository_owner_id", "org_id", "namespace_id"}

func (e evaluation) claimRule(where string, r apiserver.ClaimValidationRule, refusal error) finding.Finding {
	if strings.Contains(r.Expression, "_claim_names") && e.token.has("_claim_names") {
		f := finding.Bad(CodeOverage, where, "refuses a token that only says where its groups are: the provider leaves them out above a number")
		return finding.Fix(finding.Sides(f, r.Expression, e.token.text("_claim_names")), "have Entra send only the groups assigned to the application, or application roles")
	}
	if r.Claim == "" {
		f := finding.Sides(finding.Bad(CodeClaimRule, where, "refuses the token: "+finding.Clip(refusal.Error())), r.Expression, "")
		if strings.Contains(r.Expression, "email_verified") {
			f.Code, f.Seen = CodeEmail, "email_verified "+e.token.text("email_verified")
		}
		for _, c := range tenants {
			if strings.Contains(r.Expression, "claims."+c) || strings.Contains(r.Expression, "claims.?"+c) {
				f.Code, f.Seen = CodeTenant, finding.Clip(c+" "+e.token.text(c))
			}
		}
		return finding.Fix(f, "use a token of somebody whom the rule is for, or change the rule")
	}
	f := finding.Sides(finding.Bad(CodeClaimRule, where, "requires claim "+finding.Clip(r.Claim)+" to be another, and a string"), r.RequiredValue, e.token.text(r.Claim))
	switch {
	case slices.Contains(tenants, r.Claim):
		f.Code, f.Message = CodeTenant, "takes only tokens of one tenant, by claim "+r.Claim
	case !e.token.has(r.Claim):
		f.Message = "requires claim " + finding.Clip(r.Claim) + ", which the token does not have"
	}
	return finding.Fix(f, "log in at the tenant of the configuration, or have the provider send the claim")
}
