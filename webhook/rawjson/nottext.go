package rawjson

import "errors"

// notText is a value of another type where a string has to be, as YAML makes of true or
// 8080 without quotes: the mistake that people make most in labels and variables. The
// value itself is not shown, since it may be a password.
type notText struct{ path, kind string }

func (e *notText) Error() string {
	text := e.path + ": is " + e.kind + " where a string has to be"
	if e.kind == object || e.kind == list { // no quotes would help
		return text
	}
	return text + "; put the value into quotes"
}

const object, list = "an object", "a list"

// maxShown bounds what an error repeats of a name.
const maxShown = 253

func shown(b []byte) string { return string(b[:min(len(b), maxShown)]) }

// notText fails for the value that comes next, which is no string.
func (r *Reader) notText() {
	kind := "a number"
	switch r.peek() {
	case '{':
		kind = object
	case '[':
		kind = list
	case 't', 'f':
		kind = "a bool"
	}
	if r.skip(); r.err == nil {
		r.Fail(&notText{kind: kind})
	}
}

// within says of such an error, on its way out of the lists that it is in, that it is in
// part.
func (r *Reader) within(part string) {
	e, ok := errors.AsType[*notText](r.err)
	switch {
	case !ok || len(e.path) > 4*maxShown:
	case e.path == "" || e.path[0] == '[':
		e.path = part + e.path
	default:
		e.path = part + "." + e.path
	}
}
