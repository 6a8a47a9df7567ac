// Package image builds the images of the Dockerfile with buildah, and packs those of all
// platforms into one OCI archive.
package image

import (
	"context"
	_ "embed"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strconv"
	"strings"
	"time"

	"github.com/podpass-io/podpass/cmd/podpass-release/linked"
)

// Builder builds images.
type Builder struct {
	Root    string // with the Dockerfile
	Storage string // where buildah keeps images: not the machine's own
	Base    string // image for the build stage; empty: one is made of what this machine has
	Version string
	Commit  string
	Source  string // where the source is published
	Created time.Time
}

// Where the build stage finds this machine's caches of Go.
const modules, compiled = "/cache/modules", "/cache/compiled"

//go:embed base.sh
var baseScript string

func (b Builder) flags() []string {
	return []string{"--root", filepath.Join(b.Storage, "root"), "--runroot", filepath.Join(b.Storage, "run")}
}

// PrepareBase makes the base of the build stage, once for each version of Go, unless the
// builder was told of one.
func (b *Builder) PrepareBase(ctx context.Context) error {
	if b.Base != "" {
		return nil
	}
	goVersion, err := output(ctx, b.Root, "go", "env", "GOVERSION")
	if err != nil {
		return err
	}
	b.Base = "localhost/podpass-builder:" + goVersion
	if exec.CommandContext(ctx, "buildah", append(b.flags(), "inspect", "--type", "image", b.Base)...).Run() == nil {
		return nil
	}
	cmd := exec.CommandContext(ctx, "bash", "-c", baseScript, "base.sh", b.Base)
	cmd.Dir = b.Root
	cmd.Env = append(os.Environ(), "BUILDAH_FLAGS="+strings.Join(b.flags(), " "), "BUILDAH_ISOLATION=chroot")
	return run(cmd, "make a base for the images' build")
}

// Build builds one target of the Dockerfile for one platform, into an OCI layout in the
// directory to, which must not exist.
//
// Go's caches are this machine's: they are addressed by contents, so that what they give
// is what would be compiled anew, in minutes instead of seconds.
func (b Builder) Build(ctx context.Context, target string, platform linked.Platform, to string) error {
	caches, err := output(ctx, b.Root, "go", "env", "GOMODCACHE", "GOCACHE", "GOPROXY")
	if err != nil {
		return err
	}
	cache := strings.Split(caches, "\n")
	name := "localhost/podpass-" + target + ":" + platform.Arch
	args := append(b.flags(), "build", "--isolation", "chroot", "--quiet",
		"--platform", platform.String(), "--target", target, "--tag", name,
		"--timestamp", strconv.FormatInt(b.Created.Unix(), 10),
		"--volume", cache[0]+":"+modules, "--volume", cache[1]+":"+compiled,
		// Buildah knows TARGETARCH by itself, but not what FROM --platform=$BUILDPLATFORM means.
		"--build-arg", "BUILDPLATFORM=linux/"+runtime.GOARCH,
		"--build-arg", "BUILDER="+b.Base, "--build-arg", "GOMODCACHE="+modules, "--build-arg", "GOCACHE="+compiled, "--build-arg", "GOPROXY="+cache[2],
		"--build-arg", "VERSION="+b.Version, "--build-arg", "COMMIT="+b.Commit, "--build-arg", "SOURCE="+b.Source,
		"--build-arg", "CREATED="+b.Created.UTC().Format(time.RFC3339),
		b.Root)
	cmd := exec.CommandContext(ctx, "buildah", args...)
	cmd.Env = append(os.Environ(), "BUILDAH_ISOLATION=chroot")
	if err := run(cmd, fmt.Sprintf("build the image %s for %s", target, platform)); err != nil {
		return err
	}
	if err := os.MkdirAll(filepath.Dir(to), 0o755); err != nil {
		return err
	}
	push := exec.CommandContext(ctx, "buildah", append(b.flags(), "push", "--quiet", "--format", "oci", name, "oci:"+to+":"+b.Version)...)
	return run(push, "write the image "+target)
}

func output(ctx context.Context, dir, command string, args ...string) (string, error) {
	cmd := exec.CommandContext(ctx, command, args...)
	cmd.Dir = dir
	out, err := cmd.Output()
	if err != nil {
		return "", fmt.Errorf("%s: %w", strings.Join(cmd.Args, " "), err)
	}
	return strings.TrimSpace(string(out)), nil
}

// run runs a command whose output is of interest only if it fails.
func run(cmd *exec.Cmd, what string) error {
	if out, err := cmd.CombinedOutput(); err != nil {
		return fmt.Errorf("%s: %w\n%s", what, err, out)
	}
	return nil
}
