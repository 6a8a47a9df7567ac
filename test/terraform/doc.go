// Package terraform holds what `podpass trust` renders for Terraform against the parser
// of HashiCorp's own language: it parses, it is formatted as terraform fmt would, its
// expressions have values, and policies say what the other forms say. Terraform itself
// and its providers are not run: their registry is not reachable from every machine. The
// module is of its own, since HCL is a test's affair alone.
package terraform
