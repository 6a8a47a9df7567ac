package main

import (
	"archive/tar"
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"runtime"
	"strings"
)

// image describes a one-layer image made from files of this machine.
type image struct {
	Name       string
	Entrypoint []string
	User       string
	Env        []string
	// Files are SRC=/dest; a directory is taken with all below it.
	Files []string
}

// build writes the image as an archive that `ctr images import` reads: the format
// of docker save. The same files give the same archive, whatever their dates.
func (i image) build(out string) (err error) {
	layerFile, err := os.CreateTemp(filepath.Dir(out), "layer-*")
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, layerFile.Close(), os.Remove(layerFile.Name())) }()
	sum := sha256.New()
	if err := i.writeLayer(io.MultiWriter(layerFile, sum)); err != nil {
		return err
	}
	config, err := json.Marshal(map[string]any{
		"architecture": runtime.GOARCH, "os": "linux",
		"config": map[string]any{"Entrypoint": i.Entrypoint, "User": i.User, "Env": i.Env, "WorkingDir": "/"},
		"rootfs": map[string]any{"type": "layers", "diff_ids": []string{"sha256:" + hex.EncodeToString(sum.Sum(nil))}},
	})
	if err != nil {
		return err
	}
	configSum := sha256.Sum256(config)
	configName := hex.EncodeToString(configSum[:]) + ".json"
	manifest, err := json.Marshal([]map[string]any{{"Config": configName, "RepoTags": []string{i.Name}, "Layers": []string{"layer.tar"}}})
	if err != nil {
		return err
	}
	f, err := os.Create(out)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, f.Close()) }()
	w := tar.NewWriter(f)
	for _, part := range []struct {
		name    string
		content []byte
	}{{configName, config}, {"manifest.json", manifest}} {
		if err := writeEntry(w, part.name, 0o644, int64(len(part.content)), bytes.NewReader(part.content)); err != nil {
			return err
		}
	}
	size, err := layerFile.Seek(0, io.SeekCurrent)
	if err != nil {
		return err
	}
	if _, err := layerFile.Seek(0, io.SeekStart); err != nil {
		return err
	}
	if err := writeEntry(w, "layer.tar", 0o644, size, layerFile); err != nil {
		return err
	}
	return w.Close()
}

func (i image) writeLayer(out io.Writer) error {
	w := tar.NewWriter(out)
	made := map[string]bool{}
	// Containers expect a world-writable /tmp where the root is writable.
	if err := w.WriteHeader(&tar.Header{Typeflag: tar.TypeDir, Name: "tmp/", Mode: 0o1777}); err != nil {
		return err
	}
	for _, spec := range i.Files {
		source, dest, ok := strings.Cut(spec, "=/")
		if !ok {
			return fmt.Errorf("--file %q: want SRC=/dest", spec)
		}
		err := filepath.WalkDir(source, func(p string, d fs.DirEntry, err error) error {
			if err != nil {
				return err
			}
			rel, err := filepath.Rel(source, p)
			if err != nil {
				return err
			}
			return writeFile(w, made, p, path.Join(dest, filepath.ToSlash(rel)), rel != ".")
		})
		if err != nil {
			return err
		}
	}
	return w.Close()
}

// writeFile adds one file, and the directories above it that are not yet there.
func writeFile(w *tar.Writer, made map[string]bool, source, dest string, withinTree bool) error {
	info, err := os.Lstat(source)
	if err != nil {
		return err
	}
	for dir, missing := path.Dir(dest), []string(nil); ; dir = path.Dir(dir) {
		if dir == "." || dir == "/" || made[dir] {
			for j := len(missing) - 1; j >= 0; j-- {
				made[missing[j]] = true
				if err := w.WriteHeader(&tar.Header{Typeflag: tar.TypeDir, Name: missing[j] + "/", Mode: 0o755}); err != nil {
					return err
				}
			}
			break
		}
		missing = append(missing, dir)
	}
	if info.IsDir() {
		if made[dest] || dest == "." {
			return nil
		}
		made[dest] = true
		return w.WriteHeader(&tar.Header{Typeflag: tar.TypeDir, Name: dest + "/", Mode: 0o755})
	}
	if info.Mode()&fs.ModeSymlink != 0 {
		target, err := os.Readlink(source)
		if err != nil {
			return err
		}
		// A link within the tree stays a link; one of this machine's (a library's
		// version) is followed: the file is wanted under the link's name.
		if withinTree {
			return w.WriteHeader(&tar.Header{Typeflag: tar.TypeSymlink, Name: dest, Linkname: target, Mode: 0o777})
		}
	}
	f, err := os.Open(source)
	if err != nil {
		return err
	}
	defer f.Close()
	if info, err = f.Stat(); err != nil {
		return err
	}
	return writeEntry(w, dest, 0o555|int64(info.Mode().Perm()&0o111), info.Size(), f)
}

func writeEntry(w *tar.Writer, name string, mode, size int64, content io.Reader) error {
	if err := w.WriteHeader(&tar.Header{Typeflag: tar.TypeReg, Name: name, Mode: mode, Size: size}); err != nil {
		return err
	}
	_, err := io.Copy(w, content)
	return err
}

// loadPause imports the sandbox image: a program that waits, built by the same
// `go build` that built this one and lying beside it.
func (c *cluster) loadPause(ctx context.Context) error {
	self, err := os.Executable()
	if err != nil {
		return err
	}
	out := c.path("pause.tar")
	err = image{Name: pauseImage, Entrypoint: []string{"/pause"}, User: "65535:65535",
		Files: []string{filepath.Join(filepath.Dir(self), "pause") + "=/pause"}}.build(out)
	if err != nil {
		return err
	}
	return c.ctr(ctx, "images", "import", out)
}
