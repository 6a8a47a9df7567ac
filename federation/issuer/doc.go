// Package issuer is the public face of a cluster's ServiceAccount token issuer: the OIDC
// discovery document and the JWKS, by which a cloud verifies tokens without ever asking
// the cluster. It makes them of keys, reads what is published, and says what differs from
// what the cluster signs with.
//
// All but [Fetch] is pure. Only public keys are ever held: a private one is refused where
// it is read, by name, and is no part of any value here.
//
// Sources: OpenID Connect Discovery 1.0, RFC 7517 (JWK), RFC 7518 (algorithms), and KEP-1393
// for what an API server publishes.
package issuer
