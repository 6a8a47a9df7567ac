// Package people holds docs/people.md against what it speaks of: a certified identity
// provider (panva's oidc-provider, in provider/) over https with a CA of its own, a real API
// server that trusts it, kubectl, and a real browser in which people log in and consent.
// The page's files and commands are read out of the page, and run in its order.
//
// kubectl's plugin is kubelogin itself, built from the version that the module in kubelogin/
// names: the two have nothing in common, and its dependencies are its own.
//
// This module is of its own for the sake of what it drives, and of the time that it takes.
package people
