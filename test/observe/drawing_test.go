package observe

import (
	"fmt"
	"html"
	"math"
	"strconv"
	"strings"
	"time"
)

// colors of the series, readable on white.
var colors = []string{"#1f60c4", "#37872d", "#e02f44", "#fa6400", "#8f3bb8", "#0a7b83", "#b877d9", "#a38a00", "#5a6570"}

// thresholds are Grafana's names of colors.
var thresholds = map[string]string{"green": "#37872d", "orange": "#fa6400", "red": "#c4162a"}

// drawStat draws the last value, in the color of its threshold.
func drawStat(b *strings.Builder, p panel, w, h float64) {
	if len(p.shown) == 0 {
		return
	}
	points := p.shown[0].series.points
	v := points[len(points)-1].value
	color := ""
	for _, s := range p.FieldConfig.Defaults.Thresholds.Steps {
		if s.Value == nil || v >= *s.Value {
			color = thresholds[s.Color]
		}
	}
	fmt.Fprintf(b, `<text x="%g" y="%g" font-size="34" font-weight="600" text-anchor="middle" fill="%s">%s</text>`, w/2, h/2+24, color, number(p, v))
}

// drawTable draws the labels and the value of each series.
func drawTable(b *strings.Builder, p panel) {
	columns := []string{"namespace", "cloud", "kind"}
	for i, c := range append(columns, "exchanges that failed") {
		fmt.Fprintf(b, `<text x="%d" y="44" font-weight="600" fill="#1f60c4">%s</text>`, 12+i*130, c)
	}
	for n, s := range p.shown {
		y := 66 + n*22
		for i, c := range columns {
			fmt.Fprintf(b, `<text x="%d" y="%d">%s</text>`, 12+i*130, y, html.EscapeString(s.series.labels[c]))
		}
		fmt.Fprintf(b, `<text x="%d" y="%d">%s</text>`, 12+len(columns)*130, y, number(p, s.series.points[0].value))
	}
}

// drawGraph draws lines, or areas on top of one another.
func drawGraph(b *strings.Builder, p panel, w, h float64) {
	const left, top = 70, 30
	stacked := p.FieldConfig.Defaults.Custom.Stacking.Mode == "normal"
	from, to, most := math.Inf(1), math.Inf(-1), 0.0
	below := map[float64]float64{}
	for _, s := range p.shown {
		for _, v := range s.series.points {
			from, to = min(from, v.at), max(to, v.at)
			if math.IsNaN(v.value) {
				continue
			}
			if stacked {
				below[v.at] += v.value
				most = max(most, below[v.at])
			} else {
				most = max(most, v.value)
			}
		}
	}
	step := niceStep(most)
	rows := legendRows(p, w)
	bottom := h - 22 - float64(16*rows)
	ceiling := max(step, math.Ceil(most/step)*step)
	x := func(at float64) float64 { return left + (at-from)/max(1, to-from)*(w-left-12) }
	y := func(v float64) float64 { return bottom - v/ceiling*(bottom-top) }
	for v := 0.0; v <= ceiling*1.001; v += step {
		fmt.Fprintf(b, `<path d="M%d %.1fH%g" stroke="#e7e8e9"/><text x="%d" y="%.1f" text-anchor="end" font-size="11" fill="#5a6570">%s</text>`, left, y(v), w-12, left-6, y(v)+4, number(p, v))
	}
	for at := from; at <= to; at += 10 {
		fmt.Fprintf(b, `<text x="%.1f" y="%.1f" text-anchor="middle" font-size="11" fill="#5a6570">%.0f s</text>`, x(at), bottom+15, at-from)
	}
	clear(below)
	for i, s := range p.shown {
		line, area := path(s.series, x, y, below, stacked)
		color := colors[i%len(colors)]
		if stacked {
			fmt.Fprintf(b, `<path d="%s" fill="%s" fill-opacity=".18"/>`, area, color)
		}
		fmt.Fprintf(b, `<path d="%s" fill="none" stroke="%s" stroke-width="1.4"/>`, line, color)
	}
	drawLegend(b, p, w, bottom+34)
}

// path is the line of a series, and the area between it and those below, which it is added
// to if they are stacked.
func path(s series, x, y func(float64) float64, below map[float64]float64, stacked bool) (line, area string) {
	pen := "M"
	var back []string
	for _, v := range s.points {
		if math.IsNaN(v.value) {
			pen = "M"
			continue
		}
		floor := 0.0
		if stacked {
			floor = below[v.at]
			below[v.at] += v.value
		}
		line += fmt.Sprintf("%s%.1f %.1f", pen, x(v.at), y(floor+v.value))
		back = append(back, fmt.Sprintf("L%.1f %.1f", x(v.at), y(floor)))
		pen = "L"
	}
	area = line
	for i := len(back) - 1; i >= 0; i-- {
		area += back[i]
	}
	return line, area + "Z"
}

func legendWidth(s shown) float64 { return float64(len(s.legend))*6.6 + 28 }

func legendRows(p panel, w float64) int {
	rows, x := 1, 10.0
	for _, s := range p.shown {
		if x+legendWidth(s) > w && x > 10 {
			rows, x = rows+1, 10
		}
		x += legendWidth(s)
	}
	return rows
}

func drawLegend(b *strings.Builder, p panel, w, y float64) {
	x := 10.0
	for i, s := range p.shown {
		if x+legendWidth(s) > w && x > 10 {
			x, y = 10, y+16
		}
		fmt.Fprintf(b, `<rect x="%g" y="%g" width="12" height="4" fill="%s"/><text x="%g" y="%g" font-size="11">%s</text>`, x, y-6, colors[i%len(colors)], x+16, y, html.EscapeString(s.legend))
		x += legendWidth(s)
	}
}

// niceStep is a distance between grid lines: 1, 2 or 5 times a power of ten.
func niceStep(most float64) float64 {
	if most <= 0 {
		return 1
	}
	unit := math.Pow(10, math.Floor(math.Log10(most)))
	for _, n := range []float64{.2, .5, 1, 2} {
		if most/(unit*n) <= 5 {
			return unit * n
		}
	}
	return unit * 2
}

// number writes a value in the panel's unit.
func number(p panel, v float64) string {
	digits := 3
	if p.FieldConfig.Defaults.Decimals != nil && *p.FieldConfig.Defaults.Decimals == 0 {
		v = math.Round(v)
	}
	short := func(v float64) string {
		v, _ = strconv.ParseFloat(strconv.FormatFloat(v, 'g', digits, 64), 64)
		return strconv.FormatFloat(v, 'f', -1, 64)
	}
	switch unit := p.FieldConfig.Defaults.Unit; {
	case unit == "s" && v >= 60:
		return time.Duration(v * float64(time.Second)).Round(time.Minute).String()
	case unit == "s" && v > 0 && v < 1:
		return short(v*1000) + " ms"
	case unit == "s":
		return short(v) + " s"
	case unit == "percentunit":
		return short(v*100) + " %"
	case unit == "reqps":
		return short(v) + " req/s"
	case unit == "ops":
		return short(v) + " ops/s"
	}
	return short(v)
}
