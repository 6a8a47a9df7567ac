package testbed

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"time"
)

// process is a server on the machine that outlives the program that started it.
// Its start time is kept with its pid: a pid that was given to another program
// since must not be killed.
type process struct {
	Name  string `json:"name"`
	PID   int    `json:"pid"`
	Start string `json:"start"` // clock ticks since boot: field 22 of /proc/<pid>/stat
}

// startProcess runs a server detached, its output in dir/<name>.log, and records
// it in dir/<name>.pid.json for stopProcess.
func startProcess(dir, name string, env []string, command string, args ...string) (process, error) {
	log, err := os.OpenFile(filepath.Join(dir, name+".log"), os.O_CREATE|os.O_WRONLY|os.O_APPEND, 0o600)
	if err != nil {
		return process{}, err
	}
	defer log.Close()
	cmd := exec.Command(command, args...)
	cmd.Env = append(os.Environ(), env...)
	cmd.Stdout, cmd.Stderr = log, log
	cmd.SysProcAttr = &syscall.SysProcAttr{Setsid: true}
	if err := cmd.Start(); err != nil {
		return process{}, fmt.Errorf("start %s: %w", name, err)
	}
	p := process{Name: name, PID: cmd.Process.Pid}
	p.Start, err = startTime(p.PID)
	if err != nil {
		return p, errors.Join(fmt.Errorf("start %s: %w", name, err), cmd.Process.Kill())
	}
	go func() { _ = cmd.Wait() }() // reaps the child if it ends while we live
	b, err := json.Marshal(p)
	if err != nil {
		return p, err
	}
	return p, os.WriteFile(filepath.Join(dir, name+".pid.json"), b, 0o600)
}

func (p process) alive() bool {
	start, err := startTime(p.PID)
	return err == nil && start == p.Start
}

// stopProcesses ends every process recorded in dir: SIGTERM, and after five
// seconds SIGKILL.
func stopProcesses(ctx context.Context, dir string) error {
	files, err := filepath.Glob(filepath.Join(dir, "*.pid.json"))
	if err != nil {
		return err
	}
	var errs []error
	for _, f := range files {
		b, err := os.ReadFile(f)
		if err != nil {
			errs = append(errs, err)
			continue
		}
		var p process
		if err := json.Unmarshal(b, &p); err != nil {
			errs = append(errs, fmt.Errorf("%s: %w", f, err))
			continue
		}
		if err := p.stop(ctx); err != nil {
			errs = append(errs, err)
			continue
		}
		errs = append(errs, os.Remove(f))
	}
	return errors.Join(errs...)
}

func (p process) stop(ctx context.Context) error {
	for _, s := range []struct {
		signal syscall.Signal
		wait   time.Duration
	}{{syscall.SIGTERM, 5 * time.Second}, {syscall.SIGKILL, 2 * time.Second}} {
		if !p.alive() {
			return nil
		}
		if err := syscall.Kill(p.PID, s.signal); err != nil && !errors.Is(err, syscall.ESRCH) {
			return fmt.Errorf("stop %s: %w", p.Name, err)
		}
		for end := time.Now().Add(s.wait); p.alive() && time.Now().Before(end); {
			select {
			case <-ctx.Done():
				return ctx.Err()
			case <-time.After(50 * time.Millisecond):
			}
		}
	}
	if p.alive() {
		return fmt.Errorf("stop %s: pid %d is still there after SIGKILL", p.Name, p.PID)
	}
	return nil
}

// startTime reads when a process started; an error if there is none (a zombie
// counts as none).
func startTime(pid int) (string, error) {
	b, err := os.ReadFile("/proc/" + strconv.Itoa(pid) + "/stat")
	if err != nil {
		return "", err
	}
	// The second field is the command's name in parentheses, and may hold spaces.
	_, rest, ok := strings.Cut(string(b), ") ")
	fields := strings.Fields(rest)
	if !ok || len(fields) < 20 {
		return "", fmt.Errorf("unexpected /proc/%d/stat", pid)
	}
	if fields[0] == "Z" {
		return "", os.ErrProcessDone
	}
	return fields[19], nil
}
