package serviceaccount

import (
	"slices"
	"strconv"
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

const (
	// maxKeys bounds the annotations of one object that are read. There are some fifty
	// keys, ten further roles, and one choice of a role for each container.
	maxKeys = 256
	// maxUnknown is how many unknown keys may be misspelt ones. Where there are more they
	// are another controller's, and comparing each with the vocabulary is for nothing.
	maxUnknown = 32
)

// keysOf are the keys of values that the vocabularies know, and those that only have
// their prefixes, sorted; at most one more than the bounds.
func keysOf(values map[string]string) (read, unknown []string) {
	for k := range values {
		_, ok := keyOf(k)
		switch {
		case len(read) > maxKeys:
			return read, nil // an error, whatever the others are
		case ok:
			read = append(read, k)
		case len(unknown) <= maxUnknown && vocabulary(k):
			unknown = append(unknown, k)
		}
	}
	slices.Sort(read)
	slices.Sort(unknown)
	return read, unknown
}

// ours are the keys of values that the vocabularies know, sorted.
func ours(values map[string]string) []string {
	read, _ := keysOf(values)
	return read
}

// checkValues refuses what no key allows, and warns of what has no effect: keys
// that look misspelt, that are in a place where nobody reads them, or are empty.
func (r *resolver) checkValues() {
	for _, m := range []struct {
		where  string
		values map[string]string
		here   func(Key) bool
	}{
		{r.account + " annotation ", r.req.Annotations, Key.OnServiceAccount},
		{"pod annotation ", r.req.PodAnnotations, Key.onPod},
		{"pod label ", r.req.PodLabels, Key.onPodLabel},
	} {
		read, unknown := keysOf(m.values)
		if len(read) > maxKeys {
			r.fail(CodeTooMany, value{where: strings.TrimSpace(m.where) + "s"}, "are more than "+strconv.Itoa(maxKeys)+" that podpass reads", "remove those for containers and roles that are not there")
			continue
		}
		if len(unknown) > maxUnknown {
			unknown = nil
		}
		for _, key := range unknown {
			if near := nearest(key); near != "" && key != injectedLabel {
				r.warn(CodeTypo, value{where: m.where + key}, "is not a key that podpass knows", "did you mean "+near+"?")
			}
		}
		for _, key := range read {
			v := value{key: key, where: m.where + ClipName(key), text: m.values[key], set: true}
			k, _ := keyOf(key)
			switch {
			case !m.here(k):
				r.warn(CodeIgnored, v, "has no effect there", "this key belongs on: "+k.On)
			case len(v.text) > maxValue:
				r.fail(CodeTooLong, value{where: v.where}, "is longer than 4096 characters", "shorten it")
			case mayBeEmpty(key) && !k.onPodLabel() && strings.TrimSpace(v.text) == "":
				r.warn(CodeIgnored, v, "is empty, and counts as not set", "fill it in, or remove it")
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
		if !strings.HasPrefix(key, podpassPrefix) || cloudOf(key) != c {
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
