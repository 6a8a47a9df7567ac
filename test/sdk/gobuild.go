package sdk

import (
	"context"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
)

// buildGo compiles sdk-go, static, so that it runs in an empty image.
func buildGo(ctx context.Context, source, cache string, log io.Writer) (string, error) {
	key, err := hashFiles(source, runtime.Version()+runtime.GOARCH, "*.go", "go.mod", "go.sum")
	if err != nil {
		return "", fmt.Errorf("build sdk-go: %w", err)
	}
	binary := filepath.Join(cache, "sdk-go-"+key)
	if _, err := os.Stat(binary); err == nil {
		return binary, nil
	}
	fmt.Fprintln(log, "Building sdk-go (about a minute the first time)")
	partial := binary + ".partial"
	cmd := exec.CommandContext(ctx, "go", "build", "-trimpath", "-buildvcs=false", "-ldflags", "-s -w", "-o", partial, ".")
	cmd.Dir = source
	cmd.Env = append(os.Environ(), "CGO_ENABLED=0", "GOWORK=off")
	if out, err := cmd.CombinedOutput(); err != nil {
		return "", fmt.Errorf("build sdk-go: %w\n%s", err, out)
	}
	return binary, os.Rename(partial, binary)
}
