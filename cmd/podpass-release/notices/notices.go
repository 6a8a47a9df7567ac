// Package notices collects what the licenses of linked modules ask to be passed on: their
// texts, and the notices beside them.
package notices

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"

	"github.com/google/licensecheck"

	"github.com/podpass-io/podpass/cmd/podpass-release/linked"
)

// allowed are the licenses under which code may be linked: they let a binary be passed on
// under Apache-2.0, and ask for no more than that their text goes along.
var allowed = []string{"Apache-2.0", "BSD-2-Clause", "BSD-3-Clause", "ISC", "MIT", "Unicode-DFS-2016"}

// besides are files about what is in a module, and not in the program.
var besides = map[string]string{
	"std:src/crypto/internal/boring/LICENSE": "BoringCrypto, an object file that only GOEXPERIMENT=boringcrypto links",
}

// known is how much of a file, in percent, must be the text of a license: the rest is
// names, years, and which files it is about.
const known = 60

var (
	licenseFile = regexp.MustCompile(`(?i)^(un)?(licen[cs]e|copying)([-._].*)?$`)
	noticeFile  = regexp.MustCompile(`(?i)^(notice|patents|copyright)([-._].*)?$`)
	sourceFile  = regexp.MustCompile(`(?i)\.(go|s|c|h|py|sh|tmpl)$`)
)

// Text is a file that has to go along.
type Text struct {
	Name string   // relative to the module
	IDs  []string // of the licenses in it, as SPDX has them; none of a notice
	Body string
}

// Licensed is a module with all that it asks to be passed on.
type Licensed struct {
	linked.Module
	Texts []Text
}

// IDs are the licenses of a module, each once.
func (l Licensed) IDs() []string {
	var ids []string
	for _, t := range l.Texts {
		ids = append(ids, t.IDs...)
	}
	slices.Sort(ids)
	return slices.Compact(ids)
}

// Collect reads the licenses of modules. Its error names each module without one, and
// each license that is not allowed.
func Collect(modules []linked.Module) ([]Licensed, error) {
	var all []Licensed
	var errs []error
	for _, m := range modules {
		texts, err := texts(m)
		if err != nil {
			errs = append(errs, fmt.Errorf("%s %s: %w", m.Path, m.Version, err))
		}
		all = append(all, Licensed{m, texts})
	}
	return all, errors.Join(errs...)
}

// texts are those of a module: at its root, and in each directory on the way to a package
// that is linked, where code of somebody else often has its own.
func texts(m linked.Module) ([]Text, error) {
	var texts []Text
	for _, dir := range directories(m) {
		entries, err := os.ReadDir(dir)
		if err != nil {
			return nil, err
		}
		for _, e := range entries {
			isLicense := licenseFile.MatchString(e.Name())
			if !e.Type().IsRegular() || sourceFile.MatchString(e.Name()) || !isLicense && !noticeFile.MatchString(e.Name()) {
				continue
			}
			if name, err := filepath.Rel(m.Dir, filepath.Join(dir, e.Name())); err == nil && besides[m.Path+":"+filepath.ToSlash(name)] != "" {
				continue
			}
			t, err := read(m.Dir, filepath.Join(dir, e.Name()), isLicense)
			if err != nil {
				return nil, err
			}
			texts = append(texts, t)
		}
	}
	if !slices.ContainsFunc(texts, func(t Text) bool { return len(t.IDs) > 0 }) {
		return nil, errors.New("no file with a license: ask its authors, or do without it")
	}
	return texts, nil
}

func directories(m linked.Module) []string {
	dirs := []string{m.Dir}
	for _, p := range m.Packages {
		for dir := p; dir != m.Dir && strings.HasPrefix(dir, m.Dir+string(filepath.Separator)); dir = filepath.Dir(dir) {
			dirs = append(dirs, dir)
		}
	}
	slices.Sort(dirs)
	return slices.Compact(dirs)
}

func read(root, path string, isLicense bool) (Text, error) {
	body, err := os.ReadFile(path)
	if err != nil {
		return Text{}, err
	}
	name, err := filepath.Rel(root, path)
	if err != nil {
		return Text{}, err
	}
	t := Text{Name: filepath.ToSlash(name), Body: strings.TrimSpace(strings.ReplaceAll(string(body), "\r\n", "\n"))}
	if !isLicense {
		return t, nil
	}
	found := licensecheck.Scan(body)
	for _, match := range found.Match {
		if match.IsURL {
			continue // a reference, not the license
		}
		if !slices.Contains(allowed, match.ID) {
			return Text{}, fmt.Errorf("%s has the license %s, which is not one of %s", t.Name, match.ID, strings.Join(allowed, ", "))
		}
		t.IDs = append(t.IDs, match.ID)
	}
	if found.Percent < known || len(t.IDs) == 0 {
		return Text{}, fmt.Errorf("%s is only in part (%.0f %%) the text of a license that is known: read it, and say in package notices what it is", t.Name, found.Percent)
	}
	return t, nil
}
