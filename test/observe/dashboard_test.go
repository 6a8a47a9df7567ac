package observe

import (
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"
)

// dashboardFile is the dashboard that the chart ships.
const dashboardFile = "../../charts/podpass/dashboards/podpass.json"

// dashboard is what is read here of Grafana's JSON; test/grafana holds all of it against
// Grafana's own types.
type dashboard struct {
	Panels     []panel `json:"panels"`
	Templating struct {
		List []struct {
			Name       string `json:"name"`
			Definition string `json:"definition"`
		} `json:"list"`
	} `json:"templating"`
}

type panel struct {
	ID      int    `json:"id"`
	Title   string `json:"title"`
	Type    string `json:"type"`
	GridPos struct {
		H, W, X, Y int
	} `json:"gridPos"`
	Targets []struct {
		Expr         string `json:"expr"`
		LegendFormat string `json:"legendFormat"`
		Instant      bool   `json:"instant"`
	} `json:"targets"`
	FieldConfig struct {
		Defaults struct {
			Unit       string `json:"unit"`
			Decimals   *int   `json:"decimals"`
			Thresholds struct {
				Steps []struct {
					Color string   `json:"color"`
					Value *float64 `json:"value"`
				} `json:"steps"`
			} `json:"thresholds"`
			Custom struct {
				Stacking struct {
					Mode string `json:"mode"`
				} `json:"stacking"`
			} `json:"custom"`
		} `json:"defaults"`
	} `json:"fieldConfig"`

	shown []shown
}

// shown is an answer of a panel's query, with its legend.
type shown struct {
	legend string
	series series
}

// loadTime is how long the programs are used before they are looked at: several lives of the
// credentials, a failure of a cloud among them, and a good part of a graph.
const loadTime = 36 * time.Second

// chosen is what Grafana puts in the place of the variables where all of each are chosen,
// for a range of the test's length and a scrape each second.
var chosen = strings.NewReplacer("$cluster", ".*", "$namespace", ".*", "$__rate_interval", "6s", "$__range", "36s")

func loadDashboard(t *testing.T) dashboard {
	t.Helper()
	var d dashboard
	file := map[string]any{}
	read(t, dashboardFile, &file)
	convert(t, file, &d)
	return d
}

// TestDashboard runs each query of each panel on a real Prometheus, which scrapes real
// webhooks and brokers in use: each gives something to show. And it leaves the pictures.
func TestDashboard(t *testing.T) {
	w := start(t)
	p := startPrometheus(t, w)
	begin := time.Now()
	for n := 0; time.Since(begin) < loadTime; n++ {
		if n == 40 {
			w.trouble(12)
		}
		w.round(t, n)
		time.Sleep(200 * time.Millisecond)
	}
	end := time.Now()
	e := exposed{}
	for _, s := range slices.Concat(w.webhooks, w.brokers) {
		e.add(t, page(t, s))
	}
	d := loadDashboard(t)
	queries := 0
	for i := range d.Panels {
		queries += d.Panels[i].ask(t, p, e, begin, end)
	}
	if queries < 30 {
		t.Errorf("%d queries", queries)
	}
	for _, v := range d.Templating.List {
		for _, wrong := range e.check(chosen.Replace(v.Definition)) {
			t.Errorf("variable %s: %s", v.Name, wrong)
		}
	}
	runbookQueries(t, p, e, end)
	draw(t, d)
}

// ask runs the queries of a panel, and keeps their answers.
func (p *panel) ask(t *testing.T, from *prometheus, e exposed, begin, end time.Time) int {
	t.Helper()
	for _, q := range p.Targets {
		expression := chosen.Replace(q.Expr)
		if i := strings.IndexByte(expression, '$'); i >= 0 {
			t.Errorf("%s: an unknown variable: %s", p.Title, expression[i:])
		}
		for _, wrong := range e.check(expression) {
			t.Errorf("%s: %s", p.Title, wrong)
		}
		if q.Instant {
			begin = end
		}
		answer, err := from.query(t, expression, begin, end)
		if err != nil {
			t.Errorf("%s: %v", p.Title, err)
			continue
		}
		if !slices.ContainsFunc(answer, series.finite) {
			t.Errorf("%s: nothing to show for %s", p.Title, expression)
		}
		for _, s := range answer {
			p.shown = append(p.shown, shown{legend(q.LegendFormat, s.labels), s})
		}
	}
	return len(p.Targets)
}

var placeholder = regexp.MustCompile(`\{\{(\w+)\}\}`)

// legend is a series' name.
func legend(format string, labels map[string]string) string {
	return placeholder.ReplaceAllStringFunc(format, func(s string) string { return labels[strings.Trim(s, "{}")] })
}

// TestPanelsFit: Grafana moves panels that overlap, and whoever edited the file sees another
// dashboard than they wrote; two of one number answer for each other.
func TestPanelsFit(t *testing.T) {
	taken, ids := map[[2]int]string{}, map[int]bool{}
	for _, p := range loadDashboard(t).Panels {
		if ids[p.ID] {
			t.Errorf("%s: another panel has its id %d", p.Title, p.ID)
		}
		ids[p.ID] = true
		g := p.GridPos
		if g.X+g.W > 24 {
			t.Errorf("%s ends in column %d of 24", p.Title, g.X+g.W)
		}
		for x := g.X; x < g.X+g.W; x++ {
			for y := g.Y; y < g.Y+g.H; y++ {
				if other, ok := taken[[2]int{x, y}]; ok {
					t.Fatalf("%s overlaps %s", p.Title, other)
				}
				taken[[2]int{x, y}] = p.Title
			}
		}
	}
}
