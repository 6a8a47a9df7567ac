// Usage runs a program and prints what it took, as JSON. It is small, and stands between
// the benchmark and what it measures for that reason: the peak of memory that the kernel
// tells of a child is at least that of who started it.
package main

import (
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"syscall"
	"time"
)

func main() {
	if err := run(os.Args[1], os.Args[2:]); err != nil {
		fmt.Fprintln(os.Stderr, "error:", err)
		os.Exit(1)
	}
}

// run has the program write its standard output to the file.
func run(file string, args []string) error {
	out, err := os.Create(file)
	if err != nil {
		return err
	}
	cmd := exec.Command(args[0], args[1:]...) //nolint:noctx // the benchmark ends this program's group
	cmd.Stdout, cmd.Stderr = out, os.Stderr
	began := time.Now()
	if err := cmd.Start(); err != nil {
		return err
	}
	_ = cmd.Wait() // its exit status is printed
	took := time.Since(began)
	if err := out.Close(); err != nil {
		return err
	}
	state := cmd.ProcessState
	return json.NewEncoder(os.Stdout).Encode(map[string]any{
		"status": state.ExitCode(), "seconds": took.Seconds(),
		"cpuSeconds": (state.UserTime() + state.SystemTime()).Seconds(),
		"peakMiB":    float64(state.SysUsage().(*syscall.Rusage).Maxrss) / 1024, // Linux counts in KiB
	})
}
