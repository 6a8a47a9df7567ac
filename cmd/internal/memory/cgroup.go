package memory

import (
	"bytes"
	"math"
	"os"
	"path/filepath"
	"strconv"
	"strings"
)

const (
	// cgroupRoot is where cgroups are mounted. A container sees its own there, at the
	// top; without a namespace of its own, as on older nodes, /proc names a path that it
	// does not see.
	cgroupRoot = "/sys/fs/cgroup"
	ownCgroup  = "/proc/self/cgroup"
	// unlimited is above any machine's memory, and below what cgroup v1 has for no limit.
	unlimited = 1 << 50
)

// limitFiles may hold the memory limit, in bytes or as "max", of cgroup v2 and of v1.
// https://docs.kernel.org/admin-guide/cgroup-v2.html
func limitFiles() []string {
	paths := []string{"/"}
	own, _ := os.ReadFile(ownCgroup) // there is none but on Linux
	for line := range strings.Lines(string(own)) {
		fields := strings.SplitN(strings.TrimSpace(line), ":", 3) // its number, controllers, path
		if len(fields) == 3 && (fields[1] == "" || strings.Contains(fields[1], "memory")) {
			paths = append(paths, fields[2])
		}
	}
	var files []string
	for _, path := range paths {
		files = append(files, filepath.Join(cgroupRoot, path, "memory.max"), filepath.Join(cgroupRoot, "memory", path, "memory.limit_in_bytes"))
	}
	return files
}

// limit is the least of the files', in bytes; 0: there is none.
func limit(files []string) int64 {
	least := int64(math.MaxInt64)
	for _, file := range files {
		raw, err := os.ReadFile(file)
		if err != nil {
			continue // of the other version
		}
		if n, err := strconv.ParseInt(string(bytes.TrimSpace(raw)), 10, 64); err == nil { // else "max"
			least = min(least, n)
		}
	}
	if least >= unlimited {
		return 0
	}
	return least
}
