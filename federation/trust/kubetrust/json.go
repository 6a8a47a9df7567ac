package kubetrust

import (
	"encoding/json"
	"strings"
)

// indented is JSON for people: quotes and angle brackets of expressions stay as they are.
func indented(v any) ([]byte, error) {
	var b strings.Builder
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	e.SetIndent("", "  ")
	if err := e.Encode(v); err != nil {
		return nil, err
	}
	return []byte(b.String()), nil
}
