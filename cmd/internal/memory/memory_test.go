package memory

import (
	"math"
	"os"
	"path/filepath"
	"runtime/debug"
	"testing"
)

func cgroup(t *testing.T, content string) string {
	t.Helper()
	file := filepath.Join(t.TempDir(), "limit")
	if err := os.WriteFile(file, []byte(content), 0o600); err != nil {
		t.Fatal(err)
	}
	return file
}

// TestLimit: of either version of cgroups, and the least where one is in another.
func TestLimit(t *testing.T) {
	for content, want := range map[string]int64{"67108864\n": 64 << 20, "max\n": 0, "": 0, "9223372036854771712\n": 0} {
		if got := limit([]string{"/nonexistent", cgroup(t, content)}); got != want {
			t.Errorf("%q: %d, want %d", content, got, want)
		}
	}
	if got := limit([]string{"/nonexistent"}); got != 0 {
		t.Errorf("without a cgroup: %d", got)
	}
	if got := limit([]string{cgroup(t, "max"), cgroup(t, "2048"), cgroup(t, "1024"), cgroup(t, "4096")}); got != 1024 {
		t.Errorf("of several: %d", got)
	}
}

// TestSet: garbage may only gather where a limit is its ceiling, and what the
// environment says wins.
func TestSet(t *testing.T) {
	percents := Percents{Unlimited: 90, Limited: 400}
	for name, test := range map[string]struct {
		env       map[string]string
		cgroup    string
		percent   int
		ofProcess int64
	}{
		"no limit":             {nil, "max", 90, math.MaxInt64},
		"container's limit":    {nil, "134217728", 400, 96 << 20},
		"GOMEMLIMIT":           {map[string]string{"GOMEMLIMIT": "64MiB"}, "134217728", 400, math.MaxInt64}, // the runtime itself has read it
		"GOGC":                 {map[string]string{"GOGC": "70"}, "134217728", 70, 96 << 20},
		"GOGC without a limit": {map[string]string{"GOGC": "70"}, "max", 70, math.MaxInt64},
	} {
		t.Run(name, func(t *testing.T) {
			defer debug.SetGCPercent(debug.SetGCPercent(70))
			defer debug.SetMemoryLimit(debug.SetMemoryLimit(math.MaxInt64))
			set(percents, func(k string) string { return test.env[k] }, []string{cgroup(t, test.cgroup)})
			if got := debug.SetMemoryLimit(-1); got != test.ofProcess {
				t.Errorf("memory limit %d, want %d", got, test.ofProcess)
			}
			if got := debug.SetGCPercent(-1); got != test.percent {
				t.Errorf("GOGC %d, want %d", got, test.percent)
			}
		})
	}
}
