// Package rotate changes the key with which a cluster signs ServiceAccount tokens, so that no
// exchange fails:
//
//	publish   the new key is published beside the old one
//	caches    until every verifier has it: the clouds' caches, and the API servers' own flags
//	switch    the API servers get the new key to sign with, by whoever runs them
//	tokens    until the last token of the old key has ended
//	drop      the old key goes from what is published
//	done
//
// Where it stands is a [State] in a file. [Decide] is pure: it holds the state against a
// [Look] at the world and says what comes next. Each step is taken only when the one before
// it is seen from outside, each change can be made twice, and a state is saved before the
// change that it calls for: a process that ends anywhere goes on where it was. A clock only
// starts at what was seen, so that a lost moment lengthens a wait, and never shortens it.
package rotate
