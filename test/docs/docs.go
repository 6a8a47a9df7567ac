// Package docs holds the repository's pages against what they speak of: their links, their
// pictures, and the pages that are made from the code.
//
// Pages of docs/reference are made. Where one is stale its test fails, and
//
//	PODPASS_UPDATE_DOCS=1 go test -run TestReference ./cmd/... ./broker
//
// writes it anew; what changed is then read like any other change.
package docs

import (
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// Root is the repository's directory.
func Root(t testing.TB) string {
	t.Helper()
	dir, err := os.Getwd()
	if err != nil {
		t.Fatal(err)
	}
	for ; ; dir = filepath.Dir(dir) {
		if _, err := os.Stat(filepath.Join(dir, "docs", "errors.md")); err == nil {
			return dir
		}
		if dir == filepath.Dir(dir) {
			t.Fatal("no folder above the test has docs/errors.md")
		}
	}
}

// Hold fails unless a page of docs/ is text. With PODPASS_UPDATE_DOCS it writes the page.
func Hold(t testing.TB, page, text string) {
	t.Helper()
	path := filepath.Join(Root(t), "docs", filepath.FromSlash(page))
	if os.Getenv("PODPASS_UPDATE_DOCS") != "" {
		if err := os.WriteFile(path, []byte(text), 0o644); err != nil { //nolint:gosec // for everybody to read
			t.Fatal(err)
		}
		return
	}
	have, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(string(have), text); diff != "" {
		t.Errorf("docs/%s is not what the code says: write it anew with PODPASS_UPDATE_DOCS=1 (-page +code)\n%s", page, diff)
	}
}

var heading = regexp.MustCompile(`^#{1,6} +(.*?)\s*#*$`)

// Anchors are the fragments by which the headings of a page are linked to, as the forges
// make them: in lower case, without punctuation, blanks as hyphens, a second one of the same
// text with -1.
func Anchors(page string) map[string]bool {
	anchors := map[string]bool{}
	for _, line := range Prose(page) {
		m := heading.FindStringSubmatch(line)
		if m == nil {
			continue
		}
		slug := slug(m[1])
		name := slug
		for i := 1; anchors[name]; i++ {
			name = slug + "-" + string(rune('0'+i))
		}
		anchors[name] = true
	}
	return anchors
}

// linked is [text](target) in a heading, of which the text alone counts.
var linked = regexp.MustCompile(`\[([^\]]*)\]\([^)]*\)`)

func slug(heading string) string {
	var b strings.Builder
	for _, r := range strings.ToLower(linked.ReplaceAllString(heading, "$1")) {
		switch {
		case r == ' ':
			b.WriteByte('-')
		case r == '-' || r == '_' || r >= '0' && r <= '9' || r >= 'a' && r <= 'z':
			b.WriteRune(r)
		}
	}
	return b.String()
}

// Prose are the lines of a page outside of its blocks of code, which stay as empty lines.
func Prose(page string) []string {
	lines := strings.Split(page, "\n")
	block := false
	for i, line := range lines {
		fence := strings.HasPrefix(strings.TrimSpace(line), "```")
		if block || fence {
			lines[i] = ""
		}
		if fence {
			block = !block
		}
	}
	return lines
}
