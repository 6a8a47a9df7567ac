package apply

import (
	"bytes"
	"fmt"
	"io"
	"strings"
	"text/tabwriter"

	"github.com/podpass-io/podpass/cmd/podpass/internal/report"
)

// write prints outcomes: a line for each step, and below it its diff and notes.
func write(w io.Writer, all []Outcome, format string) error {
	if format == "json" {
		return report.WriteJSON(w, all)
	}
	var heads, out bytes.Buffer
	t := tabwriter.NewWriter(&heads, 0, 0, 2, ' ', 0)
	fmt.Fprintln(t, "STEP\tWORKLOAD\tSTATE")
	for _, o := range all {
		fmt.Fprintf(t, "%s\t%s\t%s\n", o.Step, o.Workload, o.State)
	}
	t.Flush()
	title, lines, _ := strings.Cut(heads.String(), "\n")
	fmt.Fprintln(&out, title)
	for _, o := range all {
		var head string
		head, lines, _ = strings.Cut(lines, "\n")
		fmt.Fprintln(&out, head)
		for _, text := range o.Changes {
			fmt.Fprintln(&out, "  "+report.Line(text))
		}
		for _, text := range o.Notes {
			fmt.Fprintln(&out, "  note: "+report.Line(text))
		}
	}
	_, err := w.Write(out.Bytes())
	return err
}
