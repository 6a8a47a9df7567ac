// Package trustkube is the conformance suite of API servers as relying parties: one YAML
// file a case in cases/, each the issuers of an AuthenticationConfiguration, the claims of
// a token, and what comes of it: taken or not, and as whom. People wrote what is expected.
//
// The same files run through federation/trust/kubetrust, and through a real API server,
// which reads each configuration while it runs and is asked who the token's bearer is.
package trustkube
