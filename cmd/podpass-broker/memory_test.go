package main

import (
	"os"
	"path/filepath"
	"testing"
)

func TestMemoryLimit(t *testing.T) {
	dir := t.TempDir()
	for content, want := range map[string]int64{"67108864\n": 48 << 20, "max\n": 0, "": 0} {
		file := filepath.Join(dir, "memory.max")
		if err := os.WriteFile(file, []byte(content), 0o600); err != nil {
			t.Fatal(err)
		}
		if got := memoryLimit(file); got != want {
			t.Errorf("%q: %d, want %d", content, got, want)
		}
	}
	if got := memoryLimit(filepath.Join(dir, "none")); got != 0 {
		t.Errorf("without a cgroup: %d", got)
	}
}
