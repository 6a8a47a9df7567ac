package issuer

// Codes of findings about an issuer; docs/errors.md has a heading for each.
const (
	// CodeURL: no cloud can take an issuer of this URL, or reach it there.
	CodeURL = "WI110"
	// CodeDiscovery: the discovery document cannot be fetched, or is none.
	CodeDiscovery = "WI111"
	// CodeTLS: the certificate is not one that an outsider trusts.
	CodeTLS = "WI112"
	// CodeDocument: the document names another issuer, or misses what clouds read.
	CodeDocument = "WI113"
	// CodeTokenIssuer: the tokens name another issuer than the one that was looked at.
	CodeTokenIssuer = "WI114"
	// CodeJWKS: the keys cannot be fetched, or are none.
	CodeJWKS = "WI115"
	// CodeSigningKey: the key that signs is not published, or another one of its name is.
	CodeSigningKey = "WI116"
	// CodeAlgorithm: a key's algorithm or size is not taken by a cloud.
	CodeAlgorithm = "WI117"
	// CodeCache: caching headers that delay a rotation, or make each token a request.
	CodeCache = "WI118"
	// CodeKeySet: the set of keys is not sound: private, double, too many, foreign.
	CodeKeySet = "WI119"
)
