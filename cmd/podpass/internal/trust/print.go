package trust

import (
	"bytes"
	"cmp"
	"fmt"
	"io"
	"slices"
	"text/tabwriter"
	"time"

	"github.com/podpass-io/podpass/cmd/podpass/internal/report"
	"github.com/podpass-io/podpass/federation/finding"
)

// write prints verdicts: by themselves, or as a report where they go to what shows findings.
func (o checkOptions) write(w io.Writer, list []result) error {
	switch o.output {
	case "json":
		return report.WriteJSON(w, list)
	case "yaml":
		return report.WriteYAML(w, list)
	case "sarif", "html":
		return o.report(list).Write(w, o.output, false)
	}
	return table(w, list, o.output == "wide")
}

// report has a check for each document, since that one lets the token in is a verdict and no
// finding, and the findings of all.
func (o checkOptions) report(list []result) *report.Report {
	r := &report.Report{
		Tool: "podpass trust check", Version: o.version, Time: time.Now().UTC().Truncate(time.Second),
		Looked: []report.Count{{What: "documents", N: len(list)}},
	}
	for _, one := range list {
		c := report.Check{Name: one.Cloud + " " + one.Document, About: "does not let the token in", Result: report.Sound}
		if one.Allowed {
			c.About = "lets the token in by " + one.By
		}
		for _, f := range one.Findings {
			c.Result = report.Found
			if !slices.Contains(c.Codes, f.Code) {
				c.Codes = append(c.Codes, f.Code)
			}
			r.Findings = append(r.Findings, report.Finding{Finding: f})
		}
		r.Checks = append(r.Checks, c)
	}
	r.Sort()
	return r
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
		if err := details(w, r.Findings, wide); err != nil {
			return err
		}
	}
	return nil
}

// details has each finding on lines of its own, both sides shown.
func details(w io.Writer, found []finding.Finding, wide bool) error {
	var b bytes.Buffer
	for _, f := range found {
		fmt.Fprintf(&b, "\n%s %s: %s\n  %s\n", f.Code, f.Severity, f.Where, f.Message)
		for _, side := range []struct{ name, text string }{{"expected", f.Expected}, {"seen", f.Seen}} {
			if side.text != "" {
				fmt.Fprintf(&b, "  %-9s %q\n", side.name, side.text)
			}
		}
		if wide && f.Fix != "" {
			fmt.Fprintf(&b, "  %-9s %s\n", "fix", f.Fix)
		}
		if wide && f.Command != "" {
			fmt.Fprintf(&b, "  %-9s %s\n", "see", f.Command)
		}
	}
	_, err := w.Write(b.Bytes())
	return err
}
