package edit

import (
	"regexp"
	"slices"
	"strconv"
	"strings"
)

// arguments takes elements out of command lines: all of a list at once, since each is
// named by its index in the list as it was.
func (e *editor) arguments(args []Arg) {
	for len(args) > 0 {
		var same, others []Arg
		for _, a := range args {
			if a.Container == args[0].Container && a.List == args[0].List {
				same = append(same, a)
			} else {
				others = append(others, a)
			}
		}
		e.commandLine(same)
		args = others
	}
}

// commandLine takes elements out of one list.
func (e *editor) commandLine(args []Arg) {
	name, list := args[0].Container, args[0].List
	c, _ := e.container(name)
	texts := c.texts(list)
	var indices []int
	flags := map[int]string{} // that are elements of their own
	for _, a := range args {
		if why := refused(c, texts, a); why != "" {
			e.leave("container %s: %s element %d: %s", name, list, a.Index, why)
			continue
		}
		indices = append(indices, a.Index)
		if separate(texts, a) {
			indices = append(indices, a.Index-1)
			flags[a.Index-1] = a.Flag
		}
	}
	slices.Sort(indices)
	indices = slices.Compact(indices)
	if len(indices) == 0 {
		return
	}
	if len(indices) == len(texts) && (list == Command || len(c.list(Command)) == 0) {
		e.leave("container %s: nothing would be left of its %s, and the image's own would run: change it by hand", name, list)
		return
	}
	e.touch(c)
	for _, i := range indices {
		if flag, ok := flags[i]; ok {
			e.is(c.path(list)+"/"+strconv.Itoa(i), flag)
			e.show("- container %s: %s element %d, %s", name, list, i, flag)
		} else {
			e.show("- container %s: %s element %d", name, list, i)
		}
	}
	e.cut(c, list, indices)
}

// separate reports whether the flag is the element before.
func separate(texts []string, a Arg) bool {
	return a.Flag != "" && a.Index > 0 && texts[a.Index-1] == a.Flag && !begins(texts[a.Index], a.Flag)
}

// begins reports whether a flag and its value are one element.
func begins(text, flag string) bool { return len(text) > len(flag) && strings.HasPrefix(text, flag) }

// script is the option of shells, alone or the last of several, whose value is what they run.
var script = regexp.MustCompile(`^-[a-z]*c$`)

// refused says why an element stays; "": it goes.
func refused(c node, texts []string, a Arg) string {
	switch {
	case a.List != Command && a.List != Args, a.Index < 0, a.Index >= len(texts), a.Of != len(texts):
		return "not there"
	case a.Flag != "" && !begins(texts[a.Index], a.Flag) && !separate(texts, a):
		return "not there"
	}
	line, at := texts, a.Index
	if a.List == Args {
		line = slices.Concat(c.texts(Command), texts)
		at += len(c.texts(Command))
	}
	if at > 0 && script.MatchString(line[at-1]) && a.Flag != line[at-1] {
		return "a shell's whole script: change it by hand"
	}
	return ""
}
