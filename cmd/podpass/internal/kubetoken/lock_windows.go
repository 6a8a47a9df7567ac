package kubetoken

import (
	"errors"
	"io/fs"
	"os"

	"golang.org/x/sys/windows"
)

// private: on Windows the user's cache directory is below the profile, which others cannot
// read; modes say nothing.
func private(fs.FileInfo) error { return nil }

// tryLock takes the file's lock, unless another has it.
func tryLock(f *os.File) (taken bool, err error) {
	err = windows.LockFileEx(windows.Handle(f.Fd()), windows.LOCKFILE_EXCLUSIVE_LOCK|windows.LOCKFILE_FAIL_IMMEDIATELY, 0, 1, 0, new(windows.Overlapped))
	if errors.Is(err, windows.ERROR_LOCK_VIOLATION) || errors.Is(err, windows.ERROR_IO_PENDING) {
		return false, nil
	}
	return err == nil, err
}
