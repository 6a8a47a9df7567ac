package serviceaccount

import (
	"slices"
	"strings"
	"sync"
)

// maxValue bounds an annotation's value; the longest that means anything is a
// session policy of 2048 characters.
const maxValue = 4096

// known are the vocabulary's keys by name.
var known = sync.OnceValue(func() map[string]Key {
	m := map[string]Key{}
	for _, k := range Keys() {
		m[k.Name] = k
	}
	return m
})

// ours are the keys with a prefix of the vocabularies, sorted.
func ours(values map[string]string) []string {
	var keys []string
	for k := range values {
		if slices.ContainsFunc(prefixes[:], func(p string) bool { return strings.HasPrefix(k, p) }) {
			keys = append(keys, k)
		}
	}
	slices.Sort(keys)
	return keys
}

// checkValues refuses what no key allows, and warns of what has no effect: keys
// that look misspelt, that are in a place where nobody reads them, or are empty.
func (r *resolver) checkValues() {
	for _, m := range []struct {
		where  string
		values map[string]string
		here   func(Key) bool
	}{
		{r.account + " annotation ", r.req.Annotations, Key.onServiceAccount},
		{"pod annotation ", r.req.PodAnnotations, Key.onPod},
		{"pod label ", r.req.PodLabels, Key.onPodLabel},
	} {
		for _, key := range ours(m.values) {
			v := value{key: key, where: m.where + key, text: m.values[key], set: true}
			k, ok := keyOf(key)
			switch {
			case !ok:
				if near := nearest(key); near != "" && key != injectedLabel {
					r.warn(CodeTypo, value{where: v.where}, "is not a key that podpass knows", "did you mean "+near+"?")
				}
			case !m.here(k):
				r.warn(CodeIgnored, v, "has no effect there", "this key belongs on: "+k.On)
			case len(v.text) > maxValue:
				r.fail(CodeTooLong, v, "is longer than 4096 characters", "shorten it")
			case mayBeEmpty(key) && strings.TrimSpace(v.text) == "":
				r.warn(CodeIgnored, v, "is empty, and names nothing", "fill it in, or remove it")
			}
		}
	}
}

// injectedLabel is podpass's own mark on the pods that it injected, one letter or two
// from the label that asks for it.
const injectedLabel = "podpass.io/injected"

// withoutIdentity warns of podpass's own options of a cloud in which the
// ServiceAccount names no identity.
func (r *resolver) withoutIdentity(c cloud) {
	if r.names(c) {
		return // and that is an error, which has been said
	}
	for _, key := range ours(r.req.Annotations) {
		if !strings.HasPrefix(key, "podpass.io/") || cloudOf(key) != c {
			continue
		}
		if v := r.onServiceAccount(key); v.set {
			r.warn(CodeIgnored, v, "has no effect: the ServiceAccount names no identity in this cloud", "annotate it with "+strings.Join(c.naming(), " or ")+", or remove this annotation")
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
