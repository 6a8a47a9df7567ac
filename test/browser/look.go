package browser

import (
	"encoding/base64"
	"encoding/json"
	"errors"
	"os"
	"path/filepath"
	"strings"
)

// Scheme shows the page in light or dark.
func (b *Browser) Scheme(name string) {
	b.t.Helper()
	b.Call("Emulation.setEmulatedMedia", map[string]any{"features": []map[string]string{{"name": "prefers-color-scheme", "value": name}}}, nil)
}

// enough contrast of text: WCAG 2.2, 1.4.3, level AA.
const enough = 4.5

// Readable fails if the text of what a selector finds first has too little contrast to
// what is behind it, or the selector finds nothing.
func (b *Browser) Readable(selectors ...string) {
	b.t.Helper()
	for _, selector := range selectors {
		var contrast float64
		if err := json.Unmarshal([]byte(b.Eval(strings.ReplaceAll(contrastOf, "SELECTOR", selector))), &contrast); err != nil {
			b.t.Fatalf("the contrast of %s: %v", selector, err)
		}
		if contrast < enough {
			b.t.Errorf("the contrast of %s is %.2f, want %.1f", selector, contrast, enough)
		}
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

// Screenshot takes a picture. With PODPASS_SCREENSHOTS, a directory, it is kept there as
// name.png.
func (b *Browser) Screenshot(name string) {
	b.t.Helper()
	var shot struct{ Data string }
	b.Call("Page.captureScreenshot", map[string]any{"format": "png"}, &shot)
	png, err := base64.StdEncoding.DecodeString(shot.Data)
	if err != nil || len(png) < 1000 {
		b.t.Fatalf("no screenshot: %d bytes, %v", len(png), err)
	}
	if dir := os.Getenv("PODPASS_SCREENSHOTS"); dir != "" {
		if err := errors.Join(os.MkdirAll(dir, 0o755), os.WriteFile(filepath.Join(dir, name+".png"), png, 0o600)); err != nil {
			b.t.Fatal(err)
		}
	}
}

// Quiet fails if the page that was opened from an address has asked for anything else, or
// has the console say anything.
func (b *Browser) Quiet(address string) {
	b.t.Helper()
	requests := 0
	for _, e := range b.Events {
		switch e.Method {
		case "Network.requestWillBeSent":
			var p struct{ Request struct{ URL string } }
			if err := json.Unmarshal(e.Params, &p); err != nil {
				b.t.Fatal(err)
			}
			if requests++; p.Request.URL != address && !strings.HasPrefix(p.Request.URL, "data:") {
				b.t.Errorf("a request to %s", p.Request.URL)
			}
		case "Log.entryAdded", "Runtime.consoleAPICalled", "Runtime.exceptionThrown":
			b.t.Errorf("the console says %s", e.Params)
		}
	}
	if requests == 0 {
		b.t.Error("not even the page was seen to be asked for: this test sees no requests")
	}
}
