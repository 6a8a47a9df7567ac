// Package people holds docs/people.md against what it speaks of: a certified identity
// provider (panva's oidc-provider, in provider/) over https with a CA of its own, a real API
// server that trusts it, kubectl, and a real browser in which people log in and consent.
// The page's files and commands are read out of the page, and run in its order.
//
// kubectl's plugin is kubelogin, where PODPASS_KUBELOGIN names one. The module proxy does not
// serve it everywhere, so that login/ takes its place otherwise: the part of its command line
// that the page uses, on the libraries that kubelogin is made of. Which one ran is in the
// test's log.
//
// The module is of its own for the sake of those libraries.
package people
