// Package sdks proves podpass by the SDKs that it is made for: unmodified Go and
// JavaScript clients of AWS, Google Cloud and Azure (package test/sdk), in both
// modes.
//
// In direct mode the SDKs trade the ServiceAccount token themselves, at the
// stand-ins of test/cloud. Nothing of podpass runs: what is proved is that the
// stand-ins speak as the clouds do, since the same SDKs accept them. In broker
// mode the real podpass-broker runs as a process, and the SDKs know nothing but
// the endpoint variables that the webhook sets.
//
// Each test ends with a table of what each SDK saw.
package sdks
