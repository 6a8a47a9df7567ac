// Package memory sets Go's collector by the memory limit of the container.
package memory

import (
	"os"
	"runtime/debug"
)

// Percents are values for GOGC: how much garbage may gather, in percent of what lives,
// before a collection.
type Percents struct {
	// Unlimited is for a process without a memory limit.
	Unlimited int
	// Limited is for one with a limit, near which Go collects more often anyway.
	Limited int
}

// Set makes a container with a limit, whoever has set it, collect more often as it
// comes near instead of being killed. GOGC and GOMEMLIMIT in the environment win.
func Set(p Percents) { set(p, os.Getenv, limitFiles()) }

func set(p Percents, env func(string) string, files []string) {
	limited := env("GOMEMLIMIT") != ""
	if limit := limit(files); limit > 0 && !limited {
		// The rest is for what Go does not count: the binary's own pages, the kernel's
		// buffers, and a probe's process.
		debug.SetMemoryLimit(limit / 4 * 3)
		limited = true
	}
	switch {
	case env("GOGC") != "":
	case limited:
		debug.SetGCPercent(p.Limited)
	default:
		debug.SetGCPercent(p.Unlimited)
	}
}
