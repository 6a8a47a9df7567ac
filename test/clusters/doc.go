// Package clusters has the proof of podpass.io/kube-clusters: two real API servers, of
// which one takes the other's tokens, and the unmodified clients of Kubernetes with the
// kubeconfig that podpass plans for a pod: client-go, kubectl, Helm, the JavaScript client
// (js/, from the npm registry) and Debian's Python client (who.py).
package clusters
