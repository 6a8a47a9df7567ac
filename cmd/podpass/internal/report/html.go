package report

import (
	_ "embed"
	"html/template"
	"io"
	"time"
)

//go:embed page.html
var page string

// writeHTML prints one page that needs nothing else: no script, font, image or network,
// and a policy in it that forbids them.
func writeHTML(w io.Writer, r *Report) error {
	t, err := template.New("page").Funcs(template.FuncMap{
		"utc": func(t time.Time) string { return t.UTC().Format("2006-01-02 15:04:05 UTC") },
		"why": func(c Check) string { return c.why(false) },
	}).Parse(page)
	if err != nil {
		return err
	}
	return t.Execute(w, struct {
		*Report
		Findings        []Finding
		Summary, Looked string
	}{r, collapse(r.Findings), r.Summary(), r.LookedAt()})
}
