package quote

import (
	"fmt"
	"strings"
)

// Attribute is one line of a block: a name, and a value that is already quoted.
type Attribute struct{ Name, Value string }

// Block is a block of HashiCorp's language, laid out as terraform fmt does. What is in
// inner, further blocks each laid out the same way, comes after the attributes.
func Block(head string, attributes []Attribute, inner ...string) string {
	var b strings.Builder
	b.WriteString(head + " {\n")
	b.WriteString(indent(Lines(attributes)))
	for _, block := range inner {
		b.WriteString("\n" + indent(block))
	}
	b.WriteString("}\n")
	return b.String()
}

// Lines are attributes with their signs below each other. A value of several lines stands
// by itself, and those before and after it are two groups; but a heredoc ends the group
// before it, as terraform fmt has it.
func Lines(attributes []Attribute) string {
	var b strings.Builder
	var group []Attribute
	flush := func() {
		width := 0
		for _, a := range group {
			width = max(width, len(a.Name))
		}
		for _, a := range group {
			fmt.Fprintf(&b, "%-*s = %s\n", width, a.Name, a.Value)
		}
		group = group[:0]
	}
	for _, a := range attributes {
		if strings.HasPrefix(a.Value, "<<") {
			group = append(group, a)
			flush()
			continue
		}
		if strings.Contains(a.Value, "\n") {
			flush()
			fmt.Fprintf(&b, "%s = %s\n", a.Name, a.Value)
			continue
		}
		group = append(group, a)
	}
	flush()
	return b.String()
}

// Map is a map, one line an entry.
func Map(entries []Attribute) string {
	return "{\n" + indent(Lines(entries)) + "}"
}

func indent(s string) string {
	lines := strings.SplitAfter(s, "\n")
	for n, line := range lines {
		if line != "" && line != "\n" {
			lines[n] = "  " + line
		}
	}
	return strings.Join(lines, "")
}

// Comment is text as a comment of the shell and of HashiCorp's language: one line,
// whatever is in it.
func Comment(text string) string {
	clean := strings.Map(func(r rune) rune {
		if r < ' ' || r == 0x7f {
			return ' '
		}
		return r
	}, text)
	return "# " + clean + "\n"
}
