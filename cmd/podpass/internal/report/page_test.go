package report

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/podpass-io/podpass/test/browser"
)

// TestPage: in a real browser the page asks for nothing, complains of nothing, is read in
// light and dark, and is reached by the keyboard.
//
// With PODPASS_SCREENSHOTS, a directory, it leaves the pictures there.
func TestPage(t *testing.T) {
	file := filepath.Join(t.TempDir(), "report.html")
	if err := os.WriteFile(file, []byte(written(t, example(), "html", false)), 0o600); err != nil {
		t.Fatal(err)
	}
	b := browser.Start(t)
	b.Open("file://" + file)
	for _, scheme := range []string{"light", "dark"} {
		b.Scheme(scheme)
		b.Readable("body", "summary b", "dt", ".sound", ".skipped", "details.warning b", "details.info b", "a")
		b.Screenshot("report-" + scheme)
	}
	if got := b.Eval("document.querySelectorAll('details').length + ' ' + document.querySelectorAll('b').length"); got != "3 3" {
		t.Errorf("details and what is bold: %s, want 3 3: equal findings are one, and no text is markup", got)
	}

	var reached []string
	for range 6 {
		b.Press("Tab")
		reached = append(reached, b.Eval("document.activeElement.tagName"))
	}
	if got := strings.Join(reached, " "); !strings.HasPrefix(got, "A DIV SUMMARY SUMMARY SUMMARY") {
		t.Errorf("the keyboard reaches %s", got)
	}
	b.Quiet("file://" + file)
}
