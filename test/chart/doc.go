// Package chart renders charts/podpass by Helm, and holds what comes out against what it
// promises: each value does what its comment says, on each platform the API server takes
// the objects and the platform's rules let them be, and the README has all values.
//
// Goldens are written anew by `go test ./test/chart -update`.
package chart
