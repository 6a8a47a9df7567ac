package program

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"strings"
)

// Build compiles programs into a directory, which is there, as the Makefile does: in any
// other way, also that of a test with the race detector, Go would compile all below them
// once more.
func Build(ctx context.Context, dir string, packages ...string) error {
	cmd := exec.CommandContext(ctx, "go", append([]string{"build", "-trimpath", "-buildvcs=false", "-ldflags", "-s -w", "-o", dir + "/"}, packages...)...)
	cmd.Env = append(os.Environ(), "CGO_ENABLED=0")
	if out, err := cmd.CombinedOutput(); err != nil {
		return fmt.Errorf("build %s: %w\n%s", strings.Join(packages, ", "), err, out)
	}
	return nil
}
