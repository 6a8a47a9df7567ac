package main

import (
	"context"
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

// proc is a process of the cluster. Start, in clock ticks since boot, tells it
// from another process that was given the same pid later.
type proc struct {
	Name  string   `json:"name"`
	PID   int      `json:"pid"`
	Start string   `json:"start"`
	Path  string   `json:"path"`
	Args  []string `json:"args"` // with argv[0]
}

// spawn starts a component detached, with its output in DIR/log/NAME.log, and
// records it. A component of the same name that ran before is forgotten.
func (c *cluster) spawn(name, path string, args ...string) error {
	p := &proc{Name: name, Path: path, Args: args}
	if err := p.start(c.path("log", name+".log")); err != nil {
		return err
	}
	for i, old := range c.Processes {
		if old.Name == name {
			c.Processes[i] = p
			return c.save()
		}
	}
	c.Processes = append(c.Processes, p)
	return c.save()
}

func (p *proc) start(log string) error {
	f, err := os.OpenFile(log, os.O_CREATE|os.O_WRONLY|os.O_APPEND, 0o600)
	if err != nil {
		return err
	}
	defer f.Close()
	cmd := exec.Command(p.Path, p.Args...)
	cmd.Stdout, cmd.Stderr = f, f
	cmd.Env = append(os.Environ(), "PATH="+os.Getenv("PATH")+":/usr/sbin:/sbin")
	cmd.SysProcAttr = &syscall.SysProcAttr{Setsid: true}
	if err := cmd.Start(); err != nil {
		return fmt.Errorf("start %s: %w", p.Name, err)
	}
	p.PID = cmd.Process.Pid
	if p.Start, err = startTime(p.PID); err != nil {
		return fmt.Errorf("start %s: %w (see %s)", p.Name, err, log)
	}
	go func() { _ = cmd.Wait() }() // reaps it, should it end while we live
	return nil
}

func (p *proc) alive() bool {
	start, err := startTime(p.PID)
	return err == nil && start == p.Start
}

// stop sends SIGTERM, and SIGKILL when patience ends; patience 0 kills at once.
func (p *proc) stop(ctx context.Context, patience time.Duration) error {
	if patience > 0 && p.alive() {
		if err := syscall.Kill(p.PID, syscall.SIGTERM); err != nil && !errors.Is(err, syscall.ESRCH) {
			return err
		}
		if waitUntil(ctx, patience, func() bool { return !p.alive() }) {
			return nil
		}
	}
	if !p.alive() {
		return nil
	}
	if err := syscall.Kill(p.PID, syscall.SIGKILL); err != nil && !errors.Is(err, syscall.ESRCH) {
		return err
	}
	if !waitUntil(ctx, 5*time.Second, func() bool { return !p.alive() }) {
		return fmt.Errorf("%s (pid %d) survived SIGKILL", p.Name, p.PID)
	}
	return nil
}

// waitUntil polls done; false when patience or ctx ended first.
func waitUntil(ctx context.Context, patience time.Duration, done func() bool) bool {
	for end := time.Now().Add(patience); ; {
		if done() {
			return true
		}
		if time.Now().After(end) {
			return false
		}
		select {
		case <-ctx.Done():
			return false
		case <-time.After(50 * time.Millisecond):
		}
	}
}

// startTime is field 22 of /proc/PID/stat; an error if there is no such process,
// or if it is a zombie.
func startTime(pid int) (string, error) {
	b, err := os.ReadFile(filepath.Join("/proc", strconv.Itoa(pid), "stat"))
	if err != nil {
		return "", err
	}
	// The command's name, in parentheses, may itself hold parentheses and spaces.
	i := strings.LastIndexByte(string(b), ')')
	fields := strings.Fields(string(b[i+1:]))
	if len(fields) < 20 {
		return "", fmt.Errorf("unexpected /proc/%d/stat", pid)
	}
	if fields[0] == "Z" {
		return "", os.ErrProcessDone
	}
	return fields[19], nil
}
