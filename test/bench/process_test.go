package bench

import (
	"fmt"
	"os"
	"strconv"
	"strings"
	"testing"
	"time"

	"golang.org/x/sys/unix"
)

// process is a running process, by its pid, as the kernel accounts for it.
type process int

// memory is resident and private (anonymous) memory in MiB.
func (p process) memory(b *testing.B) (rss, private float64) {
	b.Helper()
	m := p.status(b)
	return m["VmRSS"], m["RssAnon"]
}

// peak is the most that was resident, in MiB.
func (p process) peak(b *testing.B) float64 {
	b.Helper()
	return p.status(b)["VmHWM"]
}

// status is what the kernel says of the process's memory, in MiB.
func (p process) status(b *testing.B) map[string]float64 {
	b.Helper()
	raw, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", p))
	if err != nil {
		b.Fatal(err)
	}
	m := map[string]float64{}
	for line := range strings.Lines(string(raw)) {
		fields := strings.Fields(line)
		if len(fields) == 3 && fields[2] == "kB" {
			kib, err := strconv.ParseFloat(fields[1], 64)
			if err != nil {
				b.Fatal(err)
			}
			m[strings.TrimSuffix(fields[0], ":")] = kib / 1024
		}
	}
	return m
}

// cpuTime is the process's user and system time, by its CPU clock: /proc/PID/stat counts
// in ticks of 10 ms, half of what a round takes.
func (p process) cpuTime(b *testing.B) time.Duration {
	b.Helper()
	const cpuclockSched = 2 // clock_getcpuclockid(3), as the kernel's posix-timers.h has it
	var now unix.Timespec
	if err := unix.ClockGettime(int32(^int(p)<<3|cpuclockSched), &now); err != nil {
		b.Fatal(err)
	}
	return time.Duration(now.Nano())
}
