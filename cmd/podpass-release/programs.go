package main

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"

	"github.com/podpass-io/podpass/cmd/podpass-release/archive"
	"github.com/podpass-io/podpass/cmd/podpass-release/linked"
	"github.com/podpass-io/podpass/cmd/podpass-release/notices"
	"github.com/podpass-io/podpass/cmd/podpass-release/sbom"
)

// makePrograms makes an archive of the command line for each platform, with its bill of
// materials beside it.
func (p *plan) makePrograms(ctx context.Context) error {
	for _, platform := range p.programs {
		if err := p.makeProgram(ctx, platform); err != nil {
			return fmt.Errorf("%s: %w", platform, err)
		}
	}
	return nil
}

func (p *plan) makeProgram(ctx context.Context, platform linked.Platform) error {
	dir := filepath.Join(p.work, "programs", platform.OS+"_"+platform.Arch)
	// The flags are the Makefile's: whoever builds by hand builds the same.
	build := exec.CommandContext(ctx, "make", "-C", p.root, "build", "PROGRAMS=./cmd/podpass", "BIN="+dir, "VERSION="+p.version, "COMMIT="+p.commit)
	build.Env = append(os.Environ(), "GOOS="+platform.OS, "GOARCH="+platform.Arch)
	if out, err := build.CombinedOutput(); err != nil {
		return fmt.Errorf("build: %w\n%s", err, out)
	}
	licensed, err := licensedModules(ctx, p.root, platform, "./cmd/podpass")
	if err != nil {
		return err
	}
	texts := filepath.Join(dir, "NOTICES")
	if err := create(texts, func(w *os.File) error { return notices.Write(w, licensed) }); err != nil {
		return err
	}
	program, suffix := "podpass", ".tar.gz"
	if platform.OS == "windows" {
		program, suffix = "podpass.exe", ".zip"
	}
	if err := archive.Write(p.file("podpass", platform, suffix), []archive.Entry{
		{Name: program, Path: filepath.Join(dir, program), Executable: true},
		{Name: "LICENSE", Path: filepath.Join(p.root, "LICENSE")},
		{Name: "NOTICES", Path: texts},
	}, p.created); err != nil {
		return err
	}
	sum, err := digest(filepath.Join(dir, program))
	if err != nil {
		return err
	}
	return p.describe(p.file("podpass", platform, ".cdx.json"), sbom.Artifact{
		Name: "podpass", Platform: platform.String(), Modules: licensed, Files: []sbom.File{{Path: program, SHA256: sum}},
	})
}

// describe writes a bill of materials, with what is the same in all of them.
func (p *plan) describe(path string, a sbom.Artifact) error {
	a.Version, a.Commit, a.Created = p.version, p.commit, p.created
	return create(path, func(w *os.File) error { return sbom.Write(w, a) })
}
