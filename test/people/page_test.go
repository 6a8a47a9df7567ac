package people

import (
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// pageFile is what the module is about.
const pageFile = "../../docs/people.md"

// block is a block of code of the page.
type block struct {
	section string // the heading above
	as      string // who types it, and when: of the comment above, which readers do not see
	info    string // sh, yaml, text; with words behind: refused, elsewhere
	text    string
}

var (
	fence   = regexp.MustCompile("(?ms)^```([a-z]+(?: [a-z]+)*)\n(.*?)^```$")
	heading = regexp.MustCompile(`(?m)^#{2,3} (.+)$`)
	comment = regexp.MustCompile(`<!-- as (.+) -->\n$`)
)

// blocks are the page's, in its order, with the addresses of this world.
func (w *world) blocks(t *testing.T) []block {
	t.Helper()
	raw, err := os.ReadFile(pageFile)
	if err != nil {
		t.Fatal(err)
	}
	page := string(raw)
	var all []block
	for _, at := range fence.FindAllStringSubmatchIndex(page, -1) {
		b := block{info: page[at[2]:at[3]], text: w.here(page[at[4]:at[5]])}
		if above := heading.FindAllStringSubmatch(page[:at[0]], -1); above != nil {
			b.section = above[len(above)-1][1]
		}
		if who := comment.FindStringSubmatch(page[:at[0]]); who != nil {
			b.as = who[1]
		}
		all = append(all, b)
	}
	return all
}

// The page's addresses are examples.
const exampleLogin, exampleServer = "https://login.example.com", "https://prod-eu.example.com:6443"

func (w *world) here(text string) string {
	return strings.NewReplacer(exampleLogin, w.url, exampleServer, w.cluster.Server).Replace(text)
}

// file is a file of the page: a block whose first line is its name.
func pageYAML(t *testing.T, blocks []block, name string) string {
	t.Helper()
	for _, b := range blocks {
		if text, ok := strings.CutPrefix(b.text, "# "+name+"\n"); ok && b.info == "yaml" {
			return text
		}
	}
	t.Fatalf("the page has no %s", name)
	return ""
}

func (w *world) write(t *testing.T, name, text string) {
	t.Helper()
	replace(t, filepath.Join(w.dir, name), []byte(text))
}
