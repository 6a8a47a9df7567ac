package gcp

import "cmp"

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
func (e Endpoints) TokenURL() string { return cmp.Or(e.STS, "https://sts."+e.Domain()) + "/v1/token" }

// ImpersonationURL is a method of IAM credentials for a service account.
func (e Endpoints) ImpersonationURL(serviceAccount, method string) string {
	return cmp.Or(e.IAMCredentials, "https://iamcredentials."+e.Domain()) + "/v1/projects/-/serviceAccounts/" + serviceAccount + ":" + method
}
