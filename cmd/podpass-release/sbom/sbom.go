// Package sbom describes what an artifact consists of, as CycloneDX.
package sbom

import (
	"fmt"
	"io"
	"strings"
	"time"

	cdx "github.com/CycloneDX/cyclonedx-go"

	"github.com/podpass-io/podpass/cmd/podpass-release/notices"
)

// Artifact is what is described.
type Artifact struct {
	Name     string
	Version  string
	Platform string // os/arch
	Commit   string
	Created  time.Time // of the source, not of the build: the same source makes the same bytes
	Image    bool      // or else a program
	Files    []File
	Modules  []notices.Licensed
}

// File is one that the artifact holds.
type File struct {
	Path   string
	SHA256 string // in hexadecimal
}

// Write writes the artifact's bill of materials. It has no serial number: that would
// differ each time.
func Write(w io.Writer, a Artifact) error {
	kind := cdx.ComponentTypeApplication
	if a.Image {
		kind = cdx.ComponentTypeContainer
	}
	self := cdx.Component{
		BOMRef: "artifact", Type: kind, Name: a.Name, Version: a.Version, Licenses: licenses("Apache-2.0"),
		Properties: &[]cdx.Property{{Name: "podpass:platform", Value: a.Platform}, {Name: "podpass:commit", Value: a.Commit}},
	}
	if !a.Image {
		self.PackageURL = "pkg:golang/github.com/podpass-io/podpass@v" + a.Version
	}
	var components []cdx.Component
	var refs []string
	for _, m := range a.Modules {
		c := module(m)
		components, refs = append(components, c), append(refs, c.BOMRef)
	}
	for _, f := range a.Files {
		components = append(components, cdx.Component{
			BOMRef: "file:" + f.Path, Type: cdx.ComponentTypeFile, Name: f.Path,
			Hashes: &[]cdx.Hash{{Algorithm: cdx.HashAlgoSHA256, Value: f.SHA256}},
		})
		refs = append(refs, "file:"+f.Path)
	}
	bom := cdx.NewBOM()
	bom.Metadata = &cdx.Metadata{Timestamp: a.Created.UTC().Format(time.RFC3339), Component: &self}
	bom.Components = &components
	bom.Dependencies = &[]cdx.Dependency{{Ref: self.BOMRef, Dependencies: &refs}}
	// 1.6: the newest that scanners commonly read.
	if err := cdx.NewBOMEncoder(w, cdx.BOMFileFormatJSON).SetPretty(true).EncodeVersion(bom, cdx.SpecVersion1_6); err != nil {
		return fmt.Errorf("write the bill of materials of %s: %w", a.Name, err)
	}
	return nil
}

// module is named by its package URL, by which scanners look for vulnerabilities; the
// standard library as they know it: pkg:golang/std@1.26.8.
func module(m notices.Licensed) cdx.Component {
	purl := "pkg:golang/" + m.Path + "@" + strings.ReplaceAll(strings.TrimPrefix(m.Version, "go"), "+", "%2B")
	return cdx.Component{
		BOMRef: purl, Type: cdx.ComponentTypeLibrary, Name: m.Path, Version: m.Version,
		PackageURL: purl, Licenses: licenses(m.IDs()...),
	}
}

func licenses(ids ...string) *cdx.Licenses {
	var all cdx.Licenses
	for _, id := range ids {
		all = append(all, cdx.LicenseChoice{License: &cdx.License{ID: id}})
	}
	return &all
}
