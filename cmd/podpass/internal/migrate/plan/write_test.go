package plan

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/podpass-io/podpass/test/statickeys"
)

// files in a folder, by their paths.
func files(t *testing.T, dir string) []string {
	t.Helper()
	var all []string
	err := filepath.WalkDir(dir, func(path string, d os.DirEntry, err error) error {
		if err == nil && !d.IsDir() {
			rel, _ := filepath.Rel(dir, path)
			all = append(all, rel)
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return all
}

func oneCase(t *testing.T, name string) []byte {
	t.Helper()
	cases := statickeys.Cases("shop")
	i := slices.IndexFunc(cases, func(c statickeys.Case) bool { return c.Name == name })
	return statickeys.Manifests(cases[i : i+1])
}

// TestWrite: a folder that holds anything is left alone; with force only what an older plan
// has written goes.
func TestWrite(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "migration")
	first, second := made(t, oneCase(t, "env-secret"), testOptions()), made(t, oneCase(t, "google-file"), testOptions())
	if err := first.Write(dir, false); err != nil {
		t.Fatal(err)
	}
	want := []string{"README.md", "plan.yaml", "statefulset-env-secret/aws.sh", "statefulset-env-secret/aws.tf", "statefulset-env-secret/change.diff",
		"statefulset-env-secret/kustomization.yaml", "statefulset-env-secret/permissions.md", "statefulset-env-secret/serviceaccount.yaml", "statefulset-env-secret/undo.md"}
	if diff := cmp.Diff(want, files(t, dir)); diff != "" {
		t.Error(diff)
	}
	if err := second.Write(dir, false); err == nil || !strings.Contains(err.Error(), "is not empty") {
		t.Errorf("a folder with a plan: %v", err)
	}
	if err := os.WriteFile(filepath.Join(dir, "statefulset-env-secret/mine.txt"), nil, 0o600); err != nil {
		t.Fatal(err)
	}
	if err := second.Write(dir, true); err != nil {
		t.Fatal(err)
	}
	want = []string{"README.md", "plan.yaml", "statefulset-env-secret/mine.txt", "statefulset-google-file/change.diff", "statefulset-google-file/gcp.sh", "statefulset-google-file/gcp.tf",
		"statefulset-google-file/kustomization.yaml", "statefulset-google-file/permissions.md", "statefulset-google-file/serviceaccount.yaml", "statefulset-google-file/undo.md"}
	if diff := cmp.Diff(want, files(t, dir)); diff != "" {
		t.Error(diff)
	}
	if err := os.WriteFile(filepath.Join(dir, Name), []byte("kind: Other"), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := first.Write(dir, true); err == nil || !strings.Contains(err.Error(), "is no MigrationPlan") {
		t.Errorf("over a plan that is none: %v", err)
	}
	other := t.TempDir()
	if err := os.WriteFile(filepath.Join(other, "README.md"), nil, 0o600); err != nil {
		t.Fatal(err)
	}
	if err := first.Write(other, true); err == nil || !strings.Contains(err.Error(), "has a README.md, and no plan that has written it") {
		t.Errorf("over somebody else's file: %v", err)
	}
}
