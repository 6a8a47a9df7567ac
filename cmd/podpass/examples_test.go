package main

import (
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/rogpeppe/go-internal/testscript"
	"github.com/spf13/cobra"
)

// examples runs each command of a command's --help, line by line, by a shell that ends
// at the first failure: examples trust aws. Its cloud's own commands are the script's. What
// is an example of a command below it as well runs there.
func examples(ts *testscript.TestScript, neg bool, args []string) {
	cmd, rest, err := newRoot().Find(args)
	if neg || err != nil || len(rest) > 0 || cmd.Example == "" {
		ts.Fatalf("usage: examples COMMAND, which has some: %v", err)
	}
	for _, line := range examplesOf(cmd) {
		if err := ts.Exec("sh", "-euc", line); err != nil {
			ts.Fatalf("%s: %v", line, err)
		}
	}
}

// examplesOf are the commands of a --help that none of the commands below has too.
func examplesOf(cmd *cobra.Command) (own []string) {
	below := map[string]bool{}
	for _, c := range cmd.Commands() {
		for c := range family(c) {
			for _, line := range exampleLines(c) {
				below[line] = true
			}
		}
	}
	for _, line := range exampleLines(cmd) {
		if !below[line] {
			own = append(own, line)
		}
	}
	return own
}

func exampleLines(cmd *cobra.Command) (lines []string) {
	for line := range strings.SplitSeq(cmd.Example, "\n") {
		if line = strings.TrimSpace(line); line != "" && !strings.HasPrefix(line, "#") {
			lines = append(lines, line)
		}
	}
	return lines
}

// family is a command with all below it.
func family(cmd *cobra.Command) map[*cobra.Command]bool {
	all := map[*cobra.Command]bool{cmd: true}
	for _, c := range cmd.Commands() {
		maps.Copy(all, family(c))
	}
	return all
}

// ownTests run the examples of commands that need more of a cluster than a script has.
var ownTests = map[string]string{
	"podpass doctor kube":    "internal/kubedoctor/examples_test.go",
	"podpass doctor":         "internal/doctor/examples_test.go",
	"podpass migrate apply":  "internal/migrate/apply/examples_test.go",
	"podpass migrate delete": "internal/migrate/apply/examples_test.go",
	"podpass migrate guard":  "migrate_cluster_test.go",
	"podpass migrate plan":   "migrate_cluster_test.go",
	"podpass migrate scan":   "migrate_cluster_test.go",
	"podpass migrate status": "migrate_cluster_test.go",
	"podpass migrate undo":   "internal/migrate/apply/examples_test.go",
	"podpass migrate":        "migrate_cluster_test.go",
	"podpass status":         "internal/fleet/fleet_test.go",
}

// TestExamplesRun: there is no example in any --help that no test runs.
func TestExamplesRun(t *testing.T) {
	scripts, err := filepath.Glob("testdata/*.txtar")
	if err != nil {
		t.Fatal(err)
	}
	var run []string
	for _, script := range scripts {
		text, err := os.ReadFile(script)
		if err != nil {
			t.Fatal(err)
		}
		commands, _, _ := strings.Cut(string(text), "\n-- ")
		for line := range strings.Lines(commands) {
			if fields := strings.Fields(line); len(fields) > 0 && fields[0] == "examples" {
				run = append(run, strings.Join(append([]string{"podpass"}, fields[1:]...), " "))
			}
		}
	}
	seen := 0
	for cmd := range family(newRoot()) {
		path, own := cmd.CommandPath(), examplesOf(cmd)
		seen += len(own)
		file, elsewhere := ownTests[path]
		switch {
		case len(own) == 0 || slices.Contains(run, path):
		case !elsewhere:
			t.Errorf("%s has examples that no script runs: %q", path, own)
		default:
			text, err := os.ReadFile(file)
			if err != nil || !strings.Contains(string(text), "xamples(t *testing.T)") || !strings.Contains(string(text), `"`+path+`"`) {
				t.Errorf("%s: %s does not run its examples: %v", path, file, err)
			}
		}
	}
	if seen < 40 {
		t.Errorf("only %d examples", seen)
	}
}
