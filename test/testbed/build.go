package testbed

import (
	"context"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"time"
)

// The versions of what is built from the module proxy and not linked here.
const (
	helmModule  = "helm.sh/helm/v4/cmd/helm@v4.3.1"
	minioModule = "github.com/minio/minio@v0.0.0-20260212201848-7aac2a2c5b7c"
)

// binaries are the programs of one testbed, by path.
type binaries struct {
	dir, clouds string // of this repository: podpass's three are in dir
	helm, minio string // from the module proxy
}

// build compiles all of them. Go's build cache makes the second time quick; the
// first takes some minutes, so each says what it does.
func build(ctx context.Context, root, dir string, log io.Writer) (binaries, error) {
	bin := filepath.Join(dir, "bin")
	if err := os.MkdirAll(bin, 0o755); err != nil {
		return binaries{}, err
	}
	b := binaries{dir: bin, clouds: filepath.Join(bin, "podpass-clouds")}
	if err := step(log, "Building podpass", func() error {
		return run(ctx, root, log, nil, "go", "build", "-trimpath", "-ldflags", "-s -w",
			"-o", bin+"/", "./cmd/podpass", "./cmd/podpass-webhook", "./cmd/podpass-broker", "./test/cloud/cmd/podpass-clouds")
	}); err != nil {
		return b, err
	}
	var err error
	if b.helm, err = Helm(ctx, log); err != nil {
		return b, err
	}
	b.minio, err = installTool(ctx, log, minioModule)
	return b, err
}

// Helm is the path of the helm that the testbed installs the chart with. The first time
// builds it.
func Helm(ctx context.Context, log io.Writer) (string, error) {
	return installTool(ctx, log, helmModule)
}

// installTool runs `go install module@version` into the user's cache, once.
func installTool(ctx context.Context, log io.Writer, module string) (string, error) {
	cache, err := os.UserCacheDir()
	if err != nil {
		return "", fmt.Errorf("where to keep built tools: %w", err)
	}
	path, version, _ := strings.Cut(module, "@")
	name := filepath.Base(path)
	dir := filepath.Join(cache, "podpass", "tools", name+"-"+version)
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return "", err
	}
	unlock, err := lock(filepath.Join(dir, "lock"))
	if err != nil {
		return "", err
	}
	defer unlock()
	binary := filepath.Join(dir, name)
	if _, err := os.Stat(binary); err == nil {
		return binary, nil
	}
	return binary, step(log, fmt.Sprintf("Building %s %s (the first time only; 6 to 8 minutes of CPU time)", name, version), func() error {
		return run(ctx, dir, log, []string{"GOBIN=" + dir, "GOFLAGS=-trimpath"}, "go", "install", "-ldflags", "-s -w", module)
	})
}

// lock takes an exclusive lock on a file, waiting for another process to let go.
func lock(path string) (unlock func(), err error) {
	f, err := os.OpenFile(path, os.O_CREATE|os.O_RDWR, 0o600)
	if err != nil {
		return nil, err
	}
	if err := syscall.Flock(int(f.Fd()), syscall.LOCK_EX); err != nil {
		_ = f.Close()
		return nil, fmt.Errorf("lock %s: %w", path, err)
	}
	return func() { _ = f.Close() }, nil
}

// step says what is being done, and how long it took.
func step(log io.Writer, what string, do func() error) error {
	fmt.Fprintf(log, "==> %s\n", what)
	start := time.Now()
	if err := do(); err != nil {
		return fmt.Errorf("%s: %w", strings.ToLower(what[:1])+what[1:], err)
	}
	fmt.Fprintf(log, "    done in %s\n", time.Since(start).Round(100*time.Millisecond))
	return nil
}

// run runs a command without cgo, so that what it builds runs in an image from
// scratch; its output is shown only if it fails.
func run(ctx context.Context, dir string, log io.Writer, env []string, command string, args ...string) error {
	var out strings.Builder
	cmd := exec.CommandContext(ctx, command, args...)
	cmd.Dir = dir
	cmd.Env = append(append(os.Environ(), "CGO_ENABLED=0"), env...)
	cmd.Stdout, cmd.Stderr = &out, &out
	if err := cmd.Run(); err != nil {
		_, _ = io.WriteString(log, out.String())
		return fmt.Errorf("%s %s: %w", command, strings.Join(args, " "), err)
	}
	return nil
}
