package serviceaccount_test

import (
	"fmt"
	"os"
	"regexp"
	"strings"
	"testing"

	"github.com/podpass-io/podpass/federation/serviceaccount"
)

// TestKeysAreDocumented: docs/annotations.md holds the code's table, row by row.
func TestKeysAreDocumented(t *testing.T) {
	doc, err := os.ReadFile("../../docs/annotations.md")
	if err != nil {
		t.Fatal(err)
	}
	var rows strings.Builder
	for _, k := range serviceaccount.Keys() {
		fmt.Fprintf(&rows, "| `%s` | %s | %s | %s |\n", k.Name, k.On, k.Value, k.Meaning)
	}
	if !strings.HasSuffix(string(doc), "|---|---|---|---|\n"+rows.String()) {
		t.Errorf("docs/annotations.md does not end with this table:\n%s", rows.String())
	}
}

// TestCodesAreDocumented: each code has its heading in docs/errors.md, once.
func TestCodesAreDocumented(t *testing.T) {
	doc, err := os.ReadFile("../../docs/errors.md")
	if err != nil {
		t.Fatal(err)
	}
	source, err := os.ReadFile("problems.go")
	if err != nil {
		t.Fatal(err)
	}
	codes := regexp.MustCompile(`"(WI\d{3})"`).FindAllStringSubmatch(string(source), -1)
	if len(codes) == 0 {
		t.Fatal("no codes found in problems.go")
	}
	for _, c := range codes {
		if n := strings.Count(string(doc), "\n## "+c[1]+"\n"); n != 1 {
			t.Errorf("docs/errors.md has %d headings for %s, want 1", n, c[1])
		}
	}
}
