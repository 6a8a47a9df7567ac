package rawjson

import (
	"strconv"

	"sigs.k8s.io/json"
)

// Null steps over a null, and reports whether there was one.
func (r *Reader) Null() bool {
	if r.peek() != 'n' {
		return false
	}
	r.literal("null")
	return true
}

// Raw gives the next value as it is written.
func (r *Reader) Raw() []byte {
	r.peek()
	from := r.at
	r.skip()
	if r.err != nil {
		return nil
	}
	return r.data[from:r.at]
}

// Text reads a string; null leaves it as it is.
func (r *Reader) Text(into *string) {
	switch {
	case r.Null():
	case r.peek() == '"':
		*into = string(unquoted(r.quoted()))
	default:
		r.notText()
	}
}

// Map reads an object of strings. As everywhere in Kubernetes, null is a nil map, and
// {} is not.
func (r *Reader) Map(into *map[string]string) {
	if r.Null() {
		*into = nil
		return
	}
	if *into == nil {
		*into = map[string]string{}
	}
	for key := range r.Members {
		k := string(key)
		var value string
		r.Text(&value)
		(*into)[k] = value
	}
}

// Bool reads true or false; null leaves it as it is.
func (r *Reader) Bool(into *bool) {
	switch {
	case r.Null():
	case r.peek() == 't':
		r.literal("true")
		*into = true
	default:
		r.literal("false")
		*into = false
	}
}

// Int reads a whole number; null leaves it as it is.
func (r *Reader) Int(into *int) {
	if r.Null() {
		return
	}
	from := r.at
	r.number()
	n, err := strconv.Atoi(string(r.data[from:r.at]))
	if err != nil {
		r.Fail(err)
	}
	*into = n
}

// Value reads what comes next into any type, as the API server does: for what is rare.
func (r *Reader) Value(into any) {
	if raw := r.Raw(); raw != nil {
		if err := json.UnmarshalCaseSensitivePreserveInts(raw, into); err != nil {
			r.Fail(err)
		}
	}
}
