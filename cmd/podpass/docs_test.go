package main

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/spf13/pflag"
)

// TestDocumentedCommands: each command of podpass that a page shows exists, with the flags
// that it is shown with.
func TestDocumentedCommands(t *testing.T) {
	pages := []string{"../../README.md"}
	for _, pattern := range []string{"../../docs/*.md", "../../docs/*/*.md"} {
		more, err := filepath.Glob(pattern)
		if err != nil {
			t.Fatal(err)
		}
		pages = append(pages, more...)
	}
	seen := 0
	for _, page := range pages {
		text, err := os.ReadFile(page)
		if err != nil {
			t.Fatal(err)
		}
		for _, command := range commands(string(text)) {
			seen++
			if err := parse(command); err != nil {
				t.Errorf("%s: podpass %s: %v", filepath.Base(page), strings.Join(command, " "), err)
			}
		}
	}
	if seen < 60 {
		t.Errorf("only %d commands are shown", seen)
	}
}

// commands are the arguments of podpass in the code of a page: in blocks, and between
// backticks. A placeholder of a page is no command.
func commands(page string) [][]string {
	var all [][]string
	block := false
	for line := range strings.Lines(page) {
		if strings.HasPrefix(strings.TrimSpace(line), "```") {
			block = !block
			continue
		}
		pieces := []string{line}
		if !block {
			pieces = nil
			for i, piece := range strings.Split(line, "`") {
				if i%2 == 1 {
					pieces = append(pieces, piece)
				}
			}
		}
		for _, piece := range pieces {
			for part := range strings.FieldsFuncSeq(piece, func(r rune) bool { return strings.ContainsRune("|;#()", r) }) {
				words := strings.Fields(part)
				if len(words) > 1 && words[0] == "podpass" {
					all = append(all, words[1:])
				}
			}
		}
	}
	return all
}

// parse finds the command of words, and its flags; redirections end it.
func parse(words []string) error {
	for i, w := range words {
		if strings.ContainsAny(w, "<>&") || w == "..." {
			words = words[:i]
			break
		}
		words[i] = strings.Trim(w, `"'\`)
	}
	cmd, rest, err := newRoot().Find(words)
	if err != nil {
		return err
	}
	cmd.InitDefaultHelpFlag()
	err = cmd.ParseFlags(rest)
	if _, named := errors.AsType[*pflag.ValueRequiredError](err); named || errors.Is(err, pflag.ErrHelp) {
		return nil // a text names the flag alone
	}
	return err
}
