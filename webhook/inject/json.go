package inject

import (
	"maps"
	"slices"
	"strconv"
	"unicode/utf8"
)

// What podpass writes into a pod is appended to bytes: reflection was a fifth of what
// a review costs. Each type of spec.go has a method appendJSON, which gives the JSON
// that its tags describe.
type appender interface{ appendJSON(b []byte) []byte }

// member begins a member of the object that b ends in.
func member(b []byte, name string) []byte {
	if b[len(b)-1] != '{' {
		b = append(b, ',')
	}
	b = append(b, '"')
	b = append(b, name...)
	return append(b, '"', ':')
}

func stringMember(b []byte, name, value string) []byte { return appendString(member(b, name), value) }

// optionalMember is stringMember, which is left out where it is empty.
func optionalMember(b []byte, name, value string) []byte {
	if value == "" {
		return b
	}
	return stringMember(b, name, value)
}

func intMember(b []byte, name string, value int64) []byte {
	return strconv.AppendInt(member(b, name), value, 10)
}

func boolMember(b []byte, name string, value bool) []byte {
	return strconv.AppendBool(member(b, name), value)
}

func arrayMember[T appender](b []byte, name string, items []T) []byte {
	return appendList(member(b, name), items)
}

func appendList[T appender](b []byte, items []T) []byte {
	b = append(b, '[')
	for i, item := range items {
		if i > 0 {
			b = append(b, ',')
		}
		b = item.appendJSON(b)
	}
	return append(b, ']')
}

func stringsMember(b []byte, name string, items []string) []byte {
	b = append(member(b, name), '[')
	for i, item := range items {
		if i > 0 {
			b = append(b, ',')
		}
		b = appendString(b, item)
	}
	return append(b, ']')
}

// mapMember writes a map, sorted; an empty one is left out.
func mapMember(b []byte, name string, m map[string]string) []byte {
	if len(m) == 0 {
		return b
	}
	b = append(member(b, name), '{')
	for _, key := range slices.Sorted(maps.Keys(m)) {
		b = stringMember(b, key, m[key])
	}
	return append(b, '}')
}

const hexDigits = "0123456789abcdef"

// appendString appends s as a JSON string (RFC 8259 section 7). What is not UTF-8
// becomes U+FFFD, as in encoding/json.
func appendString(b []byte, s string) []byte {
	b = append(b, '"')
	start := 0 // of what is not yet appended
	for i := 0; i < len(s); {
		c := s[i]
		if c >= ' ' && c != '"' && c != '\\' && c < utf8.RuneSelf {
			i++
			continue
		}
		if c >= utf8.RuneSelf {
			r, size := utf8.DecodeRuneInString(s[i:])
			if r == utf8.RuneError && size == 1 {
				b = append(b, s[start:i]...)
				b = append(b, "\ufffd"...)
				start = i + 1
			}
			i += size
			continue
		}
		b = append(b, s[start:i]...)
		if c == '"' || c == '\\' {
			b = append(b, '\\', c)
		} else {
			b = append(b, '\\', 'u', '0', '0', hexDigits[c>>4], hexDigits[c&0xf])
		}
		i++
		start = i
	}
	b = append(b, s[start:]...)
	return append(b, '"')
}
