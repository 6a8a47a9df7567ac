package plan

import (
	"os"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// TestReadme: a Helm release, a ServiceAccount that two workloads share, a key that does not
// say its account, a Secret that was not read, and a key that nobody uses.
func TestReadme(t *testing.T) {
	manifests, err := os.ReadFile("testdata/shop.yaml")
	if err != nil {
		t.Fatal(err)
	}
	f := made(t, manifests, testOptions())
	for file, golden := range map[string]string{"README.md": "testdata/README.golden", "cronjob-report/change.diff": "testdata/change.golden", "deployment-orders/permissions.md": "testdata/permissions.golden"} {
		want, err := os.ReadFile(golden)
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(string(want), string(f.Files[file])); diff != "" {
			t.Errorf("%s: %s", file, diff)
		}
	}
}
