package federation

import (
	"regexp"
	"strings"
	"time"
)

// NamePattern is what [ValidName] accepts.
const NamePattern = `^[a-z0-9]([a-z0-9-]{0,30}[a-z0-9])?$`

var namePattern = regexp.MustCompile(NamePattern)

// ValidName reports whether s can be the name that people give to one of several
// identities: it becomes part of annotations, paths and files.
func ValidName(s string) bool { return namePattern.MatchString(s) }

// Clip cuts s to at most n bytes, and three dots that say so, for texts that quote what
// somebody else wrote.
func Clip(s string, n int) string {
	if len(s) <= n {
		return s
	}
	return strings.ToValidUTF8(s[:n], "") + "..."
}

// Timestamp is t in UTC, to the second, ending in Z: the form of RFC 3339 that every
// SDK reads (AWS's for JavaScript fails on "+00:00").
func Timestamp(t time.Time) string { return t.UTC().Format(time.RFC3339) }
