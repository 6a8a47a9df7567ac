package inject

import (
	"testing"

	"k8s.io/apimachinery/pkg/api/resource"
)

// TestFit: what a container may have of CPU, in thousandths, where LimitRanges and the
// pod's own resources have a say: as little more or less than it would have as may be.
func TestFit(t *testing.T) {
	const all = unbounded
	ratio := func(s string) *resource.Quantity { q := resource.MustParse(s); return &q }
	usual := allotment{5, 200}
	for name, tt := range map[string]struct {
		d          demand
		a          allotment
		guaranteed bool
		want       allotment
		ok         bool
	}{
		"nothing is demanded":                   {demand{most: all, room: allotment{all, all}}, usual, false, allotment{5, 200}, true},
		"nothing is demanded, nothing named":    {demand{most: all, room: allotment{all, all}, usual: usual}, allotment{unset, unset}, false, allotment{unset, unset}, true},
		"a limit is demanded":                   {demand{most: all, room: allotment{all, all}, usual: usual, limit: true}, allotment{unset, unset}, false, allotment{unset, 200}, true},
		"a request is demanded":                 {demand{most: all, room: allotment{all, all}, usual: usual, request: true}, allotment{unset, unset}, false, allotment{5, unset}, true},
		"what is named is kept":                 {demand{most: all, room: allotment{all, all}, usual: usual, request: true, limit: true}, allotment{7, 70}, false, allotment{7, 70}, true},
		"a least above the request":             {demand{most: all, room: allotment{all, all}, least: 50}, usual, false, allotment{50, 200}, true},
		"a least above the limit":               {demand{most: all, room: allotment{all, all}, least: 300}, usual, false, allotment{300, 300}, true},
		"a most below the limit":                {demand{most: 100, room: allotment{all, all}}, usual, false, allotment{5, 100}, true},
		"a most below the request":              {demand{most: 100, room: allotment{all, all}}, allotment{150, 200}, false, allotment{100, 100}, true},
		"a most below the request alone":        {demand{most: 100, room: allotment{all, all}}, allotment{150, unset}, false, allotment{150, unset}, false},
		"a least above the most":                {demand{most: 40, room: allotment{all, all}, least: 50}, usual, false, allotment{40, 40}, false},
		"room for less of the limit":            {demand{most: all, room: allotment{all, 50}}, usual, false, allotment{5, 50}, true},
		"room for less of the request":          {demand{most: all, room: allotment{3, all}}, usual, false, allotment{3, 200}, true},
		"room for less than the least":          {demand{most: all, room: allotment{3, all}, least: 5}, usual, false, allotment{3, 200}, false},
		"guaranteed, room for less requests":    {demand{most: all, room: allotment{100, all}}, allotment{200, 200}, true, allotment{100, 100}, true},
		"guaranteed, room for less limits":      {demand{most: all, room: allotment{all, 100}}, allotment{200, 200}, true, allotment{100, 100}, true},
		"guaranteed, room for less of both":     {demand{most: all, room: allotment{80, 120}}, allotment{200, 200}, true, allotment{80, 80}, true},
		"guaranteed, the request follows":       {demand{most: all, room: allotment{all, all}, least: 300}, allotment{200, 200}, true, allotment{300, 300}, true},
		"guaranteed, no limit is said":          {demand{most: all, room: allotment{all, all}}, allotment{5, unset}, true, allotment{5, unset}, true},
		"room for what is just usable":          {demand{most: all, room: allotment{all, 10}, usable: 10}, usual, false, allotment{5, 10}, true},
		"room for less than is usable":          {demand{most: all, room: allotment{all, 9}, usable: 10}, usual, false, allotment{0, 0}, true},
		"no room at all":                        {demand{most: all, room: allotment{all, 0}, usable: 10, limit: true}, usual, false, allotment{0, 0}, true},
		"less than is usable, and a least":      {demand{most: all, room: allotment{all, 9}, usable: 10, least: 5}, usual, false, allotment{5, 9}, true},
		"less than is usable, and no more is":   {demand{most: 8, room: allotment{all, all}, usable: 10}, usual, false, allotment{5, 8}, true},
		"less than is usable was asked for":     {demand{most: all, room: allotment{all, all}, usable: 10}, allotment{1, 6}, false, allotment{1, 6}, true},
		"a ratio raises the request":            {demand{most: all, room: allotment{all, all}, ratio: ratio("2")}, usual, false, allotment{100, 200}, true},
		"a ratio that is kept":                  {demand{most: all, room: allotment{all, all}, ratio: ratio("40")}, usual, false, allotment{5, 200}, true},
		"a ratio that leaves a rest":            {demand{most: all, room: allotment{all, all}, ratio: ratio("3")}, usual, false, allotment{67, 200}, true},
		"a ratio, and room for less requests":   {demand{most: all, room: allotment{60, all}, ratio: ratio("2")}, usual, false, allotment{60, 120}, true},
		"a ratio, and little room":              {demand{most: all, room: allotment{7, all}, ratio: ratio("3")}, usual, false, allotment{7, 21}, true},
		"a ratio of pods, and no limit":         {demand{most: all, room: allotment{all, all}, ratio: ratio("2")}, allotment{5, unset}, false, allotment{5, unset}, true},
		"a ratio of pods, and no request":       {demand{most: all, room: allotment{all, all}, usual: usual, ratio: ratio("2")}, allotment{unset, 200}, false, allotment{100, 200}, true},
		"a ratio of containers":                 {demand{most: all, room: allotment{all, all}, usual: usual, request: true, limit: true, ratio: ratio("2"), containerRatio: ratio("2")}, allotment{unset, unset}, false, allotment{100, 200}, true},
		"a ratio of containers, and no room":    {demand{most: all, room: allotment{all, 0}, usable: 10, request: true, limit: true, ratio: ratio("2"), containerRatio: ratio("2")}, usual, false, allotment{0, 0}, false},
		"a ratio of containers, no room to ask": {demand{most: all, room: allotment{0, all}, usable: 10, request: true, limit: true, ratio: ratio("2"), containerRatio: ratio("2")}, usual, false, allotment{0, 0}, false},
		"a ratio below one":                     {demand{most: all, room: allotment{all, all}, ratio: ratio("300m")}, allotment{5, 100}, false, allotment{333, 100}, false},
		"a ratio of pods, and nothing named":    {demand{most: all, room: allotment{all, all}, usual: usual, ratio: ratio("2")}, allotment{unset, unset}, false, allotment{unset, unset}, true},
		"room for a limit below the least":      {demand{most: all, room: allotment{all, 40}, least: 50}, allotment{unset, 200}, false, allotment{unset, 40}, false},
		"a ratio of bytes":                      {demand{most: all, room: allotment{all, all}, ratio: ratio("2")}, allotment{5, 64 << 20}, false, allotment{32 << 20, 64 << 20}, true},
		"a ratio, and a limit of one":           {demand{most: all, room: allotment{all, all}, ratio: ratio("2")}, allotment{0, 1}, false, allotment{1, 1}, true},
		"a ratio, and a request of one":         {demand{most: all, room: allotment{all, all}, ratio: ratio("2")}, allotment{1, 2}, false, allotment{1, 2}, true},
		"a ratio of containers, and one of all": {demand{most: all, room: allotment{all, all}, ratio: ratio("2"), containerRatio: ratio("2")}, allotment{1, 1}, false, allotment{1, 1}, true},
		"a ratio of containers, no limit":       {demand{most: all, room: allotment{all, all}, ratio: ratio("2"), containerRatio: ratio("2")}, allotment{5, unset}, false, allotment{5, unset}, false},
	} {
		t.Run(name, func(t *testing.T) {
			if got, ok := tt.d.fit(tt.a, tt.guaranteed); got != tt.want || ok != tt.ok {
				t.Errorf("%+v, %t, want %+v, %t", got, ok, tt.want, tt.ok)
			}
		})
	}
}
