// Package statickeys makes what a scan for static keys is tested with: 24 workloads that
// each keep one in another place, and 24 that hold something which only looks like one.
// They come as objects, as manifests, and as a Helm chart.
//
// All values are made anew by each call, so the repository holds nothing that a secret
// scanner would have to know, and a test makes its cases once and keeps them.
package statickeys
