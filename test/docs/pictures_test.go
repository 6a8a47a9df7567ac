package docs

import (
	"encoding/xml"
	"errors"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// TestPictures: each is well-formed, stands by itself, says in words what it shows, is
// readable on light and on dark, and is shown on a page with an alternative text.
func TestPictures(t *testing.T) {
	files, err := filepath.Glob(filepath.Join(Root(t), "docs", "pictures", "*.svg"))
	if err != nil {
		t.Fatal(err)
	}
	if len(files) < 4 {
		t.Fatalf("only %d pictures", len(files))
	}
	shown := ""
	for _, page := range pages(t) {
		shown += page
	}
	for _, file := range files {
		t.Run(filepath.Base(file), func(t *testing.T) {
			raw, err := os.ReadFile(file)
			if err != nil {
				t.Fatal(err)
			}
			look(t, string(raw))
			_, alt, ok := strings.Cut(shown, "/"+filepath.Base(file)+")")
			before, _, _ := strings.Cut(shown, "/"+filepath.Base(file)+")")
			at := strings.LastIndex(before, "![")
			if !ok || alt == "" || at < 0 || strings.HasPrefix(before[at:], "![]") {
				t.Error("no page shows it with an alternative text")
			}
		})
	}
}

func look(t *testing.T, picture string) {
	t.Helper()
	if !strings.Contains(picture, "prefers-color-scheme: dark") {
		t.Error("has no colours for dark pages")
	}
	words := map[string]int{}
	decoder := xml.NewDecoder(strings.NewReader(picture))
	decoder.Strict = true
	var path []string
	for {
		token, err := decoder.Token()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			t.Fatalf("not well-formed: %v", err)
		}
		switch token := token.(type) {
		case xml.StartElement:
			path = append(path, token.Name.Local)
			switch token.Name.Local {
			case "script", "foreignObject", "image", "use":
				t.Errorf("<%s>: a picture is text and lines alone", token.Name.Local)
			}
			for _, a := range token.Attr {
				if a.Name.Local == "href" || a.Name.Local != "xmlns" && strings.Contains(a.Value, "://") {
					t.Errorf("%s=%q leads out of the file", a.Name.Local, a.Value)
				}
				if len(path) == 1 && a.Name.Local == "viewBox" {
					words["viewBox"]++
				}
			}
		case xml.EndElement:
			path = path[:len(path)-1]
		case xml.CharData:
			if len(path) > 0 && strings.TrimSpace(string(token)) != "" {
				words[path[len(path)-1]]++
				if path[len(path)-1] == "style" && (strings.Contains(string(token), "url(") || strings.Contains(string(token), "@import")) {
					t.Error("the style leads out of the file")
				}
			}
		}
	}
	for name, least := range map[string]int{"title": 1, "desc": 1, "text": 5, "viewBox": 1} {
		if words[name] < least {
			t.Errorf("%d of %s, want %d at least", words[name], name, least)
		}
	}
}
