package sdk

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
)

// installJS lays out, in the cache,
//
//	sdk-js-<hash of the lock file>/node           Node.js
//	sdk-js-<hash of the lock file>/node_modules   the SDKs, as npm ci installs them
//	sdk-js-<hash of the lock file>/app-<hash>/    our sources
//
// Node.js looks for modules in every parent directory, so that a changed source
// costs no new installation, and two checkouts do not disturb one another.
func (c *Clients) installJS(ctx context.Context, source, cache string, log io.Writer) error {
	manifests := []string{"package.json", "package-lock.json", ".npmrc"}
	key, err := hashFiles(source, runtime.GOARCH, manifests...)
	if err != nil {
		return fmt.Errorf("install sdk-js: %w", err)
	}
	dir := filepath.Join(cache, "sdk-js-"+key)
	if _, err := os.Stat(dir); errors.Is(err, fs.ErrNotExist) {
		if err := npmCI(ctx, source, dir, manifests, log); err != nil {
			return fmt.Errorf("install sdk-js: %w", err)
		}
	} else if err != nil {
		return fmt.Errorf("install sdk-js: %w", err)
	}

	key, err = hashFiles(source, "", "*.js")
	if err != nil {
		return fmt.Errorf("install sdk-js: %w", err)
	}
	app := filepath.Join(dir, "app-"+key)
	if err := copyFiles(source, app, "*.js"); err != nil {
		return fmt.Errorf("install sdk-js: %w", err)
	}
	c.JSDir, c.Node, c.modules = app, filepath.Join(dir, "node"), filepath.Join(dir, "node_modules")
	c.libraries, err = sharedLibraries(ctx, c.Node)
	return err
}

// npmCI installs exactly what the lock file says into a new directory.
func npmCI(ctx context.Context, source, dir string, manifests []string, log io.Writer) error {
	npm, err := findNPM(ctx, log)
	if err != nil {
		return err
	}
	partial := dir + ".partial"
	if err := os.RemoveAll(partial); err != nil {
		return err
	}
	if err := copyFiles(source, partial, manifests...); err != nil {
		return err
	}
	fmt.Fprintln(log, "Installing the JavaScript SDKs with npm ci (under a minute)")
	// No package of the list needs an install script; one that comes to need it
	// should be looked at first.
	cmd := exec.CommandContext(ctx, npm, "ci", "--omit=dev", "--ignore-scripts", "--no-audit", "--no-fund")
	cmd.Dir = partial
	if out, err := cmd.CombinedOutput(); err != nil {
		return fmt.Errorf("npm ci: %w\n%s", err, out)
	}
	if err := extractNode(partial); err != nil {
		return err
	}
	if err := prune(filepath.Join(partial, "node_modules")); err != nil {
		return err
	}
	return os.Rename(partial, dir)
}

// extractNode takes bin/node out of its npm package, and drops the rest: C headers,
// a third of everything that npm has installed.
func extractNode(dir string) error {
	arch := map[string]string{"amd64": "x64", "arm64": "arm64"}[runtime.GOARCH]
	if arch == "" || runtime.GOOS != "linux" {
		return fmt.Errorf("package.json names no Node.js for %s/%s", runtime.GOOS, runtime.GOARCH)
	}
	pkg := filepath.Join(dir, "node_modules", "node-linux-"+arch)
	if err := os.Rename(filepath.Join(pkg, "bin", "node"), filepath.Join(dir, "node")); err != nil {
		// An optional dependency: npm says nothing when it cannot have it.
		return fmt.Errorf("npm ci left out node-linux-%s: %w", arch, err)
	}
	return os.RemoveAll(pkg)
}

// prune removes what no program loads: more than half of the SDKs' bytes, which
// would travel with each image.
func prune(modules string) error {
	return filepath.WalkDir(modules, func(path string, entry fs.DirEntry, err error) error {
		if err != nil || entry.IsDir() {
			return err
		}
		for _, suffix := range []string{".map", ".d.ts", ".d.mts", ".d.cts"} {
			if strings.HasSuffix(path, suffix) {
				return os.Remove(path)
			}
		}
		return nil
	})
}

// findNPM looks for npm, and installs Debian's if it may.
func findNPM(ctx context.Context, log io.Writer) (string, error) {
	if npm, err := exec.LookPath("npm"); err == nil {
		return npm, nil
	}
	if _, err := exec.LookPath("apt-get"); err != nil || os.Getuid() != 0 {
		return "", ErrNoNPM
	}
	fmt.Fprintln(log, "Installing npm with apt-get (a minute or two)")
	for _, args := range [][]string{{"update", "-q"}, {"install", "-y", "-q", "--no-install-recommends", "npm"}} {
		cmd := exec.CommandContext(ctx, "apt-get", args...)
		cmd.Env = append(os.Environ(), "DEBIAN_FRONTEND=noninteractive")
		if out, err := cmd.CombinedOutput(); err != nil {
			return "", fmt.Errorf("apt-get %s: %w\n%s", args[0], err, out)
		}
	}
	return exec.LookPath("npm")
}
