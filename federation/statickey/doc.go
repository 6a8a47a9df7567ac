// Package statickey recognises the static credentials of clouds and clusters in values:
// of a Secret, a container's environment, a file, a command line.
//
// A key is recognised by its shape first: the prefix of an AWS key's ID, a Google key
// whose private key parses, the check of an Azure storage key. Where a shape says too
// little, the names beside it decide: those that environ says a cloud's SDKs read, and
// those that charts commonly use. What is temporary is no static key: AWS's ASIA keys,
// bound ServiceAccount tokens, passwords of ECR. Neither are documentation's examples and
// placeholders.
//
// A Key never shows its secret: not printed, not as JSON, not in a log. What tells two
// apart is its Fingerprint.
package statickey
