// Package answer is how protocol handlers write what they serve.
package answer

import (
	"encoding/json"
	"net/http"
	"sync/atomic"
)

// Values of Content-Type, as a header holds them: shared, so that an answer allocates
// none. Exactly "application/json": Go's AWS SDK reads no error with a charset.
var (
	JSONType = []string{"application/json"}
	TextType = []string{"application/text"}
)

// Write answers with body.
func Write(w http.ResponseWriter, status int, contentType []string, body []byte) {
	h := w.Header()
	h["Content-Type"] = contentType
	if status == http.StatusMethodNotAllowed {
		h.Set("Allow", http.MethodGet)
	}
	w.WriteHeader(status)
	_, _ = w.Write(body) // an error means that the client has gone
}

// JSON answers with v, whose kind of value always has an encoding.
func JSON(w http.ResponseWriter, status int, v any) { Write(w, status, JSONType, Encode(v)) }

// Encode is v as JSON, with a final line feed.
func Encode(v any) []byte {
	b, _ := json.Marshal(v) // structs of strings and numbers
	return append(b, '\n')
}

// Kept is the encoding of the value that was served last: applications ask for the
// same credential again and again. Its zero value is ready; it is safe for concurrent
// use.
type Kept[V comparable] struct {
	last atomic.Pointer[encoded[V]]
}

type encoded[V comparable] struct {
	value V
	body  []byte
}

// Encode is v as JSON; nobody may change it.
func (k *Kept[V]) Encode(v V) []byte {
	if e := k.last.Load(); e != nil && e.value == v {
		return e.body
	}
	e := &encoded[V]{v, Encode(v)}
	k.last.Store(e)
	return e.body
}
