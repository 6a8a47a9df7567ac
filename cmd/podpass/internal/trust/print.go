package trust

import (
	"cmp"
	"encoding/json"
	"fmt"
	"io"
	"text/tabwriter"

	"sigs.k8s.io/yaml"
)

// printers by the name that -o has.
var printers = map[string]func(io.Writer, []result) error{
	"table": func(w io.Writer, list []result) error { return table(w, list, false) },
	"wide":  func(w io.Writer, list []result) error { return table(w, list, true) },
	"json": func(w io.Writer, list []result) error {
		e := json.NewEncoder(w)
		e.SetEscapeHTML(false)
		e.SetIndent("", "  ")
		return e.Encode(list)
	},
	"yaml": func(w io.Writer, list []result) error {
		b, err := yaml.Marshal(list)
		if err != nil {
			return err
		}
		_, err = w.Write(b)
		return err
	},
}

// table has a line for each document, and below it what was found of each.
func table(w io.Writer, list []result, wide bool) error {
	columns := tabwriter.NewWriter(w, 0, 8, 3, ' ', 0)
	fmt.Fprintln(columns, "CLOUD\tDOCUMENT\tTOKEN\tBY")
	for _, r := range list {
		verdict := "refused"
		if r.Allowed {
			verdict = "let in"
		}
		fmt.Fprintf(columns, "%s\t%s\t%s\t%s\n", r.Cloud, r.Document, verdict, cmp.Or(r.By, "-"))
	}
	if err := columns.Flush(); err != nil {
		return err
	}
	for _, r := range list {
		for _, f := range r.Findings {
			fmt.Fprintf(w, "\n%s %s: %s\n  %s\n", f.Code, f.Severity, f.Where, f.Message)
			for _, side := range []struct{ name, text string }{{"expected", f.Expected}, {"seen", f.Seen}} {
				if side.text != "" {
					fmt.Fprintf(w, "  %-9s %q\n", side.name, side.text)
				}
			}
			if wide && f.Fix != "" {
				fmt.Fprintf(w, "  %-9s %s\n", "fix", f.Fix)
			}
			if wide && f.Command != "" {
				fmt.Fprintf(w, "  %-9s %s\n", "see", f.Command)
			}
		}
	}
	return nil
}
