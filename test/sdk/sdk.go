// Package sdk builds the two client programs by which tests and the demo see
// what unmodified cloud SDKs make of podpass: sdk-go, from the Go module in go/,
// and sdk-js, from js/ with its SDKs from the npm registry.
//
//	clients, err := sdk.Build(ctx, os.Stderr)
//	cmd := exec.CommandContext(ctx, clients.Go, "aws")
//	cmd = exec.CommandContext(ctx, clients.Node, clients.Main(), "aws")
//	results, err := sdk.ParseResults(stdout)
//
// What is built is kept in the user's cache directory under the hash of its
// inputs, so the second Build, also from another process, takes milliseconds.
// The JavaScript client brings its own Node.js, an npm package: the version of
// the machine's, if it has one, does not matter.
package sdk

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
)

// ErrNoNPM says that the JavaScript SDKs cannot be installed: there is no npm, and we
// may not install it. A test may then leave out its JavaScript half, and say so.
var ErrNoNPM = errors.New("npm is not installed, and only root can install it: apt-get install --no-install-recommends npm")

// Clients are the programs, as paths on this machine.
type Clients struct {
	// Go is the static binary sdk-go.
	Go string
	// Node is a Node.js binary, and JSDir the directory with main.js for it.
	Node  string
	JSDir string

	modules   string   // the node_modules that JSDir finds
	libraries []string // the shared libraries of Node and their loader, as ImageFiles lists them
}

// Main is the path of main.js.
func (c Clients) Main() string { return filepath.Join(c.JSDir, "main.js") }

// Build makes both programs, or finds them in the cache. Progress goes to log:
// the first time takes a minute or two, most of it compiling. An error that is
// [ErrNoNPM] leaves Clients.Go usable.
func Build(ctx context.Context, log io.Writer) (Clients, error) {
	source, err := sourceDir(ctx)
	if err != nil {
		return Clients{}, err
	}
	cache, err := os.UserCacheDir()
	if err != nil {
		return Clients{}, fmt.Errorf("build SDK clients: %w", err)
	}
	cache = filepath.Join(cache, "podpass")
	if err := os.MkdirAll(cache, 0o755); err != nil {
		return Clients{}, fmt.Errorf("build SDK clients: %w", err)
	}
	// Test packages run side by side: one builds, the others wait.
	unlock, err := lock(ctx, filepath.Join(cache, "sdk.lock"), log)
	if err != nil {
		return Clients{}, err
	}
	defer unlock()

	var c Clients
	if c.Go, err = buildGo(ctx, filepath.Join(source, "go"), cache, log); err != nil {
		return Clients{}, err
	}
	if err := c.installJS(ctx, filepath.Join(source, "js"), cache, log); err != nil {
		return Clients{Go: c.Go}, err
	}
	return c, nil
}

// sourceDir is this package's directory in the checkout from which go runs.
func sourceDir(ctx context.Context) (string, error) {
	out, err := exec.CommandContext(ctx, "go", "list", "-f", "{{.Dir}}", "github.com/podpass-io/podpass/test/sdk").Output()
	if err != nil {
		return "", fmt.Errorf("find the sources of the SDK clients: %w", withStderr(err))
	}
	return strings.TrimSpace(string(out)), nil
}

// withStderr adds what a failed command wrote.
func withStderr(err error) error {
	if e, ok := errors.AsType[*exec.ExitError](err); ok && len(e.Stderr) > 0 {
		return fmt.Errorf("%w: %s", err, strings.TrimSpace(string(e.Stderr)))
	}
	return err
}
