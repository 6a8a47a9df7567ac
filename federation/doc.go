// Package federation holds the words that every other podpass package uses.
//
// A [SubjectToken] is the bound ServiceAccount token that kubelet projects into
// a pod: signed by the cluster, short-lived, and good for one audience. An
// [Exchanger] trades it for a [Credential], what a cloud gave and until when.
// When a cloud refuses, the answer is an [*Error] whose [Kind] decides, in one
// place, whether to retry, which HTTP status the SDK sees, the label of the
// metric, and the advice that people read. A [Secret] is a string that does not
// print itself.
//
// The package links neither Kubernetes nor a cloud SDK. One package below it per
// cloud (aws, gcp, azure) knows that cloud's exchange; package serviceaccount
// knows which annotations ask for which identity.
package federation
