package main

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strings"
)

const pluginHead = `apiVersion: krew.googlecontainertools.github.com/v1alpha2
kind: Plugin
metadata:
  name: podpass
spec:
  version: v%s
  homepage: %s
  shortDescription: Give pods cloud identities without static keys
  description: |
    Shows what podpass does to a pod, and why; whether AWS, Google Cloud and Azure
    trust a ServiceAccount, and what they must be told so that they do; and which
    link is broken when a pod has no credentials.
  platforms:
`

const pluginPlatform = `  - selector:
      matchLabels:
        os: %s
        arch: %s
    uri: %s/releases/download/v%s/%s
    sha256: %s
    bin: %s
`

// makePlugin writes the manifest by which krew installs the command line as
// `kubectl podpass`, from the archives that makePrograms made.
func (p *plan) makePlugin(context.Context) error {
	var manifest strings.Builder
	fmt.Fprintf(&manifest, pluginHead, p.version, p.source)
	for _, platform := range p.programs {
		suffix, program := ".tar.gz", "podpass"
		if platform.OS == "windows" {
			suffix, program = ".zip", "podpass.exe"
		}
		path := p.file("podpass", platform, suffix)
		sum, err := digest(path)
		if err != nil {
			return err
		}
		fmt.Fprintf(&manifest, pluginPlatform, platform.OS, platform.Arch, p.source, p.version, filepath.Base(path), sum, program)
	}
	return os.WriteFile(filepath.Join(p.out, "podpass.yaml"), []byte(manifest.String()), 0o644)
}
