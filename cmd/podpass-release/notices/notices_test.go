package notices

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/podpass-io/podpass/cmd/podpass-release/linked"
)

const isc = `ISC License

Copyright (c) 2026 Somebody

Permission to use, copy, modify, and/or distribute this software for any
purpose with or without fee is hereby granted, provided that the above
copyright notice and this permission notice appear in all copies.

THE SOFTWARE IS PROVIDED "AS IS" AND THE AUTHOR DISCLAIMS ALL WARRANTIES
WITH REGARD TO THIS SOFTWARE INCLUDING ALL IMPLIED WARRANTIES OF
MERCHANTABILITY AND FITNESS. IN NO EVENT SHALL THE AUTHOR BE LIABLE FOR
ANY SPECIAL, DIRECT, INDIRECT, OR CONSEQUENTIAL DAMAGES OR ANY DAMAGES
WHATSOEVER RESULTING FROM LOSS OF USE, DATA OR PROFITS, WHETHER IN AN
ACTION OF CONTRACT, NEGLIGENCE OR OTHER TORTIOUS ACTION, ARISING OUT OF
OR IN CONNECTION WITH THE USE OR PERFORMANCE OF THIS SOFTWARE.
`

const agpl = "This program is free software: you can redistribute it and/or modify it under the terms of the GNU Affero General Public License as published by the Free Software Foundation, either version 3 of the License, or (at your option) any later version.\n"

// TestCollect: code whose terms nobody looked at must not be passed on.
func TestCollect(t *testing.T) {
	for name, tt := range map[string]struct {
		files    map[string]string
		packages []string
		want     []string // names of the texts
		err      string
	}{
		"one license":                   {files: map[string]string{"LICENSE": isc}, want: []string{"LICENSE"}},
		"with a notice":                 {files: map[string]string{"LICENSE.md": isc, "NOTICE.txt": "Made by somebody.", "README": "Read."}, want: []string{"LICENSE.md", "NOTICE.txt"}},
		"another's code in a package":   {files: map[string]string{"LICENSE": isc, "third/party/COPYING": isc, "third/party/a/a.go": "package a"}, packages: []string{"third/party/a"}, want: []string{"LICENSE", "third/party/COPYING"}},
		"of a package that is left out": {files: map[string]string{"LICENSE": isc, "other/LICENSE": agpl, "a/a.go": "package a"}, packages: []string{"a"}, want: []string{"LICENSE"}},
		"source that has such a name":   {files: map[string]string{"LICENSE": isc, "license.go": "package license"}, want: []string{"LICENSE"}},
		"none":                          {files: map[string]string{"README": "Free for all."}, err: "example.com/m v1.0.0: no file with a license"},
		"a notice alone":                {files: map[string]string{"NOTICE": "Made by somebody."}, err: "no file with a license"},
		"not allowed":                   {files: map[string]string{"LICENSE": agpl}, err: "example.com/m v1.0.0: LICENSE"},
		"not allowed in a package":      {files: map[string]string{"LICENSE": isc, "a/LICENSE": agpl}, packages: []string{"a"}, err: "a/LICENSE"},
		"words of its own":              {files: map[string]string{"LICENSE": "Use it on sunny days, and never on a Sunday."}, err: "read it, and say in package notices what it is"},
	} {
		t.Run(name, func(t *testing.T) {
			m := linked.Module{Path: "example.com/m", Version: "v1.0.0", Dir: t.TempDir()}
			for name, body := range tt.files {
				path := filepath.Join(m.Dir, name)
				if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
					t.Fatal(err)
				}
				if err := os.WriteFile(path, []byte(body), 0o600); err != nil {
					t.Fatal(err)
				}
			}
			for _, p := range tt.packages {
				m.Packages = append(m.Packages, filepath.Join(m.Dir, p))
			}
			got, err := Collect([]linked.Module{m})
			if tt.err != "" {
				if err == nil || !strings.Contains(err.Error(), tt.err) {
					t.Fatalf("got %v, want an error with %q", err, tt.err)
				}
				return
			}
			if err != nil {
				t.Fatal(err)
			}
			var names []string
			for _, text := range got[0].Texts {
				names = append(names, text.Name)
			}
			if diff := cmp.Diff(tt.want, names); diff != "" {
				t.Errorf("-want +got:\n%s", diff)
			}
			if diff := cmp.Diff([]string{"ISC"}, got[0].IDs()); diff != "" {
				t.Errorf("licenses: -want +got:\n%s", diff)
			}
		})
	}
}

// TestWrite: a text that many modules share is written once, above it all of them.
func TestWrite(t *testing.T) {
	text := func(name, body string) Text { return Text{Name: name, Body: body} }
	module := func(path string, texts ...Text) Licensed {
		return Licensed{linked.Module{Path: path, Version: "v1.0.0"}, texts}
	}
	var got strings.Builder
	if err := Write(&got, []Licensed{
		module("b.example/b", text("LICENSE", "Terms."), text("NOTICE", "By B.")),
		module("a.example/a", text("COPYING", "Terms.")),
	}); err != nil {
		t.Fatal(err)
	}
	line := strings.Repeat("=", 80)
	want := preface + `
` + line + `
a.example/a v1.0.0 (COPYING)
b.example/b v1.0.0 (LICENSE)

Terms.

` + line + `
b.example/b v1.0.0 (NOTICE)

By B.
`
	if diff := cmp.Diff(want, got.String()); diff != "" {
		t.Errorf("-want +got:\n%s", diff)
	}
}

// TestPodpass: all that is linked today may be, on each platform that is released.
func TestPodpass(t *testing.T) {
	for _, platform := range []linked.Platform{{OS: "linux", Arch: "amd64"}, {OS: "linux", Arch: "arm64"}, {OS: "darwin", Arch: "arm64"}, {OS: "windows", Arch: "amd64"}} {
		t.Run(platform.String(), func(t *testing.T) {
			mains := []string{"./cmd/podpass"}
			if platform.OS == "linux" {
				mains = append(mains, "./cmd/podpass-webhook", "./cmd/podpass-broker")
			}
			modules, err := linked.Modules(t.Context(), "../../..", platform, mains...)
			if err != nil {
				t.Fatal(err)
			}
			licensed, err := Collect(modules)
			if err != nil {
				t.Error(err)
			}
			found := map[string][]string{}
			for _, l := range licensed {
				found[l.Path] = l.IDs()
			}
			for path, want := range map[string][]string{
				linked.Std:                     {"BSD-3-Clause"},
				"github.com/spf13/cobra":       {"Apache-2.0"},
				"github.com/aws/smithy-go":     {"Apache-2.0", "BSD-3-Clause"}, // its singleflight is Go's
				"github.com/golang-jwt/jwt/v5": {"MIT"},
			} {
				if diff := cmp.Diff(want, found[path]); diff != "" {
					t.Errorf("%s: -want +got:\n%s", path, diff)
				}
			}
		})
	}
}
