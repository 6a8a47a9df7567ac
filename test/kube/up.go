package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"time"
)

// up starts a cluster in dir, after it removed what an earlier one left there.
func up(ctx context.Context, dir, admissionConfig string, controlPlaneOnly bool, log io.Writer) (*cluster, error) {
	if err := down(ctx, dir, log); err != nil {
		return nil, fmt.Errorf("remove the remains of an earlier run: %w", err)
	}
	if err := os.MkdirAll(filepath.Join(dir, "log"), 0o755); err != nil {
		return nil, err
	}
	c, err := plan(dir, admissionConfig, controlPlaneOnly)
	if err != nil {
		return nil, err
	}
	if err := errors.Join(c.save(), os.MkdirAll(c.RunDir, 0o700)); err != nil {
		return nil, err
	}
	start := time.Now()
	for _, s := range c.steps() {
		if s.nodeOnly && controlPlaneOnly {
			continue
		}
		begin := time.Now()
		if err := s.do(ctx); err != nil {
			return c, fmt.Errorf("%s: %w", s.name, err)
		}
		fmt.Fprintf(log, "    %-44s %5.1fs\n", s.name, time.Since(begin).Seconds())
	}
	fmt.Fprintf(log, "    Kubernetes is ready after %.1fs: %s\n", time.Since(start).Seconds(), c.Server)
	return c, nil
}

type upStep struct {
	name     string
	nodeOnly bool
	do       func(context.Context) error
}

func (c *cluster) steps() []upStep {
	plain := func(f func() error) func(context.Context) error { return func(context.Context) error { return f() } }
	return []upStep{
		{"take the machine's one place for a node", true, plain(c.takeNode)},
		{"certificates and keys", false, plain(c.issueAll)},
		{"bridge network", true, c.startNetwork},
		{"etcd", false, plain(c.startEtcd)},
		{"API server", false, func(ctx context.Context) error { return errors.Join(c.startAPIServer(), c.waitAPI(ctx)) }},
		{"open the issuer's discovery", false, c.openDiscovery},
		{"controller manager", false, plain(c.startControllerManager)},
		{"scheduler", true, plain(c.startScheduler)},
		{"containerd", true, c.startContainerd},
		{"sandbox image", true, c.loadPause},
		{"kubelet and kube-proxy", true, func(context.Context) error {
			return errors.Join(c.prepareCgroup(), c.startKubelet(), c.startProxy())
		}},
		{"default ServiceAccount", false, c.waitServiceAccounts},
		{"node Ready", true, c.waitNode},
	}
}

const nodeLock = "/run/podpass-kube.node"

// takeNode refuses a second node: kube-proxy's iptables chains are the machine's,
// not a cluster's. Clusters without a node live side by side.
func (c *cluster) takeNode() error {
	f, err := os.OpenFile(nodeLock, os.O_CREATE|os.O_RDWR, 0o600)
	if err != nil {
		return err
	}
	defer f.Close()
	if err := syscall.Flock(int(f.Fd()), syscall.LOCK_EX); err != nil {
		return err
	}
	b, err := io.ReadAll(io.LimitReader(f, 4096))
	if err != nil {
		return err
	}
	if holder := string(b); holder != "" && holder != c.Dir {
		if other, err := load(holder); err == nil && other.anyAlive() {
			return fmt.Errorf("the cluster in %s has this machine's only node: remove it with podpass-kube down --dir %s", holder, holder)
		}
	}
	if err := f.Truncate(0); err != nil {
		return err
	}
	_, err = f.WriteAt([]byte(c.Dir), 0)
	return err
}

func (c *cluster) anyAlive() bool {
	for _, p := range c.Processes {
		if p.alive() {
			return true
		}
	}
	return false
}

// restart stops one component, at once if kill is set, and starts it again with
// the same arguments but for those that flags replace.
func (c *cluster) restart(ctx context.Context, name string, kill bool, flags []string) error {
	for _, p := range c.Processes {
		if p.Name != name {
			continue
		}
		patience := 20 * time.Second
		if kill {
			patience = 0
		}
		if err := p.stop(ctx, patience); err != nil {
			return err
		}
		if err := c.spawn(p.Name, p.Path, replaceFlags(p.Args, flags)...); err != nil {
			return err
		}
		if name == "kube-apiserver" || name == "etcd" {
			return c.waitAPI(ctx)
		}
		return nil
	}
	return fmt.Errorf("no component %q in %s", name, c.Dir)
}

// replaceFlags gives args with flags ("--name=value") in the place of all of the same
// names; several of one name stay in their order.
func replaceFlags(args, flags []string) []string {
	name := func(flag string) string { n, _, _ := strings.Cut(flag, "="); return n }
	kept := slices.DeleteFunc(slices.Clone(args), func(arg string) bool {
		return slices.ContainsFunc(flags, func(flag string) bool { return name(flag) == name(arg) })
	})
	return append(kept, flags...)
}
