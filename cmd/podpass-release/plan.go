package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"time"

	"golang.org/x/mod/semver"

	"github.com/podpass-io/podpass/cmd/podpass-release/linked"
)

// plan is what to make of what.
type plan struct {
	root     string // of podpass's module
	out      string // dist
	version  string
	commit   string
	created  time.Time
	registry string // where the images will be; empty: the chart's default stays
	source   string // where the source and the releases are
	builder  string // base of the images' build stage
	storage  string // buildah's
	programs []linked.Platform
	images   []linked.Platform
	work     string // what is not published
}

func parse(args []string) (*plan, error) {
	f := flag.NewFlagSet("release all", flag.ContinueOnError)
	p := &plan{}
	f.StringVar(&p.root, "root", "../..", "`directory` of podpass's module")
	f.StringVar(&p.out, "out", "dist", "`directory` to make anew")
	f.StringVar(&p.version, "version", "", "semantic `version` without a leading v")
	f.StringVar(&p.commit, "commit", "", "`commit` of the source")
	epoch := f.Int64("epoch", 0, "`seconds` since 1970: the time of the source, which all files get")
	f.StringVar(&p.registry, "registry", "", "`registry/path` where the images will be")
	f.StringVar(&p.source, "source", "https://github.com/podpass-io/podpass", "`URL` of the source, below which the releases are")
	f.StringVar(&p.builder, "builder", "", "base `image` of the build stage (default: made of this machine's Go and CA certificates)")
	f.StringVar(&p.storage, "storage", "", "`directory` where buildah keeps images (default: in the user's cache)")
	programs := f.String("programs", "linux/amd64,linux/arm64,darwin/amd64,darwin/arm64,windows/amd64,windows/arm64", "`platforms` of the command line")
	images := f.String("images", "linux/amd64,linux/arm64", "`platforms` of the images")
	if err := f.Parse(args); err != nil {
		return nil, err
	}
	p.created = time.Unix(*epoch, 0).UTC()
	var err1, err2 error
	p.programs, err1 = platforms(*programs)
	p.images, err2 = platforms(*images)
	return p, errors.Join(checkVersion(p.version), checkRegistry(p.registry), err1, err2, p.complete())
}

// complete makes all paths absolute: commands run in several directories.
func (p *plan) complete() error {
	if p.storage == "" {
		cache, err := os.UserCacheDir()
		if err != nil {
			return fmt.Errorf("where to keep images: %w", err)
		}
		p.storage = filepath.Join(cache, "podpass", "images")
	}
	for _, path := range []*string{&p.root, &p.out, &p.storage} {
		absolute, err := filepath.Abs(*path)
		if err != nil {
			return err
		}
		*path = absolute
	}
	return nil
}

// checkVersion: the chart, the images' tags and the plugin's manifest all take the same
// version, so it has to be what all of them allow.
func checkVersion(v string) error {
	const write = "write a semantic version without a leading v: make release VERSION=1.2.3, or 1.2.3-rc.1"
	switch {
	case v == "":
		return errors.New("no version: " + write)
	case strings.HasPrefix(v, "v"):
		return fmt.Errorf("version %q begins with v: %s", v, write)
	case strings.Contains(v, "+"):
		return fmt.Errorf("version %q has build metadata, which an image's tag cannot have: %s", v, write)
	case !semver.IsValid("v"+v) || semver.Canonical("v"+v) != "v"+v:
		return fmt.Errorf("version %q is not a semantic version: %s", v, write)
	}
	return nil
}

var registry = regexp.MustCompile(`^[a-z0-9.-]+(:[0-9]+)?(/[a-z0-9._-]+)*$`)

func checkRegistry(r string) error {
	if r != "" && !registry.MatchString(r) {
		return fmt.Errorf("registry %q: write host and path without a scheme, a tag and a slash at the end, such as registry.example.com/podpass", r)
	}
	return nil
}

func platforms(list string) ([]linked.Platform, error) {
	var all []linked.Platform
	for s := range strings.SplitSeq(list, ",") {
		p, err := linked.ParsePlatform(s)
		if err != nil {
			return nil, err
		}
		all = append(all, p)
	}
	return all, nil
}

// make makes everything in a directory beside the one that is published, so that what a
// failure leaves is never taken for a release.
func (p *plan) make(ctx context.Context) error {
	partial := p.out + ".partial"
	work, err := os.MkdirTemp("", "podpass-release-")
	if err != nil {
		return err
	}
	defer func() { _ = os.RemoveAll(work) }()
	if err := errors.Join(os.RemoveAll(partial), os.MkdirAll(partial, 0o755)); err != nil {
		return err
	}
	out := p.out
	p.out, p.work = partial, work
	for _, step := range []struct {
		what string
		do   func(context.Context) error
	}{
		{"programs", p.makePrograms},
		{"images", p.makeImages},
		{"chart", p.makeChart},
		{"plugin", p.makePlugin},
		{"checksums", p.makeChecksums},
	} {
		start := time.Now()
		if err := step.do(ctx); err != nil {
			return fmt.Errorf("%s: %w", step.what, err)
		}
		fmt.Printf("%s: %s\n", step.what, time.Since(start).Round(100*time.Millisecond))
	}
	return errors.Join(os.RemoveAll(out), os.Rename(partial, out))
}

// file is the name of a published file: podpass-broker_1.2.3_linux_arm64.cdx.json.
func (p *plan) file(name string, platform linked.Platform, suffix string) string {
	return filepath.Join(p.out, strings.Join(slices.DeleteFunc([]string{name, p.version, platform.OS, platform.Arch}, func(s string) bool { return s == "" }), "_")+suffix)
}
