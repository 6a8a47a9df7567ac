package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"time"
)

// down removes a cluster and all that it left on the machine, in an order in
// which nothing starts again what was just stopped. It works on a cluster that
// was killed half-way, and does nothing where there is none.
func down(ctx context.Context, dir string, log io.Writer) error {
	c, err := load(dir)
	if errors.Is(err, os.ErrNotExist) {
		return nil
	}
	if err != nil {
		return err
	}
	start := time.Now()
	err = errors.Join(
		c.stopProcesses(ctx, "kubelet", "kube-proxy", "kube-scheduler", "kube-controller-manager"),
		c.killPods(ctx),
		c.stopProcesses(ctx, "containerd", "kube-apiserver", "etcd"),
		c.unmount(),
		c.removeNetwork(ctx),
		c.removeCgroups(ctx),
	)
	if err != nil {
		return err
	}
	if err := errors.Join(os.RemoveAll(c.RunDir), os.RemoveAll(dir)); err != nil {
		return err
	}
	fmt.Fprintf(log, "    removed the cluster in %s after %.1fs\n", dir, time.Since(start).Seconds())
	return nil
}

func (c *cluster) stopProcesses(ctx context.Context, names ...string) error {
	var errs []error
	for _, p := range c.Processes {
		if slices.Contains(names, p.Name) {
			// Nothing of a test cluster is worth a graceful end.
			errs = append(errs, p.stop(ctx, 0))
		}
	}
	return errors.Join(errs...)
}

// killPods ends every process in the pods' cgroups, then the shims.
func (c *cluster) killPods(ctx context.Context) error {
	if c.ControlPlaneOnly {
		return nil
	}
	gone := waitUntil(ctx, 10*time.Second, func() bool {
		shims := c.shims()
		for _, p := range shims {
			_ = syscall.Kill(p.PID, syscall.SIGKILL)
		}
		pids := c.podPIDs()
		for _, pid := range pids {
			_ = syscall.Kill(pid, syscall.SIGKILL)
		}
		return len(shims)+len(pids) == 0
	})
	if !gone {
		return fmt.Errorf("processes of pods survive SIGKILL: %v", c.podPIDs())
	}
	return nil
}

// cgroupDirs are the directories of the pods' cgroup, deepest first: one tree on
// cgroup v2, one per controller on v1.
func (c *cluster) cgroupDirs() []string {
	roots, _ := filepath.Glob(filepath.Join("/sys/fs/cgroup", "*", c.cgroup()))
	roots = append(roots, filepath.Join("/sys/fs/cgroup", c.cgroup()))
	var dirs []string
	for _, root := range roots {
		_ = filepath.WalkDir(root, func(path string, d os.DirEntry, err error) error {
			if err == nil && d.IsDir() {
				dirs = append(dirs, path)
			}
			return nil // what vanishes while we look is what we want gone
		})
	}
	slices.Reverse(dirs)
	return dirs
}

func (c *cluster) podPIDs() []int {
	var pids []int
	for _, dir := range c.cgroupDirs() {
		b, err := os.ReadFile(filepath.Join(dir, "cgroup.procs"))
		if err != nil {
			continue
		}
		for field := range strings.FieldsSeq(string(b)) {
			if pid, err := strconv.Atoi(field); err == nil && pid > 1 {
				pids = append(pids, pid)
			}
		}
	}
	slices.Sort(pids)
	return slices.Compact(pids)
}

func (c *cluster) prepareCgroup() error {
	controllers, err := filepath.Glob("/sys/fs/cgroup/*/cgroup.procs")
	if err != nil {
		return err
	}
	if _, err := os.Stat("/sys/fs/cgroup/cgroup.controllers"); err == nil { // v2
		return os.MkdirAll(filepath.Join("/sys/fs/cgroup", c.cgroup()), 0o755)
	}
	for _, procs := range controllers {
		dir := filepath.Join(filepath.Dir(procs), c.cgroup())
		if err := os.MkdirAll(dir, 0o755); err != nil {
			return err
		}
		// On v1 a new cpuset has no CPUs until it is given some.
		for _, f := range []string{"cpuset.cpus", "cpuset.mems"} {
			if b, err := os.ReadFile(filepath.Join(filepath.Dir(procs), f)); err == nil {
				if err := os.WriteFile(filepath.Join(dir, f), b, 0o644); err != nil {
					return err
				}
			}
		}
	}
	return nil
}

func (c *cluster) removeCgroups(ctx context.Context) error {
	if c.ControlPlaneOnly {
		return nil
	}
	// The kernel lets go of a cgroup a moment after its last process has gone.
	if !waitUntil(ctx, 5*time.Second, func() bool {
		for _, dir := range c.cgroupDirs() {
			_ = os.Remove(dir)
		}
		return len(c.cgroupDirs()) == 0
	}) {
		return fmt.Errorf("cgroup %s cannot be removed", c.cgroup())
	}
	return nil
}

// unmount undoes every mount below the cluster's directories, deepest first.
func (c *cluster) unmount() error {
	b, err := os.ReadFile("/proc/self/mountinfo")
	if err != nil {
		return err
	}
	var points []string
	for line := range strings.Lines(string(b)) {
		fields := strings.Fields(line)
		if len(fields) > 4 && (strings.HasPrefix(fields[4], c.Dir+"/") || strings.HasPrefix(fields[4], c.RunDir+"/")) {
			points = append(points, strings.ReplaceAll(fields[4], `\040`, " "))
		}
	}
	slices.Reverse(points)
	var errs []error
	for _, p := range points {
		if err := syscall.Unmount(p, syscall.MNT_DETACH); err != nil && !errors.Is(err, syscall.EINVAL) {
			errs = append(errs, fmt.Errorf("unmount %s: %w", p, err))
		}
	}
	return errors.Join(errs...)
}

// removeNetwork removes the bridge, with it the route, and kube-proxy's rules.
// The pods' ends of the veth pairs went with their network namespaces.
func (c *cluster) removeNetwork(ctx context.Context) error {
	if c.ControlPlaneOnly {
		return nil
	}
	if _, err := os.Stat(filepath.Join("/sys/class/net", c.Bridge)); err == nil {
		if err := command1(ctx, "ip", "link", "del", c.Bridge); err != nil {
			return err
		}
	}
	self, err := os.Executable()
	if err != nil {
		return err
	}
	if out, err := exec.CommandContext(ctx, self, "kube-proxy", "--cleanup").CombinedOutput(); err != nil {
		return fmt.Errorf("kube-proxy --cleanup: %w: %s", err, out)
	}
	return nil
}

// shims finds containerd's shims by the socket on their command line: they are
// not our children, and outlive containerd on purpose.
func (c *cluster) shims() []*proc {
	entries, _ := filepath.Glob("/proc/[0-9]*/cmdline")
	var found []*proc
	for _, e := range entries {
		b, err := os.ReadFile(e)
		if err != nil || !strings.Contains(string(b), "containerd-shim") || !strings.Contains(string(b), c.run("containerd.sock")) {
			continue
		}
		pid, _ := strconv.Atoi(filepath.Base(filepath.Dir(e)))
		if start, err := startTime(pid); err == nil {
			found = append(found, &proc{Name: "shim", PID: pid, Start: start})
		}
	}
	return found
}
