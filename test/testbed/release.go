package testbed

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"

	"github.com/podpass-io/podpass/test/cluster"
)

// LastRelease is what people have who upgrade to this one: a tag, or a commit until there
// is one. Whoever releases sets it to what was released before.
const LastRelease = "47bfcb7b290e"

// LastReleaseTag is that of its images.
const LastReleaseTag = "last"

// ErrNoHistory: the repository is a shallow clone, and does not have the last release.
var ErrNoHistory = errors.New("the repository has no " + LastRelease + ": clone it with its history (git fetch --unshallow)")

// LoadLastRelease builds the last release from the repository's history, imports its
// images into the node, tagged LastReleaseTag, and gives the directory of its chart.
func (b *Bed) LoadLastRelease(ctx context.Context) (chart string, err error) {
	if err := exec.CommandContext(ctx, "git", "-C", b.opts.Root, "cat-file", "-e", LastRelease+"^{commit}").Run(); err != nil {
		return "", ErrNoHistory
	}
	dir := filepath.Join(b.opts.Dir, "last-release")
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return "", err
	}
	return filepath.Join(dir, "charts", "podpass"), step(b.opts.Log, "Building the last release", func() error {
		archive := filepath.Join(b.opts.Dir, "last-release.tar")
		if err := run(ctx, b.opts.Root, b.opts.Log, nil, "git", "archive", "--output", archive, LastRelease); err != nil {
			return err
		}
		if err := run(ctx, dir, b.opts.Log, nil, "tar", "-xf", archive); err != nil {
			return err
		}
		bin := filepath.Join(dir, "bin")
		if err := run(ctx, dir, b.opts.Log, nil, "go", "build", "-trimpath", "-ldflags", "-s -w -X main.version="+LastReleaseTag,
			"-o", bin+"/", "./cmd/podpass", "./cmd/podpass-webhook", "./cmd/podpass-broker"); err != nil {
			return err
		}
		return b.loadPodpass(ctx, LastReleaseTag, bin)
	})
}

// loadPodpass imports podpass's two images, made of the programs in a directory.
func (b *Bed) loadPodpass(ctx context.Context, tag, bin string) error {
	named := func(image string) string {
		repository, _, _ := strings.Cut(image, ":")
		return repository + ":" + tag
	}
	for _, image := range []cluster.ImageOptions{
		{Name: named(webhookImage), Entrypoint: []string{"/podpass-webhook"}, User: imageUser,
			Files: []string{filepath.Join(bin, "podpass-webhook") + "=/podpass-webhook", filepath.Join(bin, "podpass") + "=/podpass"}},
		{Name: named(brokerImage), Entrypoint: []string{"/podpass-broker"}, User: imageUser, Files: []string{filepath.Join(bin, "podpass-broker") + "=/podpass-broker"}},
	} {
		if err := b.LoadImage(ctx, image); err != nil {
			return fmt.Errorf("release %s: %w", tag, err)
		}
	}
	return nil
}
