package serviceaccount

import (
	"fmt"
	"slices"
	"strings"

	"github.com/podpass-io/podpass/federation/oidc"
)

// maxTokens bounds the audiences, the token sources, and the clusters of one pod.
const maxTokens = 5

func (r *resolver) oidc() {
	audiences, sources := r.lookup(KeyOIDCAudiences), r.lookup(KeyOIDCTokenSources)
	if !audiences.set && !sources.set {
		return
	}
	named := sources
	if !named.set {
		named = audiences
	}
	r.answer.OIDC = &OIDC{
		Audiences: r.oidcAudiences(audiences), Identity: oidc.Identity{Sources: r.oidcSources(sources)},
		Grant: Grant{Mode: r.mode(""), TokenExpiration: r.expiration("", 600), Source: named.source()},
	}
}

// items are a list's, each with where it stands. Each costs the pod a token.
func (r *resolver) items(code string, list value) []value {
	if !list.set {
		return nil
	}
	var items []value
	for text := range strings.SplitSeq(list.text, ",") {
		items = append(items, value{where: list.where, text: strings.TrimSpace(text), set: true})
	}
	if len(items) > maxTokens {
		r.fail(code, list, fmt.Sprintf("lists %d, more than %d", len(items), maxTokens), "give containers ServiceAccounts, and so pods, of their own")
		return nil
	}
	return items
}

func (r *resolver) oidcAudiences(list value) []oidc.Audience {
	var found []oidc.Audience
	for _, v := range r.items(CodeOIDC, list) {
		a, err := oidc.ParseAudience(v.text)
		switch {
		case err != nil:
			r.fail(CodeOIDC, v, err.Error(), "write <name>=<audience>, the name being the file's: 1 to 32 lower case letters, digits and -")
		case slices.ContainsFunc(found, func(have oidc.Audience) bool { return have.Name == a.Name }):
			r.fail(CodeOIDC, v, "is the second token of the name "+a.Name, "give each a name of its own: <name>=<audience>")
		default:
			found = append(found, a)
		}
	}
	return found
}

func (r *resolver) oidcSources(list value) []oidc.Source {
	var found []oidc.Source
	for _, v := range r.items(CodeOIDC, list) {
		s, ok := r.in.OIDC.TokenSources[v.text]
		switch {
		case !ok:
			r.fail(CodeOIDC, v, "is no token source of this installation", "correct the name, or ask the administrator for one of that name, in the chart value oidc.tokenSources")
		case slices.ContainsFunc(found, func(have oidc.Source) bool { return have.Name == v.text }):
			r.fail(CodeOIDC, v, "is listed twice", "remove one")
		default:
			s.Name = v.text
			found = append(found, s)
		}
	}
	return found
}
