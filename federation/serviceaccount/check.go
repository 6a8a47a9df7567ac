package serviceaccount

import (
	"maps"
	"slices"
	"strings"
	"sync"
)

// maxValue bounds an annotation's value; the longest that means anything is a
// session policy of 2048 characters.
const maxValue = 4096

// known are the vocabulary's keys by name.
var known = sync.OnceValue(func() map[string]bool {
	m := map[string]bool{}
	for _, k := range Keys() {
		m[k.Name] = true
	}
	return m
})

// checkValues refuses what no key allows, and warns of keys that look misspelt.
func (r *resolver) checkValues() {
	for _, m := range []struct {
		where  string
		values map[string]string
	}{
		{r.serviceAccount() + " annotation ", r.req.Annotations},
		{"pod annotation ", r.req.PodAnnotations},
	} {
		for _, key := range slices.Sorted(maps.Keys(m.values)) {
			if !slices.ContainsFunc(prefixes[:], func(p string) bool { return strings.HasPrefix(key, p) }) {
				continue
			}
			v := value{m.where + key, m.values[key], true}
			if known()[key] {
				if len(v.text) > maxValue {
					r.fail(CodeTooLong, v, "is longer than 4096 characters", "shorten it")
				}
				continue
			}
			if near := nearest(key); near != "" {
				r.warn(CodeTypo, value{where: v.where, set: true}, "is not a key that podpass knows", "did you mean "+near+"?")
			}
		}
	}
}

// nearest is the known key at most two edits away, other controllers' keys of the
// same prefixes being farther; "": none.
func nearest(key string) string {
	best, least := "", 3
	for _, k := range Keys() {
		if d := distance(key, k.Name, least); d < least {
			best, least = k.Name, d
		}
	}
	return best
}

// distance is the Levenshtein distance of a and b, or limit if it is not less.
func distance(a, b string, limit int) int {
	if len(a)-len(b) >= limit || len(b)-len(a) >= limit {
		return limit
	}
	row := make([]int, len(b)+1)
	for j := range row {
		row[j] = j
	}
	for i := range len(a) {
		diagonal := row[0]
		row[0] = i + 1
		for j := range len(b) {
			cost := diagonal
			if a[i] != b[j] {
				cost = 1 + min(diagonal, row[j], row[j+1])
			}
			diagonal, row[j+1] = row[j+1], cost
		}
	}
	return min(row[len(b)], limit)
}
