package docs

import (
	"fmt"
	"io/fs"
	"net/url"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// target is where a link or a picture of a page leads: [text](target), ![text](target), and
// src="target" of HTML.
var target = regexp.MustCompile(`\]\(([^()\s]+)\)|\bsrc(?:set)?="([^"]+)"`)

// code between backticks, in which brackets are no link.
var code = regexp.MustCompile("`[^`]*`")

// pages are those that people read, by their path in the repository.
func pages(t *testing.T) map[string]string {
	t.Helper()
	root := Root(t)
	all := map[string]string{}
	err := filepath.WalkDir(root, func(path string, e fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		name := filepath.ToSlash(strings.TrimPrefix(path, root+string(filepath.Separator)))
		if e.IsDir() && (strings.HasPrefix(e.Name(), ".") || name == "bin" || name == "dist" || e.Name() == "node_modules" || e.Name() == "testdata") {
			return fs.SkipDir
		}
		if e.IsDir() || filepath.Ext(name) != ".md" {
			return nil
		}
		text, err := os.ReadFile(path)
		all[name] = string(text)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	if len(all) < 15 || all["README.md"] == "" {
		t.Fatalf("only %d pages found", len(all))
	}
	return all
}

// links are the targets on a page, each with the number of its line.
func links(page string) map[string]int {
	all := map[string]int{}
	for i, line := range Prose(page) {
		for _, m := range target.FindAllStringSubmatch(code.ReplaceAllString(line, ""), -1) {
			all[m[1]+m[2]] = i + 1
		}
	}
	return all
}

// TestLinks: what a page links to within the repository is there, and so is the heading.
// Addresses on the internet are not asked.
func TestLinks(t *testing.T) {
	all := pages(t)
	seen := 0
	for name, text := range all {
		for link, line := range links(text) {
			u, err := url.Parse(link)
			if err == nil && (u.Scheme == "https" || u.Scheme == "mailto") {
				continue
			}
			seen++
			if err == nil {
				err = leads(t, all, name, u)
			}
			if err != nil {
				t.Errorf("%s:%d: %s: %v", name, line, link, err)
			}
		}
	}
	if seen < 50 {
		t.Errorf("only %d links found", seen)
	}
}

func leads(t *testing.T, all map[string]string, from string, u *url.URL) error {
	t.Helper()
	if u.Scheme != "" || u.Host != "" {
		return fmt.Errorf("neither https nor a path of the repository")
	}
	name := from
	if u.Path != "" {
		name = filepath.ToSlash(filepath.Join(filepath.Dir(from), u.Path))
		if _, err := os.Stat(filepath.Join(Root(t), name)); err != nil {
			return fmt.Errorf("there is no %s", name)
		}
	}
	if u.Fragment == "" {
		return nil
	}
	text, ok := all[name]
	if !ok {
		return fmt.Errorf("%s is no page, so that it has no headings", name)
	}
	if !Anchors(text)[u.Fragment] {
		return fmt.Errorf("%s has no such heading", name)
	}
	return nil
}

// TestIndex: docs/README.md leads to each page of docs/.
func TestIndex(t *testing.T) {
	all := pages(t)
	index := links(all["docs/README.md"])
	for name := range all {
		inDocs, ok := strings.CutPrefix(name, "docs/")
		if !ok || inDocs == "README.md" {
			continue
		}
		found := false
		for link := range index {
			path, _, _ := strings.Cut(link, "#")
			found = found || path == inDocs
		}
		if !found {
			t.Errorf("docs/README.md does not lead to %s", name)
		}
	}
}

// TestAnchors: as the forges make them.
func TestAnchors(t *testing.T) {
	page := "# From the error, to [the](x.md) `check`\n## WI001\n```\n# no heading\n```\n## Fix\n## Fix\n"
	got := Anchors(page)
	for _, want := range []string{"from-the-error-to-the-check", "wi001", "fix", "fix-1"} {
		if !got[want] {
			t.Errorf("no %s in %v", want, got)
		}
	}
	if len(got) != 4 {
		t.Errorf("%d anchors: %v", len(got), got)
	}
}
