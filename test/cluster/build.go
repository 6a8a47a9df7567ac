package cluster

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync/atomic"
	"syscall"
	"time"
)

// kubernetesVersion is what clients are answered; it must be the version of
// k8s.io/kubernetes in test/kube/go.mod.
const kubernetesVersion = "v1.37.2"

// Build compiles podpass-kube into the user's cache and returns its path. The
// first build takes some minutes, of which log tells; later ones are a look at a
// file. Processes that build at the same time wait for one another.
func Build(ctx context.Context, log io.Writer) (string, error) {
	source, err := sourceDir(ctx)
	if err != nil {
		return "", err
	}
	sum, err := digest(source)
	if err != nil {
		return "", err
	}
	cache, err := os.UserCacheDir()
	if err != nil {
		return "", fmt.Errorf("where to keep podpass-kube: %w", err)
	}
	dir := filepath.Join(cache, "podpass", "kube-"+sum)
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return "", err
	}
	lock, err := os.OpenFile(filepath.Join(dir, "lock"), os.O_CREATE|os.O_RDWR, 0o600)
	if err != nil {
		return "", err
	}
	defer lock.Close()
	if err := syscall.Flock(int(lock.Fd()), syscall.LOCK_EX); err != nil {
		return "", err
	}
	binary := filepath.Join(dir, "podpass-kube")
	if _, err := os.Stat(binary); err == nil {
		return binary, nil
	}
	fmt.Fprintln(log, "==> Building Kubernetes "+kubernetesVersion+" (the first time only; 29 minutes of CPU time)")
	if err := goBuild(ctx, log, source, filepath.Join(dir, "pause"), "./pause"); err != nil {
		return "", err
	}
	// Renamed when whole, so that a build cut short leaves nothing that looks done.
	if err := goBuild(ctx, log, source, binary+".new", "."); err != nil {
		return "", err
	}
	return binary, os.Rename(binary+".new", binary)
}

// sourceDir is the directory of the module in test/kube.
func sourceDir(ctx context.Context) (string, error) {
	out, err := exec.CommandContext(ctx, "go", "list", "-m", "-f", "{{.Dir}}", "github.com/podpass-io/podpass").Output()
	if err != nil {
		return "", fmt.Errorf("find the repository: go list -m: %w", err)
	}
	return filepath.Join(strings.TrimSpace(string(out)), "test", "kube"), nil
}

// digest names the program's sources: a changed source gets a new build.
func digest(source string) (string, error) {
	files, err := filepath.Glob(filepath.Join(source, "*"))
	if err != nil {
		return "", err
	}
	sum := sha256.New()
	for _, f := range files {
		if info, err := os.Stat(f); err != nil || info.IsDir() || strings.HasSuffix(f, "_test.go") {
			continue
		}
		b, err := os.ReadFile(f)
		if err != nil {
			return "", err
		}
		fmt.Fprintf(sum, "%s %d\n", filepath.Base(f), len(b))
		sum.Write(b)
	}
	return hex.EncodeToString(sum.Sum(nil)[:6]), nil
}

func goBuild(ctx context.Context, log io.Writer, dir, out, pkg string) error {
	var counted lines
	cmd := exec.CommandContext(ctx, "go", "build", "-v", "-trimpath", "-o", out,
		"-ldflags", "-s -w -X k8s.io/component-base/version.gitVersion="+kubernetesVersion, pkg)
	cmd.Dir = dir
	cmd.Env = append(os.Environ(), "CGO_ENABLED=0")
	cmd.Stderr = &counted
	if err := cmd.Start(); err != nil {
		return err
	}
	done := make(chan error, 1)
	go func() { done <- cmd.Wait() }()
	start := time.Now()
	tick := time.NewTicker(15 * time.Second)
	defer tick.Stop()
	for {
		select {
		case err := <-done:
			if err != nil {
				return fmt.Errorf("go build %s in %s: %w\n%s", pkg, dir, err, counted.tail())
			}
			return nil
		case <-tick.C:
			fmt.Fprintf(log, "    %3.0fs: %d packages compiled\n", time.Since(start).Seconds(), counted.n.Load())
		}
	}
}

// lines counts what go build -v prints, a line per package, and keeps the end of
// it for the error message.
type lines struct {
	n    atomic.Int64
	last []byte
}

func (l *lines) Write(p []byte) (int, error) {
	l.n.Add(int64(strings.Count(string(p), "\n")))
	l.last = append(l.last, p...)
	if over := len(l.last) - 4096; over > 0 {
		l.last = l.last[over:]
	}
	return len(p), nil
}

func (l *lines) tail() string { return string(l.last) }
