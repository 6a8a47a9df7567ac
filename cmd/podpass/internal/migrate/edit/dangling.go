package edit

import (
	"fmt"
	"path"
	"strings"
)

// tie finds what containers still say of variables and files that they no longer have.
func (e *editor) tie() {
	for _, g := range e.gone {
		c, ok := e.container(g.container)
		if !ok {
			continue
		}
		what := "env " + g.variable
		if g.path != "" {
			what = g.path
		}
		for where, text := range says(c) {
			if g.in(text) {
				e.loose = append(e.loose, fmt.Sprintf("container %s: %s refers to %s", g.container, where, what))
			}
		}
	}
	e.gone = nil
}

// in reports whether a text refers to it.
func (g gone) in(text string) bool {
	if g.path == "" {
		// "$$(NAME)" is how Kubernetes writes "$(NAME)" itself.
		return strings.Contains(strings.ReplaceAll(text, "$$", ""), "$("+g.variable+")")
	}
	for _, word := range strings.FieldsFunc(text, func(r rune) bool { return strings.ContainsRune(" \t\n=:,;'\"", r) }) {
		if strings.HasPrefix(word, "/") && below(path.Clean(word), g.path) {
			return true
		}
	}
	return false
}

// says yields the texts of a container that Kubernetes or the application expands.
func says(c node) func(yield func(where, text string) bool) {
	return func(yield func(where, text string) bool) {
		for _, env := range c.objects("env") {
			if !yield("env "+env.text("name"), env.text("value")) {
				return
			}
		}
		for _, list := range []string{Command, Args} {
			for i, text := range c.texts(list) {
				if !yield(fmt.Sprintf("%s element %d", list, i), text) {
					return
				}
			}
		}
	}
}
