package archive

import (
	"bytes"
	"os"
	"path/filepath"
	"testing"
	"time"
)

// TestSameBytes: what was built at another time, in another directory, by somebody with
// another umask, packs to the same bytes.
func TestSameBytes(t *testing.T) {
	modified := time.Unix(1795000000, 0)
	for _, name := range []string{"a.tar.gz", "a.tgz", "a.zip", "a.tar"} {
		t.Run(name, func(t *testing.T) {
			pack := func(mode os.FileMode, touched time.Time) []byte {
				dir := t.TempDir()
				path := filepath.Join(dir, "podpass")
				if err := os.WriteFile(path, []byte("a program"), mode); err != nil {
					t.Fatal(err)
				}
				if err := os.Chtimes(path, touched, touched); err != nil {
					t.Fatal(err)
				}
				out := filepath.Join(t.TempDir(), name)
				if err := Write(out, []Entry{{Name: "podpass", Path: path, Executable: true}}, modified); err != nil {
					t.Fatal(err)
				}
				body, err := os.ReadFile(out)
				if err != nil {
					t.Fatal(err)
				}
				return body
			}
			one, two := pack(0o700, time.Unix(1, 0)), pack(0o644, time.Now())
			if !bytes.Equal(one, two) {
				t.Error("the bytes differ")
			}
			if len(one) == 0 {
				t.Error("the archive is empty")
			}
		})
	}
}

func TestUnknownArchive(t *testing.T) {
	if err := Write(filepath.Join(t.TempDir(), "a.rar"), nil, time.Time{}); err == nil {
		t.Error("an archive of a kind that is not known was written")
	}
}
