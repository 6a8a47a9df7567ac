package testbed

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
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
