package main

import (
	_ "embed"
	"fmt"
	"maps"
	"slices"
	"strings"
)

//go:embed equivalent.txt
var equivalentList string

// known maps the IDs of equivalent mutants to the reason.
type known map[string]string

// equivalents reads the list: an ID a line, and below it, indented, the reason.
func equivalents() (known, error) {
	k := known{}
	id := ""
	for line := range strings.Lines(equivalentList) {
		line = strings.TrimRight(line, "\n")
		switch reason := strings.TrimSpace(line); {
		case reason == "" || strings.HasPrefix(line, "#"):
		case reason == line:
			id = line
			k[id] = ""
		case id == "":
			return nil, fmt.Errorf("equivalent.txt: a reason without a mutant: %s", reason)
		default:
			k[id] += reason
		}
	}
	for _, id := range slices.Sorted(maps.Keys(k)) {
		if k[id] == "" {
			return nil, fmt.Errorf("equivalent.txt: %s: no reason given", id)
		}
	}
	return k, nil
}

func (k known) without(mutants []mutant) []mutant {
	return slices.DeleteFunc(mutants, func(m mutant) bool { _, ok := k[m.ID()]; return ok })
}

// stale are those of the list that are not there any more, in the packages looked at.
func (k known) stale(packages []pkg) []string {
	var list []string
	for _, p := range packages {
		have := map[string]bool{}
		all, err := p.mutants()
		if err != nil {
			continue // reported before
		}
		for _, m := range all {
			have[m.ID()] = true
		}
		for _, id := range slices.Sorted(maps.Keys(k)) {
			if file, _, _ := strings.Cut(id, " "); strings.HasPrefix(file, p.Dir+"/") && !strings.Contains(strings.TrimPrefix(file, p.Dir+"/"), "/") && !have[id] {
				list = append(list, id)
			}
		}
	}
	return list
}
