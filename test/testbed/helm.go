package testbed

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// Helm runs Helm against the testbed and gives what it says, on either output.
func (b *Bed) Helm(ctx context.Context, args ...string) (string, error) {
	cmd := exec.CommandContext(ctx, b.bin.helm, args...)
	cmd.Env = append(os.Environ(), "KUBECONFIG="+b.Kubeconfig)
	out, err := cmd.CombinedOutput()
	if err != nil {
		return string(out), fmt.Errorf("helm %s: %w: %s", strings.Join(args, " "), err, out)
	}
	return string(out), nil
}

// Podpass is the path of the podpass command that the testbed has built.
func (b *Bed) Podpass() string { return filepath.Join(b.bin.dir, "podpass") }

// Helm is the program, for tests without a testbed. The first time on a machine it is
// built, which takes some minutes.
func Helm(t testing.TB) string {
	t.Helper()
	binary, err := installTool(t.Context(), t.Output(), helmModule)
	if err != nil {
		t.Fatal(err)
	}
	return binary
}
