package page

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/podpass-io/podpass/cmd/podpass/internal/migrate/graph"
	"github.com/podpass-io/podpass/federation/finding"
	"github.com/podpass-io/podpass/federation/statickey"
)

// head is what the page says of the whole scan.
type head struct {
	Tool, Summary, Source, Looked, Time, Version string
	Severities, Confidences, Clouds              []count
	Unread                                       []string
}

type count struct {
	Name string
	N    int
}

// The orders in which severities and confidences are shown.
var (
	severities  = []finding.Severity{finding.Error, finding.Warning, finding.Info}
	confidences = []statickey.Confidence{statickey.Certain, statickey.Likely, statickey.Possible}
)

func headOf(g *graph.Graph) head {
	bySeverity, byConfidence, byCloud := map[finding.Severity]int{}, map[statickey.Confidence]int{}, map[string]int{}
	for _, c := range g.Credentials {
		bySeverity[c.Severity]++
		byConfidence[c.Confidence]++
		byCloud[c.Cloud]++
	}
	h := head{
		Tool: clean(g.Tool), Summary: number(len(g.Credentials), "static credential"), Source: clean(g.Source),
		Time: g.Time.UTC().Format("2006-01-02 15:04:05 UTC"), Version: clean(g.Version),
		Severities: counts(severities, bySeverity), Confidences: counts(confidences, byConfidence),
		Clouds: counts(slices.Sorted(maps.Keys(byCloud)), byCloud),
	}
	var looked []string
	for _, what := range slices.Sorted(maps.Keys(g.Looked)) {
		looked = append(looked, fmt.Sprintf("%s %d", clean(what), g.Looked[what]))
	}
	h.Looked = strings.Join(looked, ", ")
	for _, u := range g.Unread {
		h.Unread = append(h.Unread, clean(u.What+": "+u.Why))
	}
	return h
}

// counts gives those of which there are any, in an order.
func counts[K ~string](order []K, n map[K]int) []count {
	var out []count
	for _, k := range order {
		if n[k] > 0 {
			out = append(out, count{clean(string(k)), n[k]})
		}
	}
	return out
}

// number says how many of something: "1 container", "2 containers".
func number(n int, what string) string {
	if n == 1 {
		return "1 " + what
	}
	return fmt.Sprintf("%d %ss", n, what)
}

// date is a time for a person, with its age at the time of the scan.
func date(t, now time.Time) string {
	if t.IsZero() {
		return ""
	}
	text := t.UTC().Format("2006-01-02")
	switch days := int(now.Sub(t).Hours() / 24); {
	case now.IsZero():
		return text
	case days >= 1:
		return text + ", " + number(days, "day") + " ago"
	case days <= -1:
		return text + ", in " + number(-days, "day")
	}
	return text + ", that day"
}
