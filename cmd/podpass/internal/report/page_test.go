package report

import (
	"encoding/base64"
	"encoding/json"
	"errors"
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
		b.Call("Emulation.setEmulatedMedia", map[string]any{"features": []map[string]string{{"name": "prefers-color-scheme", "value": scheme}}}, nil)
		for _, selector := range []string{"body", "summary b", "dt", ".sound", ".skipped", "details.warning b", "details.info b", "a"} {
			var contrast float64
			if err := json.Unmarshal([]byte(b.Eval(strings.ReplaceAll(contrastOf, "SELECTOR", selector))), &contrast); err != nil {
				t.Fatal(err)
			}
			// WCAG 2.2, 1.4.3, level AA.
			if contrast < 4.5 {
				t.Errorf("%s: the contrast of %s is %.2f, want 4.5", scheme, selector, contrast)
			}
		}
		screenshot(t, b, scheme)
	}
	if got := b.Eval("document.querySelectorAll('details').length + ' ' + document.querySelectorAll('b').length"); got != "3 3" {
		t.Errorf("details and what is bold: %s, want 3 3: equal findings are one, and no text is markup", got)
	}

	var reached []string
	for range 6 {
		for _, kind := range []string{"keyDown", "keyUp"} {
			b.Call("Input.dispatchKeyEvent", map[string]any{"type": kind, "key": "Tab", "code": "Tab", "windowsVirtualKeyCode": 9}, nil)
		}
		reached = append(reached, b.Eval("document.activeElement.tagName"))
	}
	if got := strings.Join(reached, " "); !strings.HasPrefix(got, "A DIV SUMMARY SUMMARY SUMMARY") {
		t.Errorf("the keyboard reaches %s", got)
	}

	requests := 0
	for _, e := range b.Events {
		switch e.Method {
		case "Network.requestWillBeSent":
			var p struct{ Request struct{ URL string } }
			if err := json.Unmarshal(e.Params, &p); err != nil {
				t.Fatal(err)
			}
			if requests++; p.Request.URL != "file://"+file && !strings.HasPrefix(p.Request.URL, "data:") {
				t.Errorf("a request to %s", p.Request.URL)
			}
		case "Log.entryAdded", "Runtime.consoleAPICalled", "Runtime.exceptionThrown":
			t.Errorf("the console says %s", e.Params)
		}
	}
	if requests == 0 {
		t.Error("not even the page was seen to be asked for: this test sees no requests")
	}
}

// contrastOf is the contrast ratio of an element's text to what is behind it, as WCAG
// defines it.
const contrastOf = `(() => {
  const rgb = (c) => c.match(/[\d.]+/g).map(Number);
  const luminance = (c) => rgb(c).slice(0, 3).map(v => v / 255).map(v => v <= 0.04045 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4)
    .reduce((sum, v, i) => sum + v * [0.2126, 0.7152, 0.0722][i], 0);
  const element = document.querySelector('SELECTOR');
  let behind = element;
  while (rgb(getComputedStyle(behind).backgroundColor)[3] === 0) behind = behind.parentElement;
  const pair = [luminance(getComputedStyle(element).color), luminance(getComputedStyle(behind).backgroundColor)].sort((a, b) => b - a);
  return (pair[0] + 0.05) / (pair[1] + 0.05);
})()`

func screenshot(t *testing.T, b *browser.Browser, name string) {
	t.Helper()
	var shot struct{ Data string }
	b.Call("Page.captureScreenshot", map[string]any{"format": "png"}, &shot)
	png, err := base64.StdEncoding.DecodeString(shot.Data)
	if err != nil || len(png) < 1000 {
		t.Fatalf("no screenshot: %d bytes, %v", len(png), err)
	}
	if dir := os.Getenv("PODPASS_SCREENSHOTS"); dir != "" {
		if err := errors.Join(os.MkdirAll(dir, 0o755), os.WriteFile(filepath.Join(dir, "report-"+name+".png"), png, 0o600)); err != nil {
			t.Fatal(err)
		}
	}
}
