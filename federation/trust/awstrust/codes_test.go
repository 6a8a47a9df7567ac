package awstrust

import (
	"fmt"
	"os"
	"strings"
	"testing"
)

// TestEachCodeIsDocumented: docs/errors.md has a heading for each code of codes.go, once,
// and none for codes that are not there.
func TestEachCodeIsDocumented(t *testing.T) {
	doc, err := os.ReadFile("../../../docs/errors.md")
	if err != nil {
		t.Fatal(err)
	}
	source, err := os.ReadFile("codes.go")
	if err != nil {
		t.Fatal(err)
	}
	used := 0
	for code := 200; code < 230; code++ {
		name := fmt.Sprintf("WI%d", code)
		inCode := strings.Count(string(source), `"`+name+`"`)
		if headings := strings.Count(string(doc), "\n## "+name+"\n"); inCode != headings || inCode > 1 {
			t.Errorf("%s: %d times in codes.go, %d headings in docs/errors.md", name, inCode, headings)
		}
		used += inCode
	}
	if used == 0 {
		t.Error("no code found")
	}
}
