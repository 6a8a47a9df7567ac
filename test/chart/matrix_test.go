package chart

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// TestMatrix: each of the values files passes the linter and the schema, its objects are
// Kubernetes' own to the last field, and it changes what the golden says against the
// defaults, which have a golden of their own.
func TestMatrix(t *testing.T) {
	files := matrix(t)
	if len(files) < 40 {
		t.Errorf("only %d values files", len(files))
	}
	defaults := renderAll(t)
	golden(t, "defaults", difference(nil, defaults))
	for name, file := range files {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			if _, err := helm(t, "lint", "--strict", chartDir, "--namespace", own, "--values", file); err != nil {
				t.Error(err)
			}
			all := renderAll(t, "--values", file)
			for _, o := range all {
				if _, err := decode(o); err != nil {
					t.Error(err)
				}
			}
			if name != "defaults" {
				golden(t, name, difference(defaults, all))
			} else if d := difference(defaults, all); d != "" {
				t.Error(d)
			}
		})
	}
	stale(t, files)
}

// TestOldestAndNewestKubernetes: the floor of Chart.yaml, the newest that there is, and one
// that has no native sidecars.
func TestOldestAndNewestKubernetes(t *testing.T) {
	for version, refused := range map[string]bool{"1.28.15": true, "1.29.0": false, "1.29.4-gke.1043000": false, "1.37.0": false} {
		t.Run(version, func(t *testing.T) {
			t.Parallel()
			out, err := helm(t, "template", "podpass", chartDir, "--namespace", own, "--kube-version", version)
			if (err != nil) != refused {
				t.Fatalf("%v", err)
			}
			if refused {
				if !strings.Contains(err.Error(), "incompatible with Kubernetes") {
					t.Error(err)
				}
				return
			}
			for _, o := range objects(t, out) {
				if _, err := decode(o); err != nil {
					t.Error(err)
				}
			}
		})
	}
}

// golden holds a text against its file.
func golden(t *testing.T, name, got string) {
	t.Helper()
	file := filepath.Join("testdata", "golden", name+".txt")
	if *update {
		if err := os.WriteFile(file, []byte(got), 0o600); err != nil {
			t.Fatal(err)
		}
		return
	}
	want, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if d := cmp.Diff(strings.Split(string(want), "\n"), strings.Split(got, "\n")); d != "" {
		t.Errorf("%s, -want +got (-update writes it anew):\n%s", file, d)
	}
}

// stale finds goldens of values files that are no more.
func stale(t *testing.T, files map[string]string) {
	t.Helper()
	goldens, err := filepath.Glob("testdata/golden/*.txt")
	if err != nil {
		t.Fatal(err)
	}
	for _, g := range goldens {
		if _, ok := files[strings.TrimSuffix(filepath.Base(g), ".txt")]; !ok {
			t.Errorf("%s has no values file", g)
		}
	}
}
