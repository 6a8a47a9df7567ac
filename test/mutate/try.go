package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"time"
)

// pkg is a package under test.
type pkg struct {
	Path    string   `json:"Dir"` // absolute
	Name    string   `json:"Name"`
	GoFiles []string `json:"GoFiles"`
	Module  struct{ Dir string }

	Dir string `json:"-"` // relative to the module
}

// companions are tests elsewhere that hold a package as its own do: the cases of the
// conformance suites run through planner, resolver and the evaluation of trust.
var companions = map[string][]string{
	"federation/serviceaccount":   {"./test/conformance/pods"},
	"federation/trust/awstrust":   {"./test/conformance/trust"},
	"federation/trust/azuretrust": {"./test/conformance/trust"},
	"federation/trust/gcptrust":   {"./test/conformance/trust"},
	"webhook/inject":              {"./test/conformance/pods"},
}

func load(ctx context.Context, patterns []string) ([]pkg, error) {
	cmd := exec.CommandContext(ctx, "go", append([]string{"list", "-json=Dir,Name,GoFiles,Module"}, patterns...)...)
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

// suite is a test binary, and where it runs.
type suite struct{ binary, dir string }

// try runs the tests against mutants until n have compiled; 0: all.
func (p pkg) try(ctx context.Context, mutants []mutant, n int, short, verbose bool) (score, error) {
	dir, err := os.MkdirTemp("", "mutate-")
	if err != nil {
		return score{}, err
	}
	defer func() { _ = os.RemoveAll(dir) }()
	// One build has all mutants that a number switches.
	var switched []mutant
	var numbers []int
	for i, m := range mutants {
		if m.switched() {
			switched, numbers = append(switched, m), append(numbers, i+1)
		}
	}
	common, ok, err := p.suites(ctx, dir, switched, numbers)
	if err != nil || !ok {
		return score{}, errors.Join(err, fmt.Errorf("%s: does not compile with its mutants, or without any; MUTATE_DEBUG=1 shows why", p.Dir))
	}
	start := time.Now()
	if killed, out, err := run(ctx, common, 0, short, 10*time.Minute); err != nil || killed {
		return score{}, errors.Join(err, fmt.Errorf("%s: its tests do not pass without any mutant\n%s", p.Dir, out))
	}
	// A mutant that never ends is killed by the time-out.
	limit := 3*time.Since(start) + 10*time.Second
	var s score
	for i, m := range mutants {
		if n > 0 && s.compiled == n {
			break
		}
		suites := common
		if !m.switched() {
			if suites, ok, err = p.suites(ctx, dir, []mutant{m}, []int{i + 1}); err != nil {
				return s, err
			} else if !ok {
				continue
			}
		}
		s.compiled++
		killed, _, err := run(ctx, suites, i+1, short, limit)
		switch {
		case err != nil:
			return s, err
		case !killed:
			fmt.Println("lived:", m)
		default:
			s.killed++
			if verbose {
				fmt.Println("killed:", m)
			}
		}
	}
	return s, nil
}

// suites builds the package's own tests and its companions'.
func (p pkg) suites(ctx context.Context, dir string, mutants []mutant, numbers []int) ([]suite, bool, error) {
	var list []suite
	if len(mutants) == 1 && !mutants[0].switched() {
		dir = filepath.Join(dir, "one")
		if err := os.MkdirAll(dir, 0o700); err != nil {
			return nil, false, err
		}
	}
	for _, target := range slices.Concat([]string{"./" + p.Dir}, companions[p.Dir]) {
		binary, ok, err := p.build(ctx, dir, target, mutants, numbers)
		if err != nil || !ok {
			return nil, false, err
		}
		list = append(list, suite{binary, filepath.Join(p.Module.Dir, target)})
	}
	return list, true, nil
}

// run reports whether the tests notice the mutant of that number; 0: none is in force.
func run(ctx context.Context, suites []suite, number int, short bool, limit time.Duration) (killed bool, out string, err error) {
	for _, s := range suites {
		if _, err := os.Stat(s.binary); errors.Is(err, os.ErrNotExist) {
			continue // a package without tests
		}
		cmd := exec.CommandContext(ctx, s.binary, "-test.failfast", "-test.short="+strconv.FormatBool(short), "-test.timeout", limit.String())
		cmd.Dir = s.dir
		cmd.Env = append(os.Environ(), "PODPASS_TEST_CLUSTER=", "MUTATE="+strconv.Itoa(number))
		out, err := cmd.CombinedOutput()
		switch _, failed := errors.AsType[*exec.ExitError](err); {
		case ctx.Err() != nil:
			return false, "", ctx.Err()
		case failed:
			return true, string(out), nil
		case err != nil: // no test has run
			return false, "", err
		}
	}
	return false, "", nil
}
