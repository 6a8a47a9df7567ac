package publish

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/podpass-io/podpass/federation/issuer"
)

// folder is a directory that a web server shows. A version is a digest of the content. Two
// writers are told apart up to the moment between a look and a rename; a file system has no
// way to do both at once.
type folder struct{ dir string }

func openFolder(dir string) (Place, error) {
	if dir == "" {
		return nil, errors.New("no directory")
	}
	info, err := os.Stat(dir)
	if err != nil {
		return nil, err // the web server's own directory exists: a misspelt one should not come to be
	}
	if !info.IsDir() {
		return nil, fmt.Errorf("%s is not a directory", dir)
	}
	return folder{dir}, nil
}

func (f folder) String() string { return f.dir }

func (f folder) file(path string) string { return filepath.Join(f.dir, filepath.FromSlash(path)) }

// Get implements Place. A folder has no headers: the web server's are looked at from outside.
func (f folder) Get(_ context.Context, path string) (Object, Version, error) {
	o := Object{Path: path, ContentType: contentType, CacheControl: issuer.CacheControl}
	info, err := os.Stat(f.file(path))
	if errors.Is(err, os.ErrNotExist) {
		return o, "", nil
	}
	if err == nil && info.Size() > issuer.MaxSize {
		err = fmt.Errorf("%s is larger than %d bytes", f.file(path), issuer.MaxSize)
	}
	if err != nil {
		return o, "", err
	}
	o.Body, err = os.ReadFile(f.file(path))
	return o, digest(o.Body), err
}

func digest(body []byte) Version {
	sum := sha256.Sum256(body)
	return Version(hex.EncodeToString(sum[:]))
}

// temporary files of writers that were killed; a minute is longer than any write.
const (
	temporary = ".podpass-"
	stale     = time.Minute
)

// Put implements Place.
func (f folder) Put(ctx context.Context, o Object, had Version) error {
	file := f.file(o.Path)
	dir := filepath.Dir(file)
	if err := os.MkdirAll(dir, 0o755); err != nil { //nolint:gosec // a web server's other user reads it
		return err
	}
	sweep(dir)
	tmp, err := os.CreateTemp(dir, temporary+"*")
	if err != nil {
		return err
	}
	_, err = tmp.Write(o.Body)
	err = errors.Join(err, tmp.Chmod(0o644), tmp.Sync(), tmp.Close())
	if err == nil {
		var now Version
		if _, now, err = f.Get(ctx, o.Path); err == nil && now != had {
			err = ErrChanged
		}
	}
	if err == nil {
		err = os.Rename(tmp.Name(), file)
	}
	if err != nil {
		return errors.Join(err, os.Remove(tmp.Name()))
	}
	return nil
}

func sweep(dir string) {
	entries, err := os.ReadDir(dir)
	if err != nil {
		return // the write itself will say why
	}
	for _, e := range entries {
		if info, err := e.Info(); err == nil && strings.HasPrefix(e.Name(), temporary) && time.Since(info.ModTime()) > stale {
			_ = os.Remove(filepath.Join(dir, e.Name())) // the next writer tries again
		}
	}
}
