package statickey

import (
	"bytes"
	"compress/gzip"
	"encoding/base64"
	"encoding/json"
	"io"
	"maps"
	"slices"
	"strings"
	"unicode/utf8"
)

const (
	// maxDepth of wrappings: a Helm release is base64 of gzip of JSON, in which a manifest
	// has a Secret's data in base64, which may be a JSON key in base64 once more.
	maxDepth = 8
	// maxText bounds what the values of a place are together when unwrapped: a Helm release
	// of 1 MiB, the most that a Secret holds, is some MiB.
	maxText = 16 << 20
	// maxLeaves bounds how many texts come of it.
	maxLeaves = 200_000
)

// leaf is a text, and what stands beside it.
type leaf struct {
	// part is the name of the value that it is in.
	part string
	// names are those that the text itself has: a variable's, a JSON member's.
	names []string
	// group is shared by texts that stand beside each other: in one object, one file.
	group int
	text  string
}

// unwrapper takes values apart, within bounds.
type unwrapper struct {
	leaves []*leaf
	groups int
	left   int
}

// unwrap gives the texts in values: each value itself, and what is in it as JSON, lines of
// settings, base64 and gzip, however these are in each other.
func unwrap(values []Named) []*leaf {
	u := &unwrapper{left: maxText}
	for _, v := range values {
		u.text(&leaf{part: v.Name, names: append([]string{v.Name}, v.As...), text: string(v.Value)}, 0)
	}
	return u.leaves
}

func (u *unwrapper) text(l *leaf, depth int) {
	if u.left -= len(l.text); u.left < 0 || len(u.leaves) >= maxLeaves {
		return
	}
	if plain, ok := gunzip(l.text, u.left); ok {
		l.text = plain
		u.left -= len(plain)
	}
	u.leaves = append(u.leaves, l)
	if depth == maxDepth {
		return
	}
	trimmed := strings.TrimSpace(l.text)
	switch {
	case trimmed == "":
	case trimmed[0] == '{' || trimmed[0] == '[':
		if !u.json(l, trimmed, depth) {
			u.lines(l, depth) // an ini file's first section looks like a list
		}
	case !utf8.ValidString(trimmed):
	case strings.ContainsAny(trimmed, "\n") || assigns(trimmed):
		u.lines(l, depth)
	}
	if inner, ok := unbase64(trimmed); ok {
		u.text(&leaf{part: l.part, names: l.names, group: l.group, text: inner}, depth+1)
	}
}

func (u *unwrapper) group() int { u.groups++; return u.groups }

// json takes an object or a list apart; ok is false if the text is none.
func (u *unwrapper) json(l *leaf, text string, depth int) (ok bool) {
	var v any
	d := json.NewDecoder(strings.NewReader(text))
	d.UseNumber()
	if d.Decode(&v) != nil {
		return false
	}
	u.value(l, l.names, u.group(), v, depth)
	return true
}

func (u *unwrapper) value(l *leaf, names []string, group int, v any, depth int) {
	switch v := v.(type) {
	case string:
		u.text(&leaf{part: l.part, names: names, group: group, text: v}, depth+1)
	case []any:
		for _, e := range v {
			u.value(l, names, u.element(e, group), e, depth)
		}
	case map[string]any:
		// A variable of a container, as Kubernetes writes it.
		if name, ok := v["name"].(string); ok && len(v) == 2 {
			if text, ok := v["value"].(string); ok {
				u.text(&leaf{part: l.part, names: []string{name}, group: group, text: text}, depth+1)
				return
			}
		}
		inner := u.group()
		for _, name := range slices.Sorted(maps.Keys(v)) {
			u.value(l, []string{name}, inner, v[name], depth)
		}
	}
}

// element is the group of a list's element: texts stand beside each other, as arguments do.
func (u *unwrapper) element(e any, group int) int {
	if m, ok := e.(map[string]any); ok && len(m) != 2 {
		return u.group()
	}
	return group
}

// lines takes a file of settings apart: "name = value", "name: value", "export NAME=value",
// with sections in brackets; a YAML file is read so, too, as far as its values stand on
// their names' lines.
func (u *unwrapper) lines(l *leaf, depth int) {
	group := u.group()
	for line := range strings.Lines(l.text) {
		line = strings.TrimSpace(line)
		if strings.HasPrefix(line, "[") && strings.HasSuffix(line, "]") || line == "---" {
			group = u.group()
			continue
		}
		name, value, ok := assignment(line)
		if !ok || value == "" {
			continue
		}
		if len(u.leaves) >= maxLeaves {
			return
		}
		u.text(&leaf{part: l.part, names: []string{name}, group: group, text: value}, depth+1)
	}
}

// longestName of a setting; longer is a text, or a token.
const longestName = 80

// assignment is a line's name and value.
func assignment(line string) (name, value string, ok bool) {
	line = strings.TrimPrefix(strings.TrimPrefix(line, "- "), "export ")
	at := strings.IndexAny(line, ":=")
	if at <= 0 || at > longestName {
		return "", "", false
	}
	name = strings.Trim(strings.TrimSpace(line[:at]), `"'`)
	if name == "" || strings.ContainsFunc(name, func(r rune) bool { return !letter(r) && !strings.ContainsRune("_-./ ", r) }) {
		return "", "", false
	}
	value = strings.TrimSpace(line[at+1:])
	if n := len(value); n >= 2 && (value[0] == '"' || value[0] == '\'') && value[n-1] == value[0] {
		value = value[1 : n-1]
	}
	return name, value, true
}

// assigns is whether a line is a setting rather than an address, a token, or a
// connection string, which is one as a whole.
func assigns(line string) bool {
	at := strings.IndexAny(line, ":=")
	return at > 0 && at < longestName && at+1 < len(line) && !strings.HasPrefix(line[at:], "://") && !strings.Contains(line, ";")
}

func letter(r rune) bool {
	return 'a' <= r && r <= 'z' || 'A' <= r && r <= 'Z' || '0' <= r && r <= '9'
}

func gunzip(text string, limit int) (string, bool) {
	if !strings.HasPrefix(text, "\x1f\x8b") || limit <= 0 {
		return "", false
	}
	r, err := gzip.NewReader(strings.NewReader(text))
	if err != nil {
		return "", false
	}
	// What is cut off is not looked at: it is more than a cluster can hold.
	b, _ := io.ReadAll(io.LimitReader(r, int64(limit)))
	return string(b), len(b) > 0
}

// shortest base64 that is worth unwrapping: of the shortest secret.
const shortest = 24

// unbase64 is what text is in base64, if that is a text, or gzip of one.
func unbase64(text string) (string, bool) {
	if strings.ContainsAny(text, "\r\n") {
		text = strings.NewReplacer("\r", "", "\n", "", " ", "").Replace(text)
	}
	if len(text) < shortest { // also one whose lines were longer together
		return "", false
	}
	encoding := base64.StdEncoding
	switch {
	case strings.ContainsAny(text, "-_"):
		encoding = base64.URLEncoding
	case len(text)%4 != 0:
		return "", false
	}
	// Most texts are none by their first characters: decode these before the rest.
	head := text[:shortest]
	if _, err := encoding.DecodeString(head); err != nil {
		return "", false
	}
	b, err := encoding.DecodeString(text)
	if err != nil || !bytes.HasPrefix(b, []byte("\x1f\x8b")) && !readable(b) {
		return "", false
	}
	return string(b), true
}

// readable is whether bytes are a text: what is random is not.
func readable(b []byte) bool {
	if !utf8.Valid(b) {
		return false
	}
	return !bytes.ContainsFunc(b, func(r rune) bool { return r < ' ' && r != '\n' && r != '\r' && r != '\t' || r == 0x7f })
}
