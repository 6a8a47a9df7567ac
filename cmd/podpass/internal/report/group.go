package report

import "fmt"

// collapse makes one finding of those that differ in the pod alone, of one workload: the
// first, which says of how many it is true. A program is given all of them.
func collapse(list []Finding) []Finding {
	type key struct{ group, code, message string }
	at := map[key]int{}
	var out []Finding
	counts := map[int]int{}
	for _, f := range list {
		k := key{f.Group, f.Code, f.Message}
		if i, ok := at[k]; ok && f.Group != "" {
			counts[i]++
			continue
		}
		at[k] = len(out)
		out = append(out, f)
	}
	for i, more := range counts {
		out[i].Where = fmt.Sprintf("%s and %d more of %s", out[i].Where, more, out[i].Group)
	}
	return out
}
