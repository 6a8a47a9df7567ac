// Package mistakes holds the chart's values against the webhook: what the chart takes, the
// webhook starts with, and of what it refuses it says what to write instead. A module of
// its own, for Helm as a library is in no other.
package mistakes
