package e2e

import (
	"bytes"
	"context"
	"errors"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"

	"sigs.k8s.io/yaml"

	"github.com/podpass-io/podpass/test/statickeys"
)

// step is what is read of a plan's step.
type step struct {
	Name     string
	Workload struct{ Kind, Name string }
	ByHand   []string

	ServiceAccount struct {
		Name        string
		Annotations map[string]string
	}

	at int // its turn in the plan
}

// readPlan reads the steps of the plan in a folder, by the name of the workload.
func readPlan(t *testing.T, dir string) map[string]step {
	t.Helper()
	raw, err := os.ReadFile(filepath.Join(dir, "plan.yaml"))
	if err != nil {
		t.Fatal(err)
	}
	var plan struct{ Steps []step }
	if err := yaml.Unmarshal(raw, &plan); err != nil {
		t.Fatal(err)
	}
	steps := map[string]step{}
	for i, s := range plan.Steps {
		if len(s.ByHand) > 0 && s.Workload.Name != byHand {
			t.Errorf("%s: something is left to do by hand: %v", s.Name, s.ByHand)
		}
		s.at = i
		steps[s.Workload.Name] = s
	}
	return steps
}

// terminal runs podpass migrate, and keeps all that it has printed. It is safe for
// concurrent use.
type terminal struct {
	mu      sync.Mutex
	printed bytes.Buffer
}

// command is podpass migrate with arguments, for the namespace.
func (c *terminal) command(ctx context.Context, args ...string) (cmd *exec.Cmd, stdout, stderr *bytes.Buffer) {
	args = slices.Concat([]string{"migrate"}, args, []string{"--kubeconfig", bed.Kubeconfig})
	if args[1] != "apply" { // a plan names its namespaces
		args = append(args, "-n", migrated)
	}
	cmd, stdout, stderr = exec.CommandContext(ctx, bed.Podpass(), args...), new(bytes.Buffer), new(bytes.Buffer)
	cmd.Stdout, cmd.Stderr = stdout, stderr
	return cmd, stdout, stderr
}

// run runs it to its end, and gives its exit status.
func (c *terminal) run(t *testing.T, args ...string) (status int, stdout, stderr string) {
	t.Helper()
	cmd, out, told := c.command(t.Context(), args...)
	err := cmd.Run()
	c.keep(out, told)
	if exit, ok := errors.AsType[*exec.ExitError](err); ok {
		return exit.ExitCode(), out.String(), told.String()
	}
	if err != nil {
		t.Fatalf("podpass migrate %s: %v", strings.Join(args, " "), err)
	}
	return 0, out.String(), told.String()
}

func (c *terminal) keep(list ...*bytes.Buffer) {
	c.mu.Lock()
	defer c.mu.Unlock()
	for _, b := range list {
		c.printed.Write(b.Bytes())
	}
}

// of are the lines that were printed with a text in them.
func (c *terminal) of(text string) string {
	c.mu.Lock()
	defer c.mu.Unlock()
	var lines strings.Builder
	for line := range strings.Lines(c.printed.String()) {
		if strings.Contains(line, text) {
			lines.WriteString(line)
		}
	}
	return lines.String()
}

// must is run of what has to succeed; it gives the standard output.
func (c *terminal) must(t *testing.T, args ...string) string {
	t.Helper()
	status, stdout, stderr := c.run(t, args...)
	if status != 0 {
		t.Fatalf("podpass migrate %s: status %d: %s%s", strings.Join(args, " "), status, stdout, stderr)
	}
	return stdout
}

// atOnce is how many commands run at once: the machine also starts their pods.
const atOnce = 8

// each runs commands that have to succeed, some at once.
func (c *terminal) each(t *testing.T, commands [][]string) {
	t.Helper()
	var all sync.WaitGroup
	places := make(chan struct{}, atOnce)
	for _, args := range commands {
		all.Go(func() {
			places <- struct{}{}
			defer func() { <-places }()
			if status, stdout, stderr := c.run(t, args...); status != 0 {
				t.Errorf("podpass migrate %s: status %d: %s%s", strings.Join(args, " "), status, stdout, stderr)
			}
		})
	}
	all.Wait()
	if t.Failed() {
		t.FailNow()
	}
}

// hidesKeys: no value of a key is in what was printed, or in the files of a folder.
func (c *terminal) hidesKeys(t *testing.T, dir string, list []*migrant) {
	t.Helper()
	var cases []statickeys.Case
	for _, m := range list {
		cases = append(cases, m.Case)
	}
	statickeys.NotShown(t, "what was printed", c.printed.Bytes(), cases)
	files := 0
	if err := fs.WalkDir(os.DirFS(dir), ".", func(path string, e fs.DirEntry, err error) error {
		if err != nil || e.IsDir() {
			return err
		}
		files++
		content, err := os.ReadFile(filepath.Join(dir, path))
		statickeys.NotShown(t, path, content, cases)
		return err
	}); err != nil {
		t.Fatal(err)
	}
	if files < len(list) || c.printed.Len() == 0 {
		t.Errorf("%d files and %d bytes of output: there was nothing to look at", files, c.printed.Len())
	}
}
