package main

import (
	"bytes"
	"os"
	"runtime/debug"
	"strconv"
)

// cgroupMemory is the memory limit of the container, in bytes, or "max".
// https://docs.kernel.org/admin-guide/cgroup-v2.html
const cgroupMemory = "/sys/fs/cgroup/memory.max"

// saveMemory sets the collector for a process that runs in every pod: memory is worth
// more than the CPU time of a collection, of which there are few; and a container with
// a limit collects more often as it comes near, whoever has set it, instead of being
// killed. GOGC and GOMEMLIMIT win.
func saveMemory() {
	if os.Getenv("GOGC") == "" {
		debug.SetGCPercent(50)
	}
	if os.Getenv("GOMEMLIMIT") == "" {
		if limit := memoryLimit(cgroupMemory); limit > 0 {
			debug.SetMemoryLimit(limit)
		}
	}
}

// memoryLimit is what Go may take of the container's limit: three quarters, since the
// binary's own pages and the probe's process count too. 0: there is no limit.
func memoryLimit(file string) int64 {
	raw, err := os.ReadFile(file)
	if err != nil {
		return 0 // an older cgroup; the limit is then only the kernel's
	}
	limit, err := strconv.ParseInt(string(bytes.TrimSpace(raw)), 10, 64)
	if err != nil {
		return 0 // "max"
	}
	return limit / 4 * 3
}
