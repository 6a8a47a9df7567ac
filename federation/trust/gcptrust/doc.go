// Package gcptrust is what Google Cloud must hold so that ServiceAccounts get an identity
// there, and whether what it does hold lets a token in: workload identity pools and their
// providers, and the IAM policies of service accounts.
//
// A token passes two gates. The provider takes it (issuer, keys, audience, attribute
// mapping, attribute condition) and makes a principal of it; the policy of a service
// account then grants that principal the right to its tokens. Under direct resource access
// there is no second gate here: the policies of the resources themselves name the principal.
//
// The package links cel-go, since mapping and conditions are expressions in CEL. The broker
// must not import it.
//
// https://cloud.google.com/iam/docs/workload-identity-federation
package gcptrust
