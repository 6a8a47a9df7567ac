package quote

import (
	"encoding/json"
	"strings"
)

// JSON is v as people read it: indented, with the quotes and angle brackets of expressions
// as they are, and a line break at its end.
func JSON(v any) ([]byte, error) {
	var b strings.Builder
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	e.SetIndent("", "  ")
	err := e.Encode(v)
	return []byte(b.String()), err
}
