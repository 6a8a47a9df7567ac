package inject

import (
	"strconv"
	"strings"
)

// patch is an RFC 6902 JSON patch, whose operations are applied in their order. They are
// "add", and "remove" of what an earlier plan has added.
type patch struct{ json []byte }

// begin starts an operation, whose value is to follow, and then end. No part of the
// path has a character that JSON escapes: they are fields, indices and podpass's keys.
func (p *patch) begin(path ...string) {
	p.operation("add")
	for _, part := range path {
		p.json = append(p.json, part...)
	}
	p.json = append(p.json, `","value":`...)
}

// operation begins one, up to its path.
func (p *patch) operation(op string) {
	if p.json == nil {
		p.json = append(make([]byte, 0, 4096), '[') // three containers, one cloud
	} else {
		p.json[len(p.json)-1] = ',' // for the bracket that ended it
	}
	p.json = append(p.json, `{"op":"`...)
	p.json = append(p.json, op...)
	p.json = append(p.json, `","path":"`...)
}

func (p *patch) end() { p.json = append(p.json, '}', ']') }

// remove takes out the element of an array whose elements' paths begin with path.
func (p *patch) remove(path string, index int) {
	p.operation("remove")
	p.json = strconv.AppendInt(append(p.json, path...), int64(index), 10)
	p.json = append(p.json, `"}]`...)
}

func (p *patch) add(value appender, path ...string) {
	p.begin(path...)
	p.json = value.appendJSON(p.json)
	p.end()
}

// addAll makes an array of items.
func addAll[T appender](p *patch, path string, items []T) {
	p.begin(path)
	p.json = appendList(p.json, items)
	p.end()
}

// appendTo appends items to the array at path, one operation each, or creates
// the array when there is none: to "add" an array that exists would replace it.
func appendTo[T appender](p *patch, path string, exists bool, items []T) {
	switch {
	case len(items) == 0:
	case !exists:
		addAll(p, path, items)
	default:
		for _, item := range items {
			p.add(item, path, "/-")
		}
	}
}

// set sets one key of the string map at path, creating the map when m is nil.
func (p *patch) set(path string, m map[string]string, key, value string) {
	switch {
	case m == nil:
		p.begin(path)
		p.json = append(stringMember(append(p.json, '{'), key, value), '}')
		p.end()
	case m[key] != value:
		p.begin(path, "/", escapePointer(key))
		p.json = appendString(p.json, value)
		p.end()
	}
}

var pointerEscaper = strings.NewReplacer("~", "~0", "/", "~1")

// escapePointer makes key a reference token of a JSON pointer (RFC 6901 section 3).
func escapePointer(key string) string { return pointerEscaper.Replace(key) }
