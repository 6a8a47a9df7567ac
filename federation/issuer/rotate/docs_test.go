package rotate_test

import (
	"os"
	"regexp"
	"strings"
	"testing"
)

// TestCodesAreDocumented: each code has its heading in docs/errors.md, once.
func TestCodesAreDocumented(t *testing.T) {
	doc, err := os.ReadFile("../../../docs/errors.md")
	if err != nil {
		t.Fatal(err)
	}
	source, err := os.ReadFile("codes.go")
	if err != nil {
		t.Fatal(err)
	}
	codes := regexp.MustCompile(`"(WI\d{3})"`).FindAllStringSubmatch(string(source), -1)
	if len(codes) == 0 {
		t.Fatal("no codes found in codes.go")
	}
	for _, c := range codes {
		if n := strings.Count(string(doc), "\n## "+c[1]+"\n"); n != 1 {
			t.Errorf("docs/errors.md has %d headings for %s, want 1", n, c[1])
		}
	}
}
