package pods

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/podpass-io/podpass/federation/serviceaccount"
)

// TestDocumentedValues: each file of values in the documentation is one that the chart
// takes, stands beside the page that tells of it, and is what a table of cases runs with.
func TestDocumentedValues(t *testing.T) {
	files, err := filepath.Glob(filepath.Join(fromDir, "*.values.yaml"))
	if err != nil || len(files) == 0 {
		t.Fatalf("no files of values: %v", err)
	}
	tables, err := readTables()
	if err != nil {
		t.Fatal(err)
	}
	used := map[string]bool{}
	for _, table := range tables {
		used[table.Values] = true
	}
	for _, file := range files {
		name := filepath.Base(file)
		t.Run(name, func(t *testing.T) {
			settings, err := settingsOf(name)
			if err != nil {
				t.Fatal(err)
			}
			if _, err := (Case{Settings: settings}).InjectSettings(); err != nil {
				t.Error(err)
			}
			if !used[name] {
				t.Error("no table of cases has these values")
			}
			page := strings.TrimSuffix(file, ".values.yaml") + ".md"
			if pages, err := filepath.Glob(page); err != nil || len(pages) != 1 {
				t.Errorf("no page %s", page)
			}
		})
	}
}

// TestPagesNameEachKey: whoever comes from another webhook finds each of its keys on
// the page about it.
func TestPagesNameEachKey(t *testing.T) {
	for prefix, page := range map[string]string{
		"eks.amazonaws.com/":       "amazon-eks-pod-identity-webhook.md",
		"azure.workload.identity/": "azure-workload-identity.md",
		"cloud.google.com/":        "gcp-workload-identity-federation-webhook.md",
		"iam.gke.io/":              "gke-workload-identity.md",
	} {
		text, err := os.ReadFile(filepath.Join(fromDir, page))
		if err != nil {
			t.Fatal(err)
		}
		for _, k := range serviceaccount.Keys() {
			if strings.HasPrefix(k.Name, prefix) && !strings.Contains(string(text), "`"+k.Name+"`") {
				t.Errorf("%s does not name %s", page, k.Name)
			}
		}
	}
}
