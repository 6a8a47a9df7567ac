package environ_test

import (
	"fmt"
	"os"
	"strings"
	"testing"

	"github.com/podpass-io/podpass/federation/environ"
)

// TestVariablesAreDocumented: docs/annotations.md holds the code's table, row by row.
func TestVariablesAreDocumented(t *testing.T) {
	doc, err := os.ReadFile("../../docs/annotations.md")
	if err != nil {
		t.Fatal(err)
	}
	rows := "| cloud | variable | what it is |\n|---|---|---|\n"
	seen := map[string]bool{}
	for _, v := range environ.Variables() {
		rows += fmt.Sprintf("| %s | `%s` | %s |\n", v.Cloud, v.Name, v.Meaning)
		if seen[v.Name] {
			t.Errorf("%s stands twice", v.Name)
		}
		seen[v.Name] = true
	}
	if !strings.Contains(string(doc), "\n"+rows+"\n") {
		t.Errorf("docs/annotations.md does not have this table:\n%s", rows)
	}
}

// TestNames: by cloud and meaning, in the table's order.
func TestNames(t *testing.T) {
	if got := strings.Join(environ.Names("gcp", environ.Choice, environ.KeyFile), " "); got != "GCE_METADATA_HOST GCE_METADATA_IP GCE_METADATA_ROOT GOOGLE_APPLICATION_CREDENTIALS CLOUDSDK_AUTH_CREDENTIAL_FILE_OVERRIDE CLOUDSDK_AUTH_ACCESS_TOKEN_FILE" {
		t.Error(got)
	}
	if got := environ.Names("oidc", environ.Choice); got != nil {
		t.Error(got)
	}
}
