package main

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"time"
)

// pkg is a package under test.
type pkg struct {
	Path    string   `json:"Dir"` // absolute
	GoFiles []string `json:"GoFiles"`
	Module  struct{ Dir string }

	Dir string `json:"-"` // relative to the module
}

// companions are tests elsewhere that hold a package as its own do: the cases of the
// conformance suite run through planner and resolver.
var companions = map[string][]string{
	"federation/serviceaccount": {"./test/conformance/pods"},
	"webhook/inject":            {"./test/conformance/pods"},
}

func load(ctx context.Context, patterns []string) ([]pkg, error) {
	cmd := exec.CommandContext(ctx, "go", append([]string{"list", "-json=Dir,GoFiles,Module"}, patterns...)...)
	cmd.Stderr = os.Stderr
	out, err := cmd.Output()
	if err != nil {
		return nil, fmt.Errorf("go list: %w", err)
	}
	var all []pkg
	for d := json.NewDecoder(bytes.NewReader(out)); d.More(); {
		var p pkg
		if err := d.Decode(&p); err != nil {
			return nil, fmt.Errorf("go list: %w", err)
		}
		if p.Dir, err = filepath.Rel(p.Module.Dir, p.Path); err != nil {
			return nil, err
		}
		all = append(all, p)
	}
	return all, nil
}

type score struct{ compiled, killed int }

func (s score) percent() float64 {
	if s.compiled == 0 {
		return 100
	}
	return 100 * float64(s.killed) / float64(s.compiled)
}

// verdict of one mutant.
type verdict int

const (
	lived verdict = iota
	killed
	notCompiled
)

// try runs the tests against mutants until n have compiled; 0: all.
func (p pkg) try(ctx context.Context, mutants []mutant, n int, verbose bool) (score, error) {
	start := time.Now()
	if v, out, err := p.test(ctx, mutant{}, 10*time.Minute); err != nil || v != lived {
		return score{}, fmt.Errorf("%s: its tests do not pass without any mutant: %w\n%s", p.Dir, err, out)
	}
	// A mutant that never ends is killed by the time-out.
	limit := 3*time.Since(start) + 10*time.Second
	var s score
	for _, m := range mutants {
		if n > 0 && s.compiled == n {
			break
		}
		v, _, err := p.test(ctx, m, limit)
		if err != nil {
			return s, err
		}
		switch v {
		case notCompiled:
			continue
		case killed:
			s.killed++
		case lived:
			fmt.Println("lived:", m)
		}
		s.compiled++
		if verbose && v == killed {
			fmt.Println("killed:", m)
		}
	}
	return s, nil
}

// test runs the package's tests and its companions' with the mutant in place of the file.
func (p pkg) test(ctx context.Context, m mutant, limit time.Duration) (verdict, string, error) {
	args := []string{"test", "-count=1", "-failfast", "-vet=off", "-timeout", limit.String()}
	if m.path != "" {
		overlay, clean, err := m.overlay()
		if err != nil {
			return lived, "", err
		}
		defer clean()
		args = append(args, "-overlay", overlay)
	}
	for _, target := range append([]string{"./" + p.Dir}, companions[p.Dir]...) {
		cmd := exec.CommandContext(ctx, "go", append(args, target)...)
		cmd.Dir = p.Module.Dir
		cmd.Env = append(os.Environ(), "PODPASS_TEST_CLUSTER=")
		out, err := cmd.CombinedOutput()
		switch {
		case ctx.Err() != nil:
			return lived, "", ctx.Err()
		case err == nil:
			continue
		case strings.Contains(string(out), "[build failed]") || strings.Contains(string(out), "[setup failed]"):
			return notCompiled, string(out), nil
		}
		return killed, string(out), nil
	}
	return lived, "", nil
}

// overlay writes the changed file and the description by which go test reads it in
// place of the real one, which is never touched.
func (m mutant) overlay() (path string, clean func(), err error) {
	dir, err := os.MkdirTemp("", "mutate-")
	if err != nil {
		return "", nil, err
	}
	clean = func() { _ = os.RemoveAll(dir) }
	changed, err := m.apply()
	if err != nil {
		return "", clean, err
	}
	file := filepath.Join(dir, filepath.Base(m.path))
	description, err := json.Marshal(map[string]map[string]string{"Replace": {m.path: file}})
	if err != nil {
		return "", clean, err
	}
	path = filepath.Join(dir, "overlay.json")
	if err := os.WriteFile(file, changed, 0o600); err != nil {
		return "", clean, err
	}
	return path, clean, os.WriteFile(path, description, 0o600)
}
