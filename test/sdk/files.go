package sdk

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"syscall"
	"time"
)

// hashFiles hashes salt, and the names and contents of the files in dir that
// match a pattern. A pattern that matches nothing is an error: the hash would
// not see the file when it comes.
func hashFiles(dir, salt string, patterns ...string) (string, error) {
	h := sha256.New()
	fmt.Fprintf(h, "%q\n", salt)
	err := eachFile(dir, patterns, func(name string, content []byte) error {
		_, err := fmt.Fprintf(h, "%q %d\n%s", name, len(content), content)
		return err
	})
	return hex.EncodeToString(h.Sum(nil))[:16], err
}

// copyFiles makes to hold the files of dir that match a pattern.
func copyFiles(dir, to string, patterns ...string) error {
	if err := os.MkdirAll(to, 0o755); err != nil {
		return err
	}
	return eachFile(dir, patterns, func(name string, content []byte) error {
		return os.WriteFile(filepath.Join(to, name), content, 0o644)
	})
}

func eachFile(dir string, patterns []string, do func(name string, content []byte) error) error {
	for _, pattern := range patterns {
		paths, err := filepath.Glob(filepath.Join(dir, pattern))
		if err != nil {
			return err
		}
		if len(paths) == 0 {
			return fmt.Errorf("no %s in %s", pattern, dir)
		}
		for _, path := range paths {
			content, err := os.ReadFile(path)
			if err != nil {
				return err
			}
			if err := do(filepath.Base(path), content); err != nil {
				return err
			}
		}
	}
	return nil
}

// lock waits until no other process holds path. The kernel lets go of the lock of
// a process that was killed.
func lock(ctx context.Context, path string, log io.Writer) (unlock func(), err error) {
	f, err := os.OpenFile(path, os.O_CREATE|os.O_RDWR, 0o644)
	if err != nil {
		return nil, err
	}
	for waiting := false; ; {
		err := syscall.Flock(int(f.Fd()), syscall.LOCK_EX|syscall.LOCK_NB)
		if err == nil {
			return func() { _ = f.Close() }, nil
		}
		if !errors.Is(err, syscall.EWOULDBLOCK) && !errors.Is(err, syscall.EINTR) {
			return nil, errors.Join(fmt.Errorf("lock %s: %w", path, err), f.Close())
		}
		if !waiting {
			fmt.Fprintln(log, "Waiting for another process that builds the SDK clients")
			waiting = true
		}
		select {
		case <-ctx.Done():
			return nil, errors.Join(fmt.Errorf("lock %s: %w", path, ctx.Err()), f.Close())
		case <-time.After(200 * time.Millisecond):
		}
	}
}
