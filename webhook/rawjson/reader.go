// Package rawjson reads chosen members of a JSON document in one pass, and steps over
// the rest, which it checks but does not decode.
//
// It reads as the API server does (sigs.k8s.io/json): names in their exact case,
// members that come twice one after the other, null as "leave it as it is", U+FFFD
// for what is no UTF-8. FuzzReader holds it to that.
//
//	r := rawjson.NewReader(data)
//	for name := range r.Members {
//		switch string(name) {
//		case "uid":
//			r.Text(&uid)
//		case "labels":
//			r.Map(&labels)
//		} // any other value is stepped over
//	}
//	err := r.End()
package rawjson

import (
	"errors"
	"fmt"
	"strconv"
)

// Reader reads one document. The first error sticks, and ends every loop.
type Reader struct {
	data  []byte
	at    int
	depth int
	err   error
}

// NewReader gives a Reader of data, which must not change while it is in use.
func NewReader(data []byte) *Reader { return &Reader{data: data} }

// maxDepth is encoding/json's: a deeper document is refused rather than recursed into.
const maxDepth = 10_000

// Fail makes err the Reader's, unless it has one.
func (r *Reader) Fail(err error) {
	if r.err == nil {
		r.err = err
	}
	r.at = len(r.data) // nothing more is read
}

func (r *Reader) invalid() { r.Fail(fmt.Errorf("invalid JSON at byte %d", r.at)) }

// End gives the first error; one is that something follows the value.
func (r *Reader) End() error {
	if r.peek(); r.at < len(r.data) {
		r.invalid()
	}
	return r.err
}

// Members is for range: it yields the name of each member of the object that comes
// next. The body reads the value, or leaves it to be stepped over; it must not leave
// the loop early. The name holds until the next one. null has no members.
func (r *Reader) Members(yield func(name []byte) bool) {
	r.list('{', '}', func() bool {
		if r.peek() != '"' {
			r.invalid()
			return false
		}
		name := unquoted(r.quoted())
		if r.peek() != ':' {
			r.invalid()
			return false
		}
		r.at++
		ok := r.value(func() bool { return yield(name) })
		if !ok {
			r.within(shown(name))
		}
		return ok
	})
}

// Elements is for range: it yields once for each element of the array that comes
// next. The body reads it, or leaves it to be stepped over; it must not leave the
// loop early. null has no elements.
func (r *Reader) Elements(yield func() bool) {
	n := 0
	r.list('[', ']', func() bool {
		ok := r.value(yield)
		if !ok {
			r.within("[" + strconv.Itoa(n) + "]")
		}
		n++
		return ok
	})
}

// value lets yield read the value that comes next, and steps over it otherwise.
func (r *Reader) value(yield func() bool) bool {
	r.peek() // past the space
	at := r.at
	if !yield() {
		r.Fail(errors.New("left within a list"))
		return false
	}
	if r.at == at {
		r.skip()
	}
	return r.err == nil
}

// list calls item for each item between start and end.
func (r *Reader) list(start, end byte, item func() bool) {
	if r.Null() {
		return
	}
	if r.peek() != start || r.depth == maxDepth {
		r.invalid()
		return
	}
	r.at++
	if r.peek() == end {
		r.at++
		return
	}
	r.depth++
	for item() {
		switch r.peek() {
		case ',':
			r.at++
			continue
		case end:
			r.at++
		default:
			r.invalid()
		}
		break
	}
	r.depth--
}

// peek gives the first byte that is not space; 0 at the end.
func (r *Reader) peek() byte {
	for ; r.at < len(r.data); r.at++ {
		switch c := r.data[r.at]; c {
		case ' ', '\t', '\r', '\n':
		default:
			return c
		}
	}
	return 0
}
