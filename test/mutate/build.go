package main

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
)

// insertion is text put into a file.
type insertion struct {
	at   int
	text string
	// rank orders those at one place: what ends there comes before what begins there, the
	// innermost first that ends, the outermost first that begins.
	ends bool
	size int
}

// changed is the file with these mutants, the nth of numbers by its number.
func changed(src []byte, mutants []mutant, numbers []int) []byte {
	if len(mutants) == 1 && !mutants[0].switched() {
		m := mutants[0]
		return slices.Concat(src[:m.start], []byte(m.text), src[m.end:])
	}
	var all []insertion
	for i, m := range mutants {
		before := strings.Replace(m.before, "%d", strconv.Itoa(numbers[i]), 1)
		all = append(all, insertion{m.start, before, false, m.end - m.start}, insertion{m.end, m.behind, true, m.end - m.start})
	}
	slices.SortStableFunc(all, func(a, b insertion) int {
		switch {
		case a.at != b.at:
			return a.at - b.at
		case a.ends != b.ends && a.ends:
			return -1
		case a.ends != b.ends:
			return 1
		case a.ends:
			return a.size - b.size
		default:
			return b.size - a.size
		}
	})
	var out bytes.Buffer
	last := 0
	for _, i := range all {
		out.Write(src[last:i.at])
		out.WriteString(i.text)
		last = i.at
	}
	out.Write(src[last:])
	return out.Bytes()
}

// selector is the file that tells which mutant is in force: by the environment.
const selector = `package %s

import (
	"os"
	"strconv"
)

var mutateN = func() int { n, _ := strconv.Atoi(os.Getenv("MUTATE")); return n }()
`

// build makes the test binary of target, a package's path, with these mutants of p.
// false: they do not compile.
func (p pkg) build(ctx context.Context, dir, target string, mutants []mutant, numbers []int) (binary string, ok bool, err error) {
	overlay := map[string]string{}
	byFile := map[string][]int{}
	for i, m := range mutants {
		byFile[m.path] = append(byFile[m.path], i)
	}
	write := func(path string, content []byte) error {
		file := filepath.Join(dir, fmt.Sprintf("%d-%s", len(overlay), filepath.Base(path)))
		overlay[path] = file
		return os.WriteFile(file, content, 0o600)
	}
	for path, indices := range byFile {
		src, err := os.ReadFile(path)
		if err != nil {
			return "", false, err
		}
		var some []mutant
		var n []int
		for _, i := range indices {
			some, n = append(some, mutants[i]), append(n, numbers[i])
		}
		if err := write(path, changed(src, some, n)); err != nil {
			return "", false, err
		}
	}
	if err := write(filepath.Join(p.Path, "zz_mutate.go"), fmt.Appendf(nil, selector, p.Name)); err != nil {
		return "", false, err
	}
	description, err := json.Marshal(map[string]any{"Replace": overlay})
	if err != nil {
		return "", false, err
	}
	file := filepath.Join(dir, "overlay.json")
	if err := os.WriteFile(file, description, 0o600); err != nil {
		return "", false, err
	}
	binary = filepath.Join(dir, strings.ReplaceAll(strings.Trim(target, "./"), "/", "-")+".test")
	cmd := exec.CommandContext(ctx, "go", "test", "-c", "-vet=off", "-overlay", file, "-o", binary, target)
	cmd.Dir = p.Module.Dir
	out, err := cmd.CombinedOutput()
	if ctx.Err() != nil {
		return "", false, ctx.Err()
	}
	if err != nil && os.Getenv("MUTATE_DEBUG") != "" {
		fmt.Fprintf(os.Stderr, "%s", out)
	}
	return binary, err == nil, nil
}
