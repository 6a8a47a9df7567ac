// Package cluster starts a real Kubernetes on this machine from Go tests: it
// builds and drives the program of test/kube, which has a Go module of its own so
// that Kubernetes' own dependencies stay out of podpass's.
package cluster
