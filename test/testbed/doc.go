// Package testbed is the world in which the demo and the end-to-end tests run: a
// real single-node Kubernetes, strict stand-ins for the three clouds, a real S3
// that trusts the cluster's issuer, and podpass installed by its chart.
//
//	bed, err := testbed.Up(ctx, testbed.Options{Dir: dir, Log: os.Stderr})
//	defer bed.Down(ctx)
//
// Everything is built from this repository and the module proxy; nothing is
// pulled from a registry of images. All that Up starts or writes lives below
// Dir or is recorded there, so that Down, also from another process, finds it.
package testbed
