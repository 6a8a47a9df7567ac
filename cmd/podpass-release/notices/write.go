package notices

import (
	"cmp"
	"fmt"
	"io"
	"slices"
	"strings"
)

const preface = `What this program contains besides podpass itself, and the terms under which
it may be passed on. podpass is under the Apache License 2.0, in the file LICENSE.
`

// Write writes all texts, each once, above it the modules that it is from. The same
// modules make the same bytes.
func Write(w io.Writer, modules []Licensed) error {
	from := map[string][]string{}
	for _, m := range modules {
		for _, t := range m.Texts {
			from[t.Body] = append(from[t.Body], fmt.Sprintf("%s %s (%s)", m.Path, m.Version, t.Name))
		}
	}
	type group struct {
		sources []string
		body    string
	}
	var groups []group
	for body, sources := range from {
		slices.Sort(sources)
		groups = append(groups, group{sources, body})
	}
	slices.SortFunc(groups, func(a, b group) int { return cmp.Compare(a.sources[0], b.sources[0]) })
	if _, err := io.WriteString(w, preface); err != nil {
		return err
	}
	for _, g := range groups {
		if _, err := fmt.Fprintf(w, "\n%s\n%s\n\n%s\n", strings.Repeat("=", 80), strings.Join(g.sources, "\n"), g.body); err != nil {
			return err
		}
	}
	return nil
}
