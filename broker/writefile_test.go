package broker_test

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/podpass-io/podpass/broker"
)

// TestWriteFile: whole, readable by everybody, and again when the init container is
// restarted; what fails leaves nothing behind.
func TestWriteFile(t *testing.T) {
	dir := t.TempDir()
	path := filepath.Join(dir, "federation.json")
	for _, content := range []string{"{}", `{"type":"external_account"}`} {
		if err := broker.WriteFile(path, content); err != nil {
			t.Fatal(err)
		}
		got, err := os.ReadFile(path)
		info, statErr := os.Stat(path)
		if err != nil || statErr != nil || string(got) != content || info.Mode().Perm() != 0o444 {
			t.Errorf("%q, %v, %v, want %q", got, err, statErr, content)
		}
	}
	if err := broker.WriteFile(path, ""); err == nil {
		t.Error("no content was accepted")
	}
	if err := os.Mkdir(filepath.Join(dir, "taken"), 0o700); err != nil {
		t.Fatal(err)
	}
	for _, path := range []string{filepath.Join(dir, "taken"), filepath.Join(dir, "not-there", "file")} {
		if err := broker.WriteFile(path, "{}"); err == nil {
			t.Errorf("%s was written", path)
		}
	}
	list, err := os.ReadDir(dir)
	if err != nil || len(list) != 2 {
		t.Errorf("left behind: %v, %v", list, err)
	}
}
