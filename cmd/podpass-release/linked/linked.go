// Package linked says which modules' code becomes part of a program.
package linked

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
)

// Std is the path under which Go's standard library is listed.
const Std = "std"

// Module is a module of which at least one package is linked.
type Module struct {
	Path    string
	Version string // as Go has it: v1.2.3; of the standard library: go1.26.8
	Dir     string // where its source is
	// Packages are the directories, absolute, of the packages that are linked.
	Packages []string
}

// Platform is what Go builds for.
type Platform struct{ OS, Arch string }

func (p Platform) String() string { return p.OS + "/" + p.Arch }

// ParsePlatform reads os/arch.
func ParsePlatform(s string) (Platform, error) {
	goos, arch, ok := strings.Cut(s, "/")
	if !ok || goos == "" || arch == "" || strings.Contains(arch, "/") {
		return Platform{}, fmt.Errorf("platform %q: write it as os/arch, such as linux/arm64", s)
	}
	return Platform{goos, arch}, nil
}

// Modules are those linked into the programs at the import paths mains, built for a
// platform from the module in dir, in order of their paths: the standard library too, the
// module itself not. `go version -m` names the same modules, but not their packages, and
// some licenses count for single packages.
func Modules(ctx context.Context, dir string, platform Platform, mains ...string) ([]Module, error) {
	cmd := exec.CommandContext(ctx, "go", append([]string{"list", "-deps", "-json=Dir,Standard,Module"}, mains...)...)
	cmd.Dir = dir
	cmd.Env = append(os.Environ(), "GOOS="+platform.OS, "GOARCH="+platform.Arch, "CGO_ENABLED=0")
	var errs bytes.Buffer
	cmd.Stderr = &errs
	out, err := cmd.Output()
	if err != nil {
		return nil, fmt.Errorf("list what is linked into %s for %s: %w\n%s", strings.Join(mains, " "), platform, err, errs.String())
	}
	std, err := standard(ctx, dir)
	if err != nil {
		return nil, err
	}
	return group(out, std)
}

// group sorts the packages that `go list` printed to their modules.
func group(list []byte, std Module) ([]Module, error) {
	modules := map[string]*Module{}
	for packages := json.NewDecoder(bytes.NewReader(list)); ; {
		var p struct {
			Dir      string
			Standard bool
			Module   *struct {
				Path, Version, Dir string
				Main               bool
				Replace            *struct{ Path, Version, Dir string }
			}
		}
		if err := packages.Decode(&p); errors.Is(err, io.EOF) {
			break
		} else if err != nil {
			return nil, fmt.Errorf("read what go list prints: %w", err)
		}
		var m Module
		switch {
		case p.Standard:
			m = std
		case p.Module == nil:
			return nil, fmt.Errorf("the package in %s belongs to no module", p.Dir)
		case p.Module.Main:
			continue
		case p.Module.Replace != nil:
			return nil, fmt.Errorf("module %s is replaced: a release is made of published modules only", p.Module.Path)
		default:
			m = Module{Path: p.Module.Path, Version: p.Module.Version, Dir: p.Module.Dir}
		}
		if modules[m.Path] == nil {
			modules[m.Path] = &m
		}
		modules[m.Path].Packages = append(modules[m.Path].Packages, p.Dir)
	}
	var sorted []Module
	for _, path := range slices.Sorted(maps.Keys(modules)) {
		sorted = append(sorted, *modules[path])
	}
	return sorted, nil
}

func standard(ctx context.Context, dir string) (Module, error) {
	cmd := exec.CommandContext(ctx, "go", "env", "GOROOT", "GOVERSION")
	cmd.Dir = dir
	out, err := cmd.Output()
	if err != nil {
		return Module{}, fmt.Errorf("ask go for its root and version: %w", err)
	}
	root, version, _ := strings.Cut(strings.TrimSpace(string(out)), "\n")
	return Module{Path: Std, Version: version, Dir: filepath.Clean(root)}, nil
}
