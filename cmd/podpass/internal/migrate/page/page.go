// Package page writes a graph of static keys as one HTML page to look at: columns of
// credentials, where they are kept, the containers that read them, their workloads and
// ServiceAccounts, and lines between them.
//
// The page needs nothing else, and its policy forbids it anything else: it runs the
// script and uses the styles whose hashes are in the policy, and asks for nothing. Names
// of the graph are data to the script, which makes text of them and never markup.
// Without scripts it is a table.
package page

import (
	"bufio"
	"crypto/sha256"
	"embed"
	"encoding/base64"
	"errors"
	"fmt"
	"html/template"
	"io"

	"github.com/podpass-io/podpass/cmd/podpass/internal/migrate/graph"
)

//go:embed page.html page.css model.js view.js keys.js
var files embed.FS

// Write writes the page. It is as long as the graph has text, twice: for the script, and
// for who has none.
func Write(w io.Writer, g *graph.Graph) error {
	var texts [4]string
	for i, name := range []string{"page.css", "model.js", "view.js", "keys.js"} {
		text, err := files.ReadFile(name)
		if err != nil {
			return fmt.Errorf("reading the page's %s: %w", name, err)
		}
		texts[i] = string(text)
	}
	t, err := template.ParseFS(files, "page.html")
	if err != nil {
		return fmt.Errorf("parsing the page: %w", err)
	}
	style, script := texts[0], texts[1]+texts[2]+texts[3]
	nodes := nodesOf(g)
	buffered := bufio.NewWriter(w) // a template writes a few bytes at a time
	err = t.Execute(buffered, struct {
		Head                  head
		Columns               [columns]string
		Nodes                 []node
		Rows                  []row
		Style                 template.CSS
		Script                template.JS
		StyleHash, ScriptHash string
	}{
		headOf(g), titles, nodes, rowsOf(nodes),
		template.CSS(style), template.JS(script), //nolint:gosec // they are this package's own files
		hash(style), hash(script),
	})
	if err := errors.Join(err, buffered.Flush()); err != nil {
		return fmt.Errorf("writing the page: %w", err)
	}
	return nil
}

// hash of a style or script as a Content-Security-Policy names it (CSP level 3, 2.3.1).
func hash(text string) string {
	sum := sha256.Sum256([]byte(text))
	return "sha256-" + base64.StdEncoding.EncodeToString(sum[:])
}
