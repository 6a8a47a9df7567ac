package trust

import "strings"

// Spelling says in what two texts differ that people take for the same, "a trailing
// slash" say; "" if they are equal, or differ in more than spelling. Every cloud compares
// to the letter.
func Spelling(a, b string) string {
	var ways []string
	for _, way := range []struct {
		name string
		even func(string) string
	}{
		{"white space around it", strings.TrimSpace},
		{"https:// before it", withoutScheme},
		{"a trailing slash", func(s string) string { return strings.TrimRight(s, "/") }},
		{"letter case", strings.ToLower}, // last: it changes both of most pairs
	} {
		if a == b {
			break
		}
		evenA, evenB := way.even(a), way.even(b)
		if len(a)-len(evenA) != len(b)-len(evenB) || evenA == evenB {
			ways = append(ways, way.name)
		}
		a, b = evenA, evenB
	}
	if a != b {
		return ""
	}
	return strings.Join(ways, " and ")
}

func withoutScheme(s string) string {
	return strings.TrimPrefix(strings.TrimPrefix(s, "https://"), "http://")
}
