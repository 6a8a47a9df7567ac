package main

import (
	"archive/tar"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"

	"github.com/podpass-io/podpass/cmd/podpass-release/archive"
	"github.com/podpass-io/podpass/cmd/podpass-release/image"
	"github.com/podpass-io/podpass/cmd/podpass-release/linked"
	"github.com/podpass-io/podpass/cmd/podpass-release/sbom"
)

// target is a target of the Dockerfile.
type target struct {
	name     string
	image    string
	programs []string
}

var targets = []target{
	{"broker", "podpass-broker", []string{"./cmd/podpass-broker"}},
	{"podpass", "podpass", []string{"./cmd/podpass", "./cmd/podpass-webhook"}},
}

// makeImages makes an OCI archive for each image, with those of all platforms in it, and
// a bill of materials for each platform.
func (p *plan) makeImages(ctx context.Context) error {
	b := image.Builder{Root: p.root, Storage: p.storage, Base: p.builder, Version: p.version, Commit: p.commit, Source: p.source, Created: p.created}
	if err := b.PrepareBase(ctx); err != nil {
		return err
	}
	for _, t := range targets {
		if err := p.makeImage(ctx, b, t); err != nil {
			return fmt.Errorf("%s: %w", t.image, err)
		}
	}
	return nil
}

func (p *plan) makeImage(ctx context.Context, b image.Builder, t target) error {
	var built []image.Image
	for _, platform := range p.images {
		i := image.Image{Dir: filepath.Join(p.work, "images", t.name+"_"+platform.Arch), Platform: platform}
		if err := b.Build(ctx, t.name, platform, i.Dir); err != nil {
			return err
		}
		if err := p.describeImage(ctx, t, i); err != nil {
			return err
		}
		size, err := i.Size()
		if err != nil {
			return err
		}
		unpacked, err := i.Unpacked()
		if err != nil {
			return err
		}
		fmt.Printf("%s %s: %.1f MiB to pull, %.1f MiB unpacked\n", t.image, platform, float64(size)/(1<<20), float64(unpacked)/(1<<20))
		built = append(built, i)
	}
	layout := filepath.Join(p.work, "images", t.name)
	sum, err := image.Merge(layout, p.version, built)
	if err != nil {
		return err
	}
	fmt.Printf("%s %s\n", t.image, sum)
	entries, err := archive.Tree(layout, "")
	if err != nil {
		return err
	}
	return archive.Write(p.file(t.image+"-image", linked.Platform{}, ".tar"), entries, p.created)
}

func (p *plan) describeImage(ctx context.Context, t target, i image.Image) error {
	licensed, err := licensedModules(ctx, p.root, i.Platform, t.programs...)
	if err != nil {
		return err
	}
	a := sbom.Artifact{Name: t.image, Platform: i.Platform.String(), Image: true, Modules: licensed}
	if err := i.Files(func(h *tar.Header, body io.Reader) error {
		sum := sha256.New()
		if _, err := io.Copy(sum, body); err != nil {
			return err
		}
		a.Files = append(a.Files, sbom.File{Path: "/" + strings.TrimPrefix(h.Name, "/"), SHA256: hex.EncodeToString(sum.Sum(nil))})
		return nil
	}); err != nil {
		return err
	}
	return p.describe(p.file(t.image+"-image", i.Platform, ".cdx.json"), a)
}

// digest is a file's SHA-256, in hexadecimal.
func digest(path string) (string, error) {
	f, err := os.Open(path)
	if err != nil {
		return "", err
	}
	defer f.Close()
	sum := sha256.New()
	if _, err := io.Copy(sum, f); err != nil {
		return "", err
	}
	return hex.EncodeToString(sum.Sum(nil)), nil
}
