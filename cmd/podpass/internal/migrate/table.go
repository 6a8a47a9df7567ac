package migrate

import (
	"bytes"
	"cmp"
	"fmt"
	"io"
	"strings"
	"text/tabwriter"
	"time"

	"github.com/podpass-io/podpass/cmd/podpass/internal/migrate/graph"
	"github.com/podpass-io/podpass/cmd/podpass/internal/report"
)

// table prints each credential, and below it where it is kept and who uses it from there.
// wide adds why it is one, how old it is and who wrote it.
func table(w io.Writer, g *graph.Graph, r *report.Report, wide, colour bool) error {
	var out bytes.Buffer
	t := tabwriter.NewWriter(&out, 0, 0, 2, ' ', 0)
	for _, c := range g.Credentials {
		row(t, string(c.Severity), describe(c), "")
		row(t, "", "fingerprint", c.Fingerprint)
		if wide {
			row(t, "", "evidence", fmt.Sprintf("%s: %s", c.Confidence, strings.Join(c.Evidence, "; ")))
		}
		for _, p := range c.Places {
			row(t, "", "kept in", p.Object.String()+": "+strings.Join(p.Keys, ", "))
			if wide && !p.Created.IsZero() {
				row(t, "", "", history(p))
			}
			for _, u := range p.Uses {
				row(t, "", "used by", usedBy(g, []graph.Use{u}, 1))
			}
		}
	}
	for _, u := range g.Unread {
		row(t, "not read", u.What+": "+u.Why, "")
		for _, use := range u.Uses {
			row(t, "", "used by", usedBy(g, []graph.Use{use}, 1))
		}
	}
	t.Flush()
	if out.Len() > 0 {
		out.WriteByte('\n')
	}
	fmt.Fprintln(&out, summary(g, r))
	_, err := io.WriteString(w, report.Text(out.String(), colour))
	return err
}

// row prints a credential's first line, or one below it.
func row(w io.Writer, first, name, value string) {
	if first != "" {
		fmt.Fprintf(w, "%s  %s\n", first, report.Line(name))
		return
	}
	fmt.Fprintf(w, "  %s\t%s\n", name, report.Line(value))
}

// history of a place: how old it is, and who wrote it.
func history(p graph.Place) string {
	s := "made " + p.Created.Format(time.DateOnly)
	if p.Writer != "" {
		s += fmt.Sprintf(", last written by %s %s", p.Writer, p.Written.Format(time.DateOnly))
	}
	if p.From != nil {
		s += ", made by " + p.From.String()
	}
	return s
}

func summary(g *graph.Graph, r *report.Report) string {
	places, users := 0, map[int]bool{}
	for _, c := range g.Credentials {
		places += len(c.Places)
		for _, p := range c.Places {
			for _, u := range p.Uses {
				users[u.Workload] = true
			}
		}
	}
	if len(g.Credentials) == 0 {
		return "no static key in " + cmp.Or(r.LookedAt(), "nothing")
	}
	return fmt.Sprintf("%s in %s, used by %s, among %s", count(len(g.Credentials), "static key"), count(places, "place"), count(len(users), "workload"), cmp.Or(r.LookedAt(), "nothing"))
}

func count(n int, what string) string {
	if n == 1 {
		return "1 " + what
	}
	return fmt.Sprintf("%d %ss", n, what)
}
