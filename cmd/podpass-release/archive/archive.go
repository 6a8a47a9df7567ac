// Package archive packs files so that the same contents make the same bytes: in one
// order, with one time, and without owners.
package archive

import (
	"archive/tar"
	"archive/zip"
	"compress/gzip"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"time"
)

// Entry is a file to pack.
type Entry struct {
	Name       string // in the archive, with slashes
	Path       string // where its contents are
	Executable bool
}

func (e Entry) mode() os.FileMode {
	if e.Executable {
		return 0o755
	}
	return 0o644
}

// Write packs entries, in their order, into the file at path, by its name: .zip, .tar,
// and .tar.gz or .tgz.
func Write(path string, entries []Entry, modified time.Time) (err error) {
	f, err := os.Create(path)
	if err != nil {
		return err
	}
	defer func() {
		if closeErr := f.Close(); err == nil {
			err = closeErr
		}
	}()
	switch {
	case strings.HasSuffix(path, ".zip"):
		err = writeZip(f, entries, modified)
	case strings.HasSuffix(path, ".tar.gz"), strings.HasSuffix(path, ".tgz"):
		z := gzip.NewWriter(f) // without a name and a time
		if err = writeTar(z, entries, modified); err == nil {
			err = z.Close()
		}
	case strings.HasSuffix(path, ".tar"):
		err = writeTar(f, entries, modified)
	default:
		err = fmt.Errorf("no archive is named %s", filepath.Base(path))
	}
	if err != nil {
		return fmt.Errorf("pack %s: %w", filepath.Base(path), err)
	}
	return nil
}

func writeTar(w io.Writer, entries []Entry, modified time.Time) error {
	t := tar.NewWriter(w)
	for _, e := range entries {
		info, err := os.Stat(e.Path)
		if err != nil {
			return err
		}
		if err := t.WriteHeader(&tar.Header{
			Typeflag: tar.TypeReg, Name: e.Name, Size: info.Size(), Mode: int64(e.mode()), ModTime: modified.UTC(), Format: tar.FormatUSTAR,
		}); err != nil {
			return err
		}
		if err := copyFile(t, e.Path); err != nil {
			return err
		}
	}
	return t.Close()
}

func writeZip(w io.Writer, entries []Entry, modified time.Time) error {
	z := zip.NewWriter(w)
	for _, e := range entries {
		h := &zip.FileHeader{Name: e.Name, Method: zip.Deflate, Modified: modified.UTC()}
		h.SetMode(e.mode())
		f, err := z.CreateHeader(h)
		if err != nil {
			return err
		}
		if err := copyFile(f, e.Path); err != nil {
			return err
		}
	}
	return z.Close()
}

func copyFile(w io.Writer, path string) error {
	f, err := os.Open(path)
	if err != nil {
		return err
	}
	defer f.Close()
	_, err = io.Copy(w, f)
	return err
}

// Tree are the files below dir, as entries with names below prefix, in order. None is
// executable.
func Tree(dir, prefix string) ([]Entry, error) {
	var entries []Entry
	err := filepath.WalkDir(dir, func(path string, d os.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		name, err := filepath.Rel(dir, path)
		if err != nil {
			return err
		}
		entries = append(entries, Entry{Name: prefix + filepath.ToSlash(name), Path: path})
		return nil
	})
	return entries, err
}
