package gcp

import (
	"cmp"
	"strings"
)

// DefaultUniverse is the domain of Google's public APIs.
const DefaultUniverse = "googleapis.com"

// Endpoints are where Google's APIs are. What is empty is derived: the domain is the
// public one, an API is below the domain.
type Endpoints struct {
	// Universe is the domain of the APIs; a sovereign cloud has one of its own.
	Universe string
	// STS and IAMCredentials are URLs, for private or regional endpoints.
	STS            string
	IAMCredentials string
}

// Domain is that of the APIs.
func (e Endpoints) Domain() string { return cmp.Or(e.Universe, DefaultUniverse) }

// TokenURL is where STS trades tokens.
func (e Endpoints) TokenURL() string {
	return below(cmp.Or(e.STS, "https://sts."+e.Domain()), "/v1/token")
}

// below is a path below a URL, which people write with a final slash or without.
func below(url, path string) string { return strings.TrimSuffix(url, "/") + path }

// ImpersonationURL is a method of IAM credentials for a service account.
func (e Endpoints) ImpersonationURL(serviceAccount, method string) string {
	return below(cmp.Or(e.IAMCredentials, "https://iamcredentials."+e.Domain()), "/v1/projects/-/serviceAccounts/"+serviceAccount+":"+method)
}
