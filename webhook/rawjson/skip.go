package rawjson

import (
	"bytes"
	"encoding/json"
)

// skip steps over one value, and checks it.
func (r *Reader) skip() {
	switch r.peek() {
	case '{':
		for range r.Members {
		}
	case '[':
		for range r.Elements {
		}
	case '"':
		r.quoted()
	case 't':
		r.literal("true")
	case 'f':
		r.literal("false")
	case 'n':
		r.literal("null")
	default:
		r.number()
	}
}

func (r *Reader) literal(text string) {
	if bytes.HasPrefix(r.data[r.at:], []byte(text)) {
		r.at += len(text)
	} else {
		r.invalid()
	}
}

// quoted steps over a string and gives it with its quotes, and whether it can be
// taken as it stands: it has no escape, and is ASCII.
func (r *Reader) quoted() (text []byte, plain bool) {
	from := r.at
	plain = true
	for r.at++; r.at < len(r.data); r.at++ {
		switch c := r.data[r.at]; {
		case c == '"':
			r.at++
			return r.data[from:r.at], plain
		case c == '\\':
			plain = false
			if !r.escape() {
				r.invalid()
				return nil, true
			}
		case c < ' ':
			r.invalid()
			return nil, true
		case c >= 0x80:
			plain = false
		}
	}
	r.invalid()
	return nil, true
}

// escape steps to the last byte of an escape.
func (r *Reader) escape() bool {
	if r.at++; r.at >= len(r.data) {
		return false
	}
	switch r.data[r.at] {
	case '"', '\\', '/', 'b', 'f', 'n', 'r', 't':
		return true
	case 'u':
		for range 4 {
			if r.at++; r.at >= len(r.data) || !hexadecimal(r.data[r.at]) {
				return false
			}
		}
		return true
	}
	return false
}

func hexadecimal(c byte) bool {
	return '0' <= c && c <= '9' || 'a' <= c && c <= 'f' || 'A' <= c && c <= 'F'
}

// unquoted gives the text of what quoted has checked.
func unquoted(text []byte, plain bool) []byte {
	if plain {
		return text[min(1, len(text)):max(0, len(text)-1)]
	}
	var s string
	_ = json.Unmarshal(text, &s) // it is a valid string
	return []byte(s)
}

// number steps over a number (RFC 8259 section 6).
func (r *Reader) number() {
	if r.next('-') {
		r.at++
	}
	ok := r.next('0')
	if ok {
		r.at++
	} else {
		ok = r.digits()
	}
	if ok && r.next('.') {
		r.at++
		ok = r.digits()
	}
	if ok && (r.next('e') || r.next('E')) {
		r.at++
		if r.next('+') || r.next('-') {
			r.at++
		}
		ok = r.digits()
	}
	if !ok {
		r.invalid()
	}
}

func (r *Reader) next(c byte) bool { return r.at < len(r.data) && r.data[r.at] == c }

// digits steps over digits, and reports whether there was one.
func (r *Reader) digits() bool {
	from := r.at
	for r.at < len(r.data) && '0' <= r.data[r.at] && r.data[r.at] <= '9' {
		r.at++
	}
	return r.at > from
}
