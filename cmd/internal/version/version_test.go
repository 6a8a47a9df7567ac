package version

import (
	"encoding/json"
	"os/exec"
	"path/filepath"
	"regexp"
	"runtime"
	"runtime/debug"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestString(t *testing.T) {
	for name, tt := range map[string]struct {
		info Info
		want string
	}{
		"a release":               {Info{"1.2.3", "0123abc", "go1.26.8", "linux/arm64"}, "1.2.3 (commit 0123abc, go1.26.8, linux/arm64)"},
		"nobody knows the commit": {Info{"dev", "", "go1.26.8", "darwin/arm64"}, "dev (go1.26.8, darwin/arm64)"},
	} {
		t.Run(name, func(t *testing.T) {
			if got := tt.info.String(); got != tt.want {
				t.Errorf("got %q, want %q", got, tt.want)
			}
		})
	}
}

func TestOfModule(t *testing.T) {
	for name, tt := range map[string]struct {
		main debug.Module
		want string
	}{
		"go install of a version": {debug.Module{Version: "v1.2.3", Sum: "h1:x"}, "1.2.3"},
		"a work tree with a tag":  {debug.Module{Version: "v1.2.4-0.20261127070000-0123456789ab+dirty"}, "dev"},
		"a work tree without git": {debug.Module{Version: "(devel)"}, "dev"},
	} {
		t.Run(name, func(t *testing.T) {
			if got := ofModule(&debug.BuildInfo{Main: tt.main}, true); got != tt.want {
				t.Errorf("got %q, want %q", got, tt.want)
			}
		})
	}
	if got := ofModule(nil, false); got != "dev" {
		t.Errorf("of a build without information: got %q, want dev", got)
	}
}

// TestPrograms: whoever reports a defect can say what they run, by the same word with
// each program. They are built as `make build` does it, so that a variable that was
// renamed without the Makefile shows here.
func TestPrograms(t *testing.T) {
	bin := t.TempDir()
	build := exec.CommandContext(t.Context(), "make", "-C", "../../..", "build", "VERSION=1.2.3-test.1", "COMMIT=0123456789abcdef", "BIN="+bin)
	if out, err := build.CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	platform := runtime.GOOS + "/" + runtime.GOARCH
	line := " 1.2.3-test.1 (commit 0123456789abcdef, " + runtime.Version() + ", " + platform + ")\n"
	for name, command := range map[string]string{
		"podpass":                "--version",
		"podpass version":        "version",
		"podpass-webhook":        "--version",
		"podpass-broker":         "--version",
		"podpass-broker version": "version",
	} {
		t.Run(name, func(t *testing.T) {
			program, _, _ := strings.Cut(name, " ")
			out, err := exec.CommandContext(t.Context(), filepath.Join(bin, program), command).Output()
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(program+line, string(out)); diff != "" {
				t.Errorf("-want +got:\n%s", diff)
			}
		})
	}
	out, err := exec.CommandContext(t.Context(), filepath.Join(bin, "podpass"), "version", "-o", "json").Output()
	if err != nil {
		t.Fatal(err)
	}
	var got map[string]string
	if err := json.Unmarshal(out, &got); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	want := map[string]string{"version": "1.2.3-test.1", "commit": "0123456789abcdef", "go": runtime.Version(), "platform": platform}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("-want +got:\n%s", diff)
	}
	// What would differ between two checkouts of the same source.
	modinfo, err := exec.CommandContext(t.Context(), "go", "version", "-m", filepath.Join(bin, "podpass-broker")).Output()
	if err != nil {
		t.Fatal(err)
	}
	if found := regexp.MustCompile(`vcs\.\w+`).FindString(string(modinfo)); found != "" {
		t.Errorf("the binary has Go's own stamp %s:\n%s", found, modinfo)
	}
}
