// Package attack does to the webhook the worst that its callers, and whoever may
// create pods and ServiceAccounts, can do: the real binary, in a memory cgroup of the
// chart's limit, behind a real API server. It must not die, and pods of other people,
// created all the while, must be injected within a second.
package attack
