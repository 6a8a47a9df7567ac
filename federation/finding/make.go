package finding

import (
	"fmt"

	"github.com/podpass-io/podpass/federation"
)

// clipped bounds what findings quote of a document or a token.
const clipped = 300

// Clip is s as findings quote it.
func Clip(s string) string { return federation.Clip(s, clipped) }

// Bad is an Error.
func Bad(code, where, message string) Finding {
	return Finding{Code: code, Severity: Error, Where: where, Message: message}
}

// Broad is a Warning: it lets more in than was meant.
func Broad(code, where, message string) Finding {
	return Finding{Code: code, Severity: Warning, Where: where, Message: message}
}

// Note is nobody's fault.
func Note(code, where, message string) Finding {
	return Finding{Code: code, Severity: Info, Where: where, Message: message}
}

// Sides adds what should be equal and is not, clipped.
func Sides(f Finding, expected, seen string) Finding {
	f.Expected, f.Seen = Clip(expected), Clip(seen)
	return f
}

// Fix adds the next step.
func Fix(f Finding, format string, args ...any) Finding {
	f.Fix = fmt.Sprintf(format, args...)
	return f
}
