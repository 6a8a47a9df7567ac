package doctor

import (
	"context"
	"maps"
	"slices"

	"github.com/podpass-io/podpass/cmd/podpass/internal/cluster"
	"github.com/podpass-io/podpass/federation"
	"github.com/podpass-io/podpass/federation/issuer"
	"github.com/podpass-io/podpass/federation/serviceaccount"
)

// issuer holds what the issuer publishes against what the cluster signs with: the API
// server's own discovery, its own keys, and a token that it mints now.
func (r *run) issuer(ctx context.Context) ([]found, error) {
	r.Say("looking at the issuer")
	side := issuer.Cluster{Private: r.PrivateIssuer}
	document, err := cluster.Issuer(ctx, r.client)
	_, out, err := denied(err, "get", issuer.DiscoveryPath, "")
	if err != nil {
		return nil, err
	}
	url := document.Issuer
	keys, err := cluster.Keys(ctx, r.client)
	_, more, err := denied(err, "get", issuer.DefaultJWKSPath, "")
	if err != nil {
		return nil, err
	}
	out, side.Keys = append(out, more...), keys
	claims, refused := r.sample(ctx)
	if side.Token = claims; claims != nil && url == "" {
		url = claims.Issuer
	}
	if refused != nil && !r.Closely() { // of what is named the check of tokens tells it
		out = append(out, *refused)
	}
	if url == "" {
		return out, nil // why is said
	}
	for _, f := range issuer.Verify(issuer.Fetch(ctx, r.Issuer, url), side) {
		out = append(out, found{Finding: f})
	}
	return out, ctx.Err()
}

// sample are the claims of a token of the first ServiceAccount that may have one; nil:
// there is none, or it is refused, and why.
func (r *run) sample(ctx context.Context) (*federation.Claims, *found) {
	for _, name := range slices.Sorted(maps.Keys(r.accounts)) {
		a := r.accounts[name]
		for _, audience := range audiences(a.answer) {
			t, err := r.tokens(a)(audience).SubjectToken(ctx)
			if err != nil {
				f := a.refused(err, audience)
				return nil, &f
			}
			return &t.Claims, nil
		}
	}
	return nil, nil
}

// tokens are the ServiceAccount's, of the cluster.
func (r *run) tokens(a *account) func(string) federation.TokenSource {
	return func(audience string) federation.TokenSource {
		return cluster.TokenRequest{Client: r.client, Namespace: a.namespace, ServiceAccount: a.name, Audience: audience}
	}
}

// audiences are those of the tokens that an answer needs, each once.
func audiences(a serviceaccount.Answer) []string {
	var list []string
	for _, w := range wanted(a) {
		list = append(list, w.audience)
	}
	if a.OIDC != nil {
		for _, s := range a.OIDC.Sources {
			list = append(list, s.Audience)
		}
		for _, x := range a.OIDC.Audiences {
			list = append(list, x.Audience)
		}
	}
	if a.Kube != nil {
		for _, c := range a.Kube.Others() {
			list = append(list, c.Audience)
		}
	}
	slices.Sort(list)
	return slices.Compact(list)
}
