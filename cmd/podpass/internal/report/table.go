package report

import (
	"bytes"
	"cmp"
	"fmt"
	"io"
	"strings"
	"text/tabwriter"

	"github.com/podpass-io/podpass/federation/finding"
)

// writeTable prints the chain and then the findings, each on a line that grep finds by
// code, with what belongs to it below. wide adds commands.
func writeTable(w io.Writer, r *Report, wide, colour bool) error {
	var out bytes.Buffer
	t := tabwriter.NewWriter(&out, 0, 0, 2, ' ', 0)
	fmt.Fprintln(t, "RESULT\tCHECK\tWHY")
	for _, c := range r.Checks {
		fmt.Fprintf(t, "%s\t%s\t%s\n", c.Result, c.Name, c.why(wide))
	}
	if len(r.Findings) > 0 {
		t.Flush()
		fmt.Fprintln(&out)
		t.Init(&out, 0, 0, 2, ' ', 0)
		fmt.Fprintln(t, "SEVERITY\tCODE\tWHERE\tFOUND")
	}
	for _, f := range collapse(r.Findings) {
		fmt.Fprintf(t, "%s\t%s\t%s\t%s\n", f.Severity, f.Code, Line(f.Where), Line(f.Message))
		for _, d := range []struct {
			name, text string
			shown      bool
		}{
			{"expected", f.Expected, true},
			{"seen", f.Seen, true},
			{"fix", f.Fix, true},
			{"run", f.Command, wide},
		} {
			if d.shown && d.text != "" {
				fmt.Fprintf(t, "\t\t\t%s: %s\n", d.name, Line(d.text))
			}
		}
	}
	t.Flush()
	if _, err := io.WriteString(w, Text(out.String(), colour)); err != nil {
		return err
	}
	_, err := fmt.Fprintf(w, "\n%s in %s\n", r.Summary(), cmp.Or(r.LookedAt(), "nothing that was looked at"))
	return err
}

// why is what made a check's result, or what it is about.
func (c Check) why(wide bool) string {
	var parts []string
	if len(c.Codes) > 0 {
		parts = append(parts, strings.Join(c.Codes, " "))
	}
	switch {
	case len(c.Because) == 0:
	case c.Result == NotRun:
		parts = append(parts, strings.Join(c.Because, " "))
	case c.Result == Skipped:
		parts = append(parts, "because of "+strings.Join(c.Because, " "))
	default:
		parts = append(parts, "in part skipped because of "+strings.Join(c.Because, " "))
	}
	if wide {
		parts = append(parts, c.About)
	}
	return strings.Join(parts, "; ")
}

// Line keeps a text on its line, and a terminal's own characters out of it: names and
// values come from whoever may write an object.
func Line(s string) string {
	return strings.Map(func(r rune) rune {
		switch {
		case r == '\n' || r == '\t' || r == '\r':
			return ' '
		case r < ' ' || r >= 0x7f && r < 0xa0:
			return '?'
		}
		return r
	}, s)
}

// Text is a table as it is printed: without spaces at the ends of its lines, and with the
// first words of lines in their colours, if it is to have any.
func Text(table string, colour bool) string {
	lines := strings.Split(table, "\n")
	for i, l := range lines {
		lines[i] = strings.TrimRight(l, " ")
	}
	table = strings.Join(lines, "\n")
	if colour {
		return paint(table)
	}
	return table
}

// colours are of the sixteen that every terminal's own theme keeps readable.
var colours = map[string]string{
	string(finding.Error): "31", string(finding.Warning): "33", string(finding.Info): "36",
	string(Found): "31", string(Sound): "32", string(Skipped): "33",
}

// paint colours the first word of each line that has one; the word itself says it too.
func paint(text string) string {
	lines := strings.Split(text, "\n")
	for i, l := range lines {
		word, _, _ := strings.Cut(l, " ")
		if c, ok := colours[word]; ok {
			lines[i] = "\x1b[" + c + "m" + word + "\x1b[0m" + l[len(word):]
		}
	}
	return strings.Join(lines, "\n")
}
