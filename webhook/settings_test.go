package webhook

import (
	"bytes"
	"context"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"testing/synctest"
	"time"
)

// TestSettingsAreReadAgain: as kubelet writes them, by a link to another directory; what
// cannot be used leaves those before in force, and is said once.
func TestSettingsAreReadAgain(t *testing.T) {
	dir := t.TempDir()
	link := filepath.Join(dir, "..data")
	put := func(name, text string) {
		t.Helper()
		version := filepath.Join(dir, name)
		if err := os.Mkdir(version, 0o700); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(filepath.Join(version, "config.yaml"), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		_ = os.Remove(link + "_tmp")
		if err := os.Symlink(version, link+"_tmp"); err != nil {
			t.Fatal(err)
		}
		if err := os.Rename(link+"_tmp", link); err != nil {
			t.Fatal(err)
		}
	}
	const image = "broker: {image: podpass-broker:test}\n"
	put("1", image)
	synctest.Test(t, func(t *testing.T) {
		logs := new(bytes.Buffer)
		s, err := OpenSettings(filepath.Join(link, "config.yaml"), slog.New(slog.NewTextHandler(logs, nil)))
		if err != nil {
			t.Fatal(err)
		}
		ctx, stop := context.WithCancel(t.Context())
		ended := make(chan error)
		go func() { ended <- s.Start(ctx) }()
		want := func(when, mode string, refused bool) {
			t.Helper()
			time.Sleep(3 * settingsPeriod)
			synctest.Wait()
			if got := string(s.Current().Mode); got != mode || s.refused.Load() != refused {
				t.Errorf("%s: mode %q, refused %t", when, got, s.refused.Load())
			}
		}
		want("unchanged", "", false)
		put("2", image+"mode: direct\n")
		want("changed", "direct", false)
		put("3", image+"mode: dirct\n")
		want("misspelt", "direct", true)
		if err := os.Remove(link); err != nil {
			t.Fatal(err)
		}
		want("gone", "direct", true)
		put("4", image+"mode: broker\n")
		want("mended", "broker", false)
		stop()
		if err := <-ended; err != nil {
			t.Error(err)
		}
		if text := logs.String(); strings.Count(text, "cannot be used") != 2 || !strings.Contains(text, "dirct") || strings.Count(text, "read again") != 2 {
			t.Errorf("log:\n%s", text)
		}
	})
}

// TestSettingsAtTheStart: a process does not start with settings that it cannot use.
func TestSettingsAtTheStart(t *testing.T) {
	file := filepath.Join(t.TempDir(), "config.yaml")
	if _, err := OpenSettings(file, slog.New(slog.DiscardHandler)); err == nil {
		t.Error("no file, and no error")
	}
	for name, text := range map[string]string{"no image": "mode: direct", "too large": "#" + strings.Repeat("x", maxSettings)} {
		if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		if _, err := OpenSettings(file, slog.New(slog.DiscardHandler)); err == nil {
			t.Errorf("%s: no error", name)
		}
	}
}
