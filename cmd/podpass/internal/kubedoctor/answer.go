package kubedoctor

import (
	"context"
	"maps"
	"slices"
	"strings"

	"github.com/podpass-io/podpass/federation"
	"github.com/podpass-io/podpass/federation/finding"
	"github.com/podpass-io/podpass/federation/trust/kubetrust"
)

// authentication evaluates the configuration.
func (r *run) authentication(ctx context.Context) ([]finding.Finding, error) {
	v := kubetrust.Evaluate(ctx, r.document, kubetrust.Token{Raw: federation.Secret(r.token), JWKS: r.jwks})
	r.verdict = &v
	if r.user == nil {
		r.user = v.User
	}
	return v.Findings, nil
}

// answer holds the API server's answer against the configuration.
func (r *run) answer(context.Context) ([]finding.Finding, error) {
	const where = "API server"
	switch {
	case r.verdict == nil && r.answered == nil:
		f := finding.Sides(finding.Bad(codeRefused, where, "does not take the token"), "", "401 Unauthorized")
		return []finding.Finding{finding.Fix(f, "give its AuthenticationConfiguration, and podpass says which rule refuses the token; its log says so as well")}, nil
	case r.verdict == nil || !r.verdict.Allowed && r.answered == nil:
		return nil, nil // taken, or refused as was said
	case r.answered == nil:
		f := finding.Sides(finding.Bad(codeOther, where, "refuses the token, which the configuration takes"), "user "+r.verdict.User.Username, "401 Unauthorized")
		return []finding.Finding{finding.Fix(f, "see that each API server has this configuration and reaches the issuer; its log says why it refuses the token")}, nil
	case !r.verdict.Allowed:
		f := finding.Sides(finding.Bad(codeOther, where, "takes the token, which the configuration refuses"), "401 Unauthorized", "user "+r.answered.Username)
		return []finding.Finding{finding.Fix(f, "see that each API server has this configuration; webhooks and front proxies authenticate besides it")}, nil
	case !same(*r.answered, *r.verdict.User):
		f := finding.Sides(finding.Bad(codeOther, where, "makes another user of the token than the configuration"), whole(*r.verdict.User), whole(*r.answered))
		return []finding.Finding{finding.Fix(f, "see that each API server has this configuration")}, nil
	}
	return nil, nil
}

// same compares all that RBAC, audit and admission go by.
func same(a, b kubetrust.User) bool {
	return a.Username == b.Username && a.UID == b.UID && slices.Equal(a.Groups, b.Groups) && maps.EqualFunc(a.Extra, b.Extra, slices.Equal)
}

// whole is a user with what is seldom looked at.
func whole(u kubetrust.User) string {
	s := who(u)
	if u.UID != "" {
		s += ", uid " + u.UID
	}
	for _, key := range slices.Sorted(maps.Keys(u.Extra)) {
		s += ", " + key + " " + strings.Join(u.Extra[key], " ")
	}
	return s
}
