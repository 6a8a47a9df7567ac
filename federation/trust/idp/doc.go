// Package idp is what an identity provider must hold so that a company's people sign in to
// its clusters, and its pods to the provider: a public client for each cluster, with PKCE
// and the device flow; the groups that RBAC binds, in the tokens; and for pods clients that
// a cluster's issuer vouches for, so that no client has a secret.
//
// The other half, what an API server must be told of the provider, is federation/trust's
// kubetrust. Between them are two values that must be equal to the letter: the issuer, and
// the client ID, which is the audience.
//
// Each provider has a preset, with its own traps as comments in all that is rendered. All
// of it is pure: no network, no provider is asked.
//
// Keycloak: https://www.keycloak.org/docs/latest/server_admin/
// Okta: https://developer.okta.com/docs/concepts/auth-servers/
// Entra ID: https://learn.microsoft.com/entra/identity-platform/id-token-claims-reference
// Google: https://developers.google.com/identity/openid-connect/openid-connect
// Auth0: https://auth0.com/docs/secure/tokens/id-tokens
package idp
