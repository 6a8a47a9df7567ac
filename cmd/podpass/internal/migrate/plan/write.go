package plan

import (
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"slices"

	"github.com/podpass-io/podpass/cmd/podpass/internal/hint"
)

// Write writes the folder into dir. One that holds anything is refused, unless force is
// set; then an older plan's own files go, and no others.
func (f *Folder) Write(dir string, force bool) error {
	entries, err := os.ReadDir(dir)
	switch {
	case errors.Is(err, fs.ErrNotExist):
	case err != nil:
		return err
	case len(entries) > 0 && !force:
		return hint.New(fmt.Errorf("%s is not empty", dir), "name another folder with --output-directory, or overwrite an older plan in it with --force")
	case len(entries) > 0:
		if err := f.tidy(dir); err != nil {
			return err
		}
	}
	for _, name := range slices.Sorted(maps.Keys(f.Files)) {
		path := filepath.Join(dir, filepath.FromSlash(name))
		if err := os.MkdirAll(filepath.Dir(path), 0o750); err != nil {
			return err
		}
		mode := os.FileMode(0o644)
		if filepath.Ext(name) == ".sh" {
			mode = 0o755
		}
		if err := os.WriteFile(path, f.Files[name], mode); err != nil {
			return err
		}
	}
	return nil
}

// tidy takes away the files of the plan in dir, by the names that its steps have, and the
// folders of these that are empty then. Where there is no plan, no file is f's own.
func (f *Folder) tidy(dir string) error {
	old, err := Read(filepath.Join(dir, Name))
	if errors.Is(err, fs.ErrNotExist) {
		for _, name := range slices.Sorted(maps.Keys(f.Files)) {
			if _, err := os.Lstat(filepath.Join(dir, filepath.FromSlash(name))); err == nil {
				return hint.New(fmt.Errorf("%s has a %s, and no plan that has written it", dir, name), "name another folder with --output-directory")
			}
		}
		return nil
	}
	if err != nil {
		return hint.New(fmt.Errorf("the plan in %s: %w", dir, err), "its steps are not known, and so neither are its files: remove it by hand, or name another folder with --output-directory")
	}
	for _, s := range old.Steps {
		step := filepath.Join(dir, filepath.Base(s.Name))
		for _, name := range stepFiles() {
			if err := os.Remove(filepath.Join(step, name)); err != nil && !errors.Is(err, fs.ErrNotExist) {
				return err
			}
		}
		_ = os.Remove(step) // what is not empty holds what somebody else has put there
	}
	return nil
}
