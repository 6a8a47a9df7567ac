// Package trust is the conformance suite of trust documents: one YAML file a case in
// cases/, each what a cloud was told, as the cloud's own command line prints it, a
// token's claims, and whether the cloud lets such a token in. The same files run
// through federation/trust's Evaluate, and through the strict stand-ins, which are
// configured with that very document and asked over HTTP with a token that is signed
// for these claims. The stand-ins have an evaluation of their own: two implementations
// must agree with what a person wrote.
package trust
