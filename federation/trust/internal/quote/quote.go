// Package quote writes values into the languages in which people tell a cloud what to
// hold, so that no value is read as anything else. Issuers and names come from clusters,
// and may hold what those languages give a meaning to.
package quote

import (
	"regexp"
	"strconv"
	"strings"
)

var plain = regexp.MustCompile(`^[A-Za-z0-9_./:@%+=,-]+$`)

// Shell is s as one word of a POSIX shell.
func Shell(s string) string {
	if plain.MatchString(s) {
		return s
	}
	return "'" + strings.ReplaceAll(s, "'", `'\''`) + "'"
}

// HCL is s as a quoted template of HashiCorp's language that stands for itself.
func HCL(s string) string {
	var b strings.Builder
	b.WriteByte('"')
	for n, r := range s {
		switch {
		case r == '"' || r == '\\':
			b.WriteByte('\\')
			b.WriteRune(r)
		case (r == '$' || r == '%') && strings.HasPrefix(s[n+1:], "{"):
			b.WriteRune(r) // doubled: no interpolation, and no directive
			b.WriteRune(r)
		case r == '\n':
			b.WriteString(`\n`)
		case r == '\r':
			b.WriteString(`\r`)
		case r == '\t':
			b.WriteString(`\t`)
		case r < ' ' || r == 0x7f:
			b.WriteString(`\u` + strings.Repeat("0", 4-len(strconv.FormatInt(int64(r), 16))) + strconv.FormatInt(int64(r), 16))
		default:
			b.WriteRune(r)
		}
	}
	b.WriteByte('"')
	return b.String()
}

// HCLList is a list of strings, on one line.
func HCLList(list []string) string {
	quoted := make([]string, 0, len(list))
	for _, s := range list {
		quoted = append(quoted, HCL(s))
	}
	return "[" + strings.Join(quoted, ", ") + "]"
}

var notLabel = regexp.MustCompile(`[^A-Za-z0-9_]+`)

// Label is an identifier of HashiCorp's language made of words.
func Label(words ...string) string {
	label := strings.Trim(notLabel.ReplaceAllString(strings.Join(words, "_"), "_"), "_")
	if label == "" || label[0] >= '0' && label[0] <= '9' {
		return "_" + label
	}
	return label
}

// Labels makes labels different from each other; the zero value is ready to use.
type Labels struct{ used map[string]bool }

// Unique is label, or label with a number behind it if it has been given before.
func (l *Labels) Unique(label string) string {
	if l.used == nil {
		l.used = map[string]bool{}
	}
	unique := label
	for n := 2; l.used[unique]; n++ {
		unique = label + "_" + strconv.Itoa(n)
	}
	l.used[unique] = true
	return unique
}
