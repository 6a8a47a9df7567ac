// Package kubetrust is what an API server must hold so that it takes the tokens of other
// issuers, and whether what it does hold lets a token in: the structured
// AuthenticationConfiguration (apiserver.config.k8s.io/v1), the --oidc-* flags of older API
// servers where they can say the same, and the RBAC that gives the resulting users rights.
//
// Three kinds of issuer are rendered: a provider for people, with what is particular about
// each as a preset; the CI services that give their runs tokens; and other clusters, whose
// pods become users `<cluster>:system:serviceaccount:<namespace>:<name>`.
//
// Evaluate runs the API server's own packages (k8s.io/apiserver), so that its verdict and
// the user that comes out are the server's. It asks no network: groups that a token only
// refers to are not fetched, and keys are those that are given.
//
// The package links k8s.io/apiserver and cel-go. The broker and the webhook must not
// import it.
//
// https://kubernetes.io/docs/reference/access-authn-authz/authentication/#using-authentication-configuration
package kubetrust
