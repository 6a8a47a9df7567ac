// Package inject plans what a pod needs for the cloud identities that it is to
// have, as an RFC 6902 JSON patch over the pod's raw JSON.
//
// [Plan] is pure: a [Pod], a [serviceaccount.Answer] and the installation's
// [Settings] in, a [Result] out. The webhook, `podpass inject` and the tests call
// the same function.
//
// # What the patch may do
//
// Only "add", and "remove" of what is podpass's own. An array that exists is appended
// to, one element an operation (podpass's init containers alone are inserted, where
// place.go says); an array or map that is missing is created. Nothing that the user wrote is replaced, moved
// or removed, because nothing else of the pod is known here: it is read into small
// structs of our own (pod.go), and whatever they do not name, including fields that
// came to Kubernetes after this program was built, is never decoded, so that it
// cannot be lost. Two values are written over, and both are podpass's own: the
// label and the annotation that say what was injected.
//
// Each container is looked at for itself, and only what it lacks is added. Hence
// planning an injected pod again gives no operation, and a container that another
// webhook added in between (reinvocationPolicy: IfNeeded) gets its share and
// nothing else changes.
//
// What an earlier plan has left in the pod, another replica's with other settings or one
// of which a manifest was made, gives way to the plan of now (own.go).
//
// # What the user set wins
//
// A variable, volume or mount of ours that is already there is kept. Where what is
// there would make an SDK mix two identities, that cloud is left out of that
// container with a warning; where the pod could not start or would get something
// other than what was asked for, the pod is denied with the fix. Every such
// [serviceaccount.Problem] has a code and a heading in docs/errors.md.
package inject
