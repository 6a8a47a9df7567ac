package program

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
)

// MemoryCgroup is a group of processes with a memory limit, as a container has one.
type MemoryCgroup struct {
	dir     string
	unified bool // cgroup v2
}

// LimitMemory makes a memory cgroup of limit bytes, removed after the test. It needs
// root and a writable cgroup: without these the test is skipped, and says why.
func LimitMemory(t testing.TB, limit int64) *MemoryCgroup {
	t.Helper()
	g := &MemoryCgroup{}
	root, file := "/sys/fs/cgroup/memory", "memory.limit_in_bytes"
	if _, err := os.Stat("/sys/fs/cgroup/cgroup.controllers"); err == nil {
		g.unified, root, file = true, "/sys/fs/cgroup", "memory.max"
	}
	dir, err := os.MkdirTemp(root, "podpass-test-")
	if err != nil {
		t.Skipf("no memory cgroup can be made here (it takes root): %v", err)
	}
	g.dir = dir
	t.Cleanup(func() {
		if err := os.Remove(dir); err != nil {
			t.Errorf("remove the memory cgroup: %v", err)
		}
	})
	if err := os.WriteFile(filepath.Join(dir, file), []byte(strconv.FormatInt(limit, 10)), 0o600); err != nil {
		t.Fatalf("limit the memory cgroup: %v", err)
	}
	return g
}

// Command is exec.Command for a program that runs in the group from its first
// instruction on.
func (g *MemoryCgroup) Command(t testing.TB, binary string, args ...string) *exec.Cmd {
	t.Helper()
	enter := fmt.Sprintf(`echo $$ > %s/cgroup.procs && exec "$0" "$@"`, g.dir)
	return exec.Command("/bin/sh", append([]string{"-c", enter, binary}, args...)...) //nolint:noctx // the test ends it by a signal
}

// Peak is the most memory that the group ever had, in bytes; page cache counts.
func (g *MemoryCgroup) Peak(t testing.TB) int64 {
	t.Helper()
	file := "memory.max_usage_in_bytes"
	if g.unified {
		file = "memory.peak"
	}
	n, err := strconv.ParseInt(strings.TrimSpace(g.read(t, file)), 10, 64)
	if err != nil {
		t.Fatal(err)
	}
	return n
}

// Killed is how many processes of the group the kernel has killed for want of memory.
func (g *MemoryCgroup) Killed(t testing.TB) int {
	t.Helper()
	file := "memory.oom_control"
	if g.unified {
		file = "memory.events"
	}
	for line := range strings.Lines(g.read(t, file)) {
		if n, ok := strings.CutPrefix(line, "oom_kill "); ok {
			killed, err := strconv.Atoi(strings.TrimSpace(n))
			if err != nil {
				t.Fatal(err)
			}
			return killed
		}
	}
	t.Fatalf("%s counts no oom_kill", file)
	return 0
}

func (g *MemoryCgroup) read(t testing.TB, file string) string {
	t.Helper()
	b, err := os.ReadFile(filepath.Join(g.dir, file))
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}
