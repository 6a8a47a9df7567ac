package sdk

import (
	"context"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

// Both programs are run with nothing configured: each says that it found no
// credentials, in the same shape.
func TestBuild(t *testing.T) {
	clients, err := Build(t.Context(), os.Stderr)
	if errors.Is(err, ErrNoNPM) {
		t.Logf("LEFT OUT: the JavaScript client: %v", err)
	} else if err != nil {
		t.Fatal(err)
	}
	for _, f := range clients.ImageFiles() {
		source, dest, ok := strings.Cut(f, "=")
		if _, err := os.Stat(source); err != nil || !ok || !filepath.IsAbs(dest) {
			t.Errorf("image file %q: %v", f, err)
		}
	}
	programs := map[string][]string{"go": {clients.Go}}
	if clients.Node != "" {
		programs["js"] = []string{clients.Node, clients.Main()}
	}
	for name, program := range programs {
		t.Run(name, func(t *testing.T) {
			cmd := exec.CommandContext(t.Context(), program[0], append(program[1:], "aws", "--timeout", "10s")...)
			cmd.Env = []string{"AWS_EC2_METADATA_DISABLED=true", "AWS_REGION=eu-central-1"}
			out, err := cmd.Output()
			if e, ok := errors.AsType[*exec.ExitError](err); !ok || e.ExitCode() != 1 {
				t.Errorf("exit: %v, want status 1", withStderr(err))
			}
			results, err := ParseResults(strings.NewReader(string(out)))
			if err != nil || len(results) != 1 {
				t.Fatalf("got %d results, %v, from %q", len(results), err, out)
			}
			if r := results[0]; r.OK || r.Cloud != "aws" || r.Error == "" || !strings.ContainsAny(r.SDK, "0123456789") {
				t.Errorf("got %+v", r)
			}
			usage := exec.CommandContext(t.Context(), program[0], append(program[1:], "nosuch")...)
			text, err := usage.CombinedOutput()
			if e, ok := errors.AsType[*exec.ExitError](err); !ok || e.ExitCode() != 2 || !strings.HasPrefix(string(text), "usage: ") {
				t.Errorf("unknown check: %v, %q; want usage and status 2", err, text)
			}
		})
	}
}

func TestParseResults(t *testing.T) {
	got, err := ParseResults(strings.NewReader(`{"cloud":"aws","ok":true,"identity":"me"}` + "\n" + `{"cloud":"gcp","ok":false,"error":"no"}` + "\n"))
	if err != nil {
		t.Fatal(err)
	}
	want := []Result{{Cloud: "aws", OK: true, Identity: "me"}, {Cloud: "gcp", Error: "no"}}
	if d := cmp.Diff(want, got); d != "" {
		t.Error(d)
	}
	if _, err := ParseResults(strings.NewReader("panic: no")); err == nil {
		t.Error("want an error for what is not JSON")
	}
}

func TestLibraryPath(t *testing.T) {
	const out = "\tlinux-vdso.so.1 (0x00007fb8ffec8000)\n" +
		"\tlibm.so.6 => /lib/x86_64-linux-gnu/libm.so.6 (0x00007fb8ffb20000)\n" +
		"\t/lib64/ld-linux-x86-64.so.2 (0x00007fb8ffeca000)\n"
	var got []string
	for _, m := range libraryPath.FindAllStringSubmatch(out, -1) {
		got = append(got, m[1])
	}
	want := []string{"/lib/x86_64-linux-gnu/libm.so.6", "/lib64/ld-linux-x86-64.so.2"}
	if d := cmp.Diff(want, got); d != "" {
		t.Error(d)
	}
}

// Without npm, and without a way to install it, tests must be able to tell that
// from a failure.
func TestFindNPM(t *testing.T) {
	t.Setenv("PATH", t.TempDir())
	if path, err := findNPM(t.Context(), t.Output()); !errors.Is(err, ErrNoNPM) {
		t.Errorf("got %q, %v; want ErrNoNPM", path, err)
	}
}

// A second process waits for the lock, says so, and stops waiting when told to.
func TestLock(t *testing.T) {
	path := filepath.Join(t.TempDir(), "lock")
	unlock, err := lock(t.Context(), path, t.Output())
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
	defer cancel()
	var log strings.Builder
	if _, err := lock(ctx, path, &log); !errors.Is(err, context.DeadlineExceeded) || !strings.Contains(log.String(), "Waiting") {
		t.Errorf("got %v, log %q; want to wait until the deadline", err, log.String())
	}
	unlock()
	again, err := lock(t.Context(), path, t.Output())
	if err != nil {
		t.Fatal(err)
	}
	again()
}
