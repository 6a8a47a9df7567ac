package page

import (
	"strings"
	"unicode"
)

// The columns of the page, from what is taken to who takes it.
const (
	credential = iota
	place
	container
	workload
	account
	columns
)

var titles = [columns]string{"Credential", "Kept in", "Container", "Workload", "ServiceAccount"}

// node is one box of the page.
type node struct {
	Column int `json:"column"`
	// Name and Note are its two lines.
	Name string `json:"name"`
	Note string `json:"note"`
	// Cloud and Severity are a credential's.
	Cloud    string `json:"cloud,omitempty"`
	Severity string `json:"severity,omitempty"`
	// Facts are shown of the one that is chosen.
	Facts []fact `json:"facts"`
	// Next are the indices of those of the next column that it is linked with.
	Next []int `json:"next"`

	// reads has for each container that a place is linked with how it reads the place.
	reads map[int][]string
}

// fact is a name and a text: a page has tens of thousands.
type fact [2]string

// add adds a fact, unless nothing is known.
func (n *node) add(name, text string) {
	if text != "" {
		n.Facts = append(n.Facts, fact{name, clean(text)})
	}
}

// clean makes what cannot be seen in a text visible: control characters, and those that
// turn the direction of what follows, by which a name can pass for another.
func clean(s string) string {
	return strings.Map(func(r rune) rune {
		if unicode.Is(unicode.C, r) {
			return unicode.ReplacementChar
		}
		return r
	}, s)
}

// join gives the texts that are not empty, with dots between them.
func join(texts ...string) string {
	var out []string
	for _, t := range texts {
		if t != "" {
			out = append(out, t)
		}
	}
	return clean(strings.Join(out, " · "))
}
