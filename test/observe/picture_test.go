package observe

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"html"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// convert reads a document into a type that has only some of its fields.
func convert(t *testing.T, from, into any) {
	t.Helper()
	raw, err := json.Marshal(from)
	if err != nil {
		t.Fatal(err)
	}
	if err := json.Unmarshal(raw, into); err != nil {
		t.Fatal(err)
	}
}

// A cell of Grafana's grid, in pixels.
const cellWidth, cellHeight = 50, 32

// draw leaves a picture of each row of panels where PODPASS_SCREENSHOTS says. Debian has no
// Grafana: the panels are where the dashboard says, and hold what Prometheus answered, but
// are drawn here.
func draw(t *testing.T, d dashboard) {
	t.Helper()
	dir := os.Getenv("PODPASS_SCREENSHOTS")
	if dir == "" || t.Failed() {
		return
	}
	chromium, err := exec.LookPath("chromium")
	if err != nil {
		t.Log("no pictures, since there is no chromium: Debian's package of that name")
		return
	}
	if err := os.MkdirAll(dir, 0o755); err != nil {
		t.Fatal(err)
	}
	rows := map[string][]panel{}
	row := ""
	for _, p := range d.Panels {
		if p.Type == "row" {
			row = "dashboard-" + strings.ToLower(p.Title)
			continue
		}
		rows[row] = append(rows[row], p)
	}
	for name, panels := range rows {
		svg, height := picture(t, panels)
		file := filepath.Join(t.TempDir(), name+".html")
		if err := os.WriteFile(file, []byte(`<!doctype html><body style="margin:0">`+svg), 0o600); err != nil {
			t.Fatal(err)
		}
		screenshot(t, chromium, file, filepath.Join(dir, name+".png"), height)
	}
}

// screenshot has a headless Chromium look at a file.
func screenshot(t *testing.T, chromium, file, png string, height int) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 5*time.Minute)
	defer cancel()
	args := []string{"--headless", "--disable-gpu", "--hide-scrollbars", "--no-first-run", "--user-data-dir=" + t.TempDir(),
		fmt.Sprintf("--window-size=%d,%d", 24*cellWidth, height), "--screenshot=" + png, "file://" + file}
	if os.Geteuid() == 0 {
		args = append([]string{"--no-sandbox"}, args...) // Chromium has none for root
	}
	if out, err := exec.CommandContext(ctx, chromium, args...).CombinedOutput(); err != nil {
		t.Fatalf("%s: %v\n%.2000s", png, err, out)
	}
	image, err := os.ReadFile(png)
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.HasPrefix(image, []byte("\x89PNG")) || len(image) < 20<<10 || len(image) > 200<<10 {
		t.Errorf("%s: %d bytes; a PNG of 20 to 200 KiB was expected", png, len(image))
	}
}

// picture is an SVG of panels, and its height.
func picture(t *testing.T, panels []panel) (svg string, height int) {
	t.Helper()
	var b strings.Builder
	top := panels[0].GridPos.Y
	for _, p := range panels {
		g := p.GridPos
		height = max(height, (g.Y-top+g.H)*cellHeight)
		w, h := float64(g.W*cellWidth-8), float64(g.H*cellHeight-8)
		fmt.Fprintf(&b, `<g transform="translate(%d %d)"><rect width="%g" height="%g" rx="2" fill="#fff" stroke="#d8d9da"/>`, g.X*cellWidth+4, (g.Y-top)*cellHeight+4, w, h)
		fmt.Fprintf(&b, `<text x="8" y="18" font-weight="600">%s</text>`, html.EscapeString(p.Title))
		switch p.Type {
		case "stat":
			drawStat(&b, p, w, h)
		case "timeseries":
			drawGraph(&b, p, w, h)
		case "table":
			drawTable(&b, p)
		default:
			t.Errorf("%s: no way to draw a %s", p.Title, p.Type)
		}
		b.WriteString(`</g>`)
	}
	return fmt.Sprintf(`<svg xmlns="http://www.w3.org/2000/svg" width="%d" height="%d" style="background:#f4f5f5;display:block" font-family="sans-serif" font-size="12" fill="#24292e">%s</svg>`,
		24*cellWidth, height, b.String()), height
}
