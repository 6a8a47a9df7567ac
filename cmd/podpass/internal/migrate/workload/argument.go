package workload

import (
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strings"

	"github.com/podpass-io/podpass/federation/statickey"
)

// Argument is an element of a container's command line that holds a part of a key.
type Argument struct {
	// List is command or args, Index the element, and Of how many there are.
	List      string
	Index, Of int
	// Flag that it begins with, or that is the element before it; empty: neither.
	Flag string
	// ID: it holds what belongs to the key and is not secret.
	ID bool
}

// String names it: by its flag, or as "args element 3".
func (a Argument) String() string {
	if a.Flag != "" {
		return a.Flag
	}
	return fmt.Sprintf("%s element %d", a.List, a.Index)
}

// Arguments are the elements of a literal's command lines without which the key is not
// found there any more, and those that name its ID, by which a key without the other is of
// no use. A key that stands there twice has none.
func (l Literal) Arguments(id string, same func(statickey.Key) bool) []Argument {
	var all []Argument
	for _, list := range slices.Sorted(maps.Keys(l.words)) {
		if words := l.words[list]; holds(list, words, same) {
			all = append(all, arguments(list, words, id, same)...)
		}
	}
	return all
}

func arguments(list string, words []string, id string, same func(statickey.Key) bool) []Argument {
	var all []Argument
	secret := false
	for i, word := range words {
		if isFlag(word) && !strings.Contains(word, "=") {
			continue // it goes with its value
		}
		a := Argument{List: list, Index: i, Of: len(words), Flag: flag(words, i)}
		a.ID = id != "" && strings.Contains(word, id) && !holds(list, []string{word}, same)
		if a.ID || !holds(list, slices.Concat(words[:i], words[i+1:]), same) {
			all = append(all, a)
			secret = secret || !a.ID
		}
	}
	if !secret {
		return nil
	}
	return all
}

func holds(list string, words []string, same func(statickey.Key) bool) bool {
	return slices.ContainsFunc(statickey.Find([]statickey.Named{line(list, words)}).Keys, same)
}

// line is a command line as one value, since what belongs together stands side by side.
func line(list string, words []string) statickey.Named {
	return statickey.Named{Name: list, Value: []byte(strings.Join(words, "\n"))}
}

// option is a flag's name. It is no longer than people write them: what is after the dash
// of a short one may be its value.
var option = regexp.MustCompile(`^--?[A-Za-z][A-Za-z0-9._-]{0,40}$`)

// script is the flag of shells whose value is all that they run, and no value of a flag.
var script = regexp.MustCompile(`^-[a-z]*c$`)

func isFlag(word string) bool {
	name, _, _ := strings.Cut(word, "=")
	return option.MatchString(name)
}

// flag of an element; empty: it stands for itself.
func flag(words []string, i int) string {
	if name, value, ok := strings.Cut(words[i], "="); ok && value != "" && option.MatchString(name) {
		return name
	}
	if i == 0 || !isFlag(words[i-1]) || strings.Contains(words[i-1], "=") || script.MatchString(words[i-1]) && strings.ContainsAny(words[i], " \n\t;") {
		return ""
	}
	return words[i-1]
}
