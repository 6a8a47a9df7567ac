package inject

import (
	"strconv"
	"strings"
)

// Operation is one operation of an RFC 6902 JSON patch. Op is always "add".
type Operation struct {
	Op    string `json:"op"`
	Path  string `json:"path"`
	Value any    `json:"value"`
}

// patch collects operations in the order in which they must be applied.
type patch struct{ ops []Operation }

func (p *patch) add(path string, value any) {
	p.ops = append(p.ops, Operation{Op: "add", Path: path, Value: value})
}

// appendTo appends items to the array at path, one operation each, or creates
// the array when there is none: to "add" an array that exists would replace it.
func appendTo[T any](p *patch, path string, exists bool, items []T) {
	if len(items) == 0 {
		return
	}
	if !exists {
		p.add(path, items)
		return
	}
	for _, item := range items {
		p.add(path+"/-", item)
	}
}

// set sets one key of the string map at path, creating the map when m is nil.
func (p *patch) set(path string, m map[string]string, key, value string) {
	switch {
	case m == nil:
		p.add(path, map[string]string{key: value})
	case m[key] != value:
		p.add(path+"/"+escapePointer(key), value)
	}
}

var pointerEscaper = strings.NewReplacer("~", "~0", "/", "~1")

// escapePointer makes key a reference token of a JSON pointer (RFC 6901 section 3).
func escapePointer(key string) string { return pointerEscaper.Replace(key) }

// containerPath is the JSON pointer of the i-th container of list.
func containerPath(list string, i int) string { return "/spec/" + list + "/" + strconv.Itoa(i) }
