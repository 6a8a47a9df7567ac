package trust

import "slices"

// otherAudiences are of tokens that clusters commonly make for somebody else than a
// cloud's federation: the API server above all, whose audience every pod's own token has.
var otherAudiences = []string{
	"https://kubernetes.default.svc", "https://kubernetes.default.svc.cluster.local", "kubernetes.default.svc", "kubernetes",
	"sts.amazonaws.com", "api://AzureADTokenExchange", "vault",
}

// ForOthers reports whether tokens with an audience are made for another service than the
// one whose own audiences are given, so that whoever gets at such a token can use it there
// as well. By default an API server's audience is its issuer.
func ForOthers(audience, issuer string, own ...string) bool {
	return !slices.Contains(own, audience) && (audience == issuer || slices.Contains(otherAudiences, audience))
}
