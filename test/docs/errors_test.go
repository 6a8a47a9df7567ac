package docs

import (
	"regexp"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// TestErrorsAreListed: the tables at the top of docs/errors.md, by area, have each code that
// has a heading, once, in the headings' order, linked to it and with a few words.
func TestErrorsAreListed(t *testing.T) {
	page := pages(t)["docs/errors.md"]
	var headings, rows []string
	for _, m := range regexp.MustCompile(`(?m)^## (WI\d{3})$`).FindAllStringSubmatch(page, -1) {
		headings = append(headings, m[1])
	}
	for _, m := range regexp.MustCompile(`(?m)^\| \[(WI\d{3})\]\(#(wi\d{3})\) \| (.+) \|$`).FindAllStringSubmatch(page, -1) {
		rows = append(rows, m[1])
		if strings.ToLower(m[1]) != m[2] {
			t.Errorf("the row of %s leads to %s", m[1], m[2])
		}
		if len(m[3]) > 80 {
			t.Errorf("the row of %s is no few words: %s", m[1], m[3])
		}
	}
	if len(headings) < 150 {
		t.Errorf("only %d headings", len(headings))
	}
	if diff := cmp.Diff(headings, rows); diff != "" {
		t.Errorf("a code's row goes into the table of its area, at the top of docs/errors.md (-headings +rows)\n%s", diff)
	}
}
