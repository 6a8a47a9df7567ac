// Package findingtest holds codes of findings against their documentation.
package findingtest

import (
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

var code = regexp.MustCompile(`"(WI\d{3})"`)

// Codes are those of the file codes.go of the package under test, each once.
func Codes(t testing.TB) []string {
	t.Helper()
	source, err := os.ReadFile("codes.go")
	if err != nil {
		t.Fatal(err)
	}
	var list []string
	seen := map[string]bool{}
	for _, m := range code.FindAllStringSubmatch(string(source), -1) {
		if seen[m[1]] {
			t.Errorf("codes.go has %s twice", m[1])
		}
		seen[m[1]] = true
		list = append(list, m[1])
	}
	if len(list) == 0 {
		t.Fatal("no codes found in codes.go")
	}
	return list
}

// Documented fails unless docs/errors.md has a heading for each of the package's codes,
// once, and none for others from first to last, which are the package's own; both empty:
// it has no range for itself.
func Documented(t testing.TB, first, last string) {
	t.Helper()
	headings := map[string]int{}
	for line := range strings.Lines(Page(t, "errors.md")) {
		if name, ok := strings.CutPrefix(strings.TrimSpace(line), "## "); ok {
			headings[name]++
		}
	}
	codes := map[string]bool{}
	for _, c := range Codes(t) {
		codes[c] = true
		if headings[c] != 1 {
			t.Errorf("docs/errors.md has %d headings for %s, want 1", headings[c], c)
		}
	}
	for name := range headings {
		if first != "" && first <= name && name <= last && !codes[name] {
			t.Errorf("docs/errors.md has a heading for %s, which codes.go has not", name)
		}
	}
}

// Page is the text of a page of docs/.
func Page(t testing.TB, name string) string {
	t.Helper()
	dir, err := os.Getwd()
	if err != nil {
		t.Fatal(err)
	}
	for ; ; dir = filepath.Dir(dir) {
		text, err := os.ReadFile(filepath.Join(dir, "docs", name))
		if err == nil {
			return string(text)
		}
		if dir == filepath.Dir(dir) {
			t.Fatalf("no folder above the test has docs/%s", name)
		}
	}
}
