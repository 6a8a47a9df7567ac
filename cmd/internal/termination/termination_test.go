package termination_test

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/podpass-io/podpass/cmd/internal/termination"
)

// TestMessage: what kubelet would cut anywhere ends with a whole line.
func TestMessage(t *testing.T) {
	for name, tt := range map[string]struct{ text, want string }{
		"one":              {"mode: \"x\" is neither broker nor direct", "mode: \"x\" is neither broker nor direct\n"},
		"a problem a line": {"a: 1\nb: 2\n", "a: 1\nb: 2\n"},
		"too many":         {strings.Repeat("0123456789\n", 1000), strings.Repeat("0123456789\n", 368) + "and 632 more lines: see the log\n"},
		"one endless line": {strings.Repeat("é", 4096), strings.Repeat("é", 2028) + "...\n"},
	} {
		t.Run(name, func(t *testing.T) {
			got := termination.Message(errors.New(tt.text))
			if got != tt.want {
				t.Errorf("%d bytes: %.60q ... %q", len(got), got, got[max(0, len(got)-60):])
			}
			if len(got) > 4096 || !utf8.ValidString(got) {
				t.Errorf("%d bytes, valid %t", len(got), utf8.ValidString(got))
			}
		})
	}
}

// TestWrite: only where kubelet has made the file, which is on a machine no other's.
func TestWrite(t *testing.T) {
	dir := t.TempDir()
	file := filepath.Join(dir, "termination-log")
	termination.Write(file, errors.New("why"))
	if _, err := os.Stat(file); err == nil {
		t.Error("a file was made where kubelet has made none")
	}
	if err := os.WriteFile(file, []byte("of the container before, and longer\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	termination.Write(file, errors.New("why"))
	if b, err := os.ReadFile(file); err != nil || string(b) != "why\n" {
		t.Errorf("%q, %v", b, err)
	}
	termination.Write(dir, errors.New("why")) // nor what is not a file
}
