package gcpapi

import (
	"net/http"
	"net/url"
	"strconv"
	"strings"
)

// node is a directory or a value of the metadata tree.
type node struct {
	name string
	// key is the name in recursive JSON, where it differs.
	key      string
	children []node // not nil: a directory, which is never empty
	// value is a string, a number, or a list of strings; serve instead computes an
	// answer for each request, and is in no recursive listing.
	value any
	serve func(http.ResponseWriter, *http.Request, url.Values)
	// alias is another spelling of a sibling, which no listing shows.
	alias bool
}

func directory(name string, children ...node) node {
	return node{name: name, children: children}
}

// find gives what is at path; nil: nothing. isDirectory tells whether the path has
// the final slash of a directory. Names may hold slashes, as a principal's does.
func (n *node) find(path string) (found *node, isDirectory bool) {
	if path == "" {
		return n, true
	}
	for i := range n.children {
		c := &n.children[i]
		rest, ok := strings.CutPrefix(path, c.name)
		switch {
		case !ok:
		case rest == "":
			return c, false
		case rest[0] == '/' && c.children != nil:
			return c.find(rest[1:])
		}
	}
	return nil, false
}

// text is a value, or the listing of a directory.
func (n *node) text() string {
	if n.children == nil {
		return plain(n.value)
	}
	var b strings.Builder
	for _, c := range n.children {
		switch {
		case c.alias:
		case c.children != nil:
			b.WriteString(c.name + "/\n")
		default:
			b.WriteString(c.name + "\n")
		}
	}
	return b.String()
}

// lines is all that is below n, a line for each value, with its path; what is served
// has none.
func (n *node) lines(path string) string {
	switch {
	case n.alias:
		return ""
	case n.children == nil:
		var b strings.Builder
		for line := range strings.Lines(plain(n.value)) {
			b.WriteString(strings.TrimSpace(path+" "+strings.TrimSuffix(line, "\n")) + "\n")
		}
		return b.String()
	}
	var b strings.Builder
	for _, c := range n.children {
		b.WriteString(c.lines(strings.TrimPrefix(path+"/"+c.name, "/")))
	}
	return b.String()
}

// json is n as encoding/json takes it: a directory is an object, or, unless
// recursive, the list of its names.
func (n *node) json(recursive bool) any {
	if n.children == nil {
		return n.value
	}
	if !recursive {
		return strings.Split(strings.TrimSuffix(n.text(), "\n"), "\n")
	}
	object := map[string]any{}
	for _, c := range n.children {
		if c.alias || c.serve != nil {
			continue
		}
		key := c.key
		if key == "" {
			key = c.name
		}
		object[key] = c.json(true)
	}
	return object
}

func plain(value any) string {
	switch v := value.(type) {
	case string:
		return v
	case uint64:
		return strconv.FormatUint(v, 10)
	case []string:
		return strings.Join(v, "\n") + "\n"
	default:
		return ""
	}
}
