package main

import (
	"fmt"
	"strings"
	"testing"

	"github.com/spf13/cobra"

	"github.com/podpass-io/podpass/test/docs"
)

// TestReference: docs/reference/cli.md says what --help says.
func TestReference(t *testing.T) {
	var b strings.Builder
	b.WriteString(`# podpass, command by command

What ` + "`--help`" + ` says of each command, on one page. As ` + "`kubectl-podpass`" + ` on the PATH it is ` + "`kubectl podpass`" + `, too.

Results go to standard output, everything else to standard error. The exit status is 0 if all is sound, 1 if something was found, 2 if podpass could not look.

| command | what it does |
|---|---|
`)
	all := visible(newRoot())
	for _, c := range all[1:] {
		fmt.Fprintf(&b, "| [%s](#%s) | %s |\n", c.CommandPath(), strings.ReplaceAll(c.CommandPath(), " ", "-"), c.Short)
	}
	for _, c := range all {
		describe(&b, c)
	}
	if len(all) < 10 {
		t.Errorf("only %d commands", len(all))
	}
	docs.Hold(t, "reference/cli.md", b.String())
}

// visible are a command and those below it that help shows, in its order.
func visible(c *cobra.Command) []*cobra.Command {
	all := []*cobra.Command{c}
	for _, sub := range c.Commands() {
		if sub.IsAvailableCommand() && sub.Name() != "help" && sub.Name() != "completion" {
			all = append(all, visible(sub)...)
		}
	}
	return all
}

func describe(b *strings.Builder, c *cobra.Command) {
	c.InitDefaultHelpFlag()
	text := c.Long
	if text == "" {
		text = c.Short + "."
	}
	fmt.Fprintf(b, "\n## %s\n\n%s\n", c.CommandPath(), strings.TrimSpace(text))
	if c.Runnable() {
		fmt.Fprintf(b, "\n```text\n%s\n```\n", c.UseLine())
	}
	if c.Example != "" {
		fmt.Fprintf(b, "\n```sh\n%s\n```\n", outdent(c.Example))
	}
	if flags := c.LocalFlags().FlagUsages(); flags != "" {
		fmt.Fprintf(b, "\n```text\n%s\n```\n", strings.TrimRight(flags, "\n"))
	}
}

// outdent takes off the two blanks by which --help indents examples.
func outdent(example string) string {
	lines := strings.Split(strings.Trim(example, "\n"), "\n")
	for i, l := range lines {
		lines[i] = strings.TrimRight(strings.TrimPrefix(l, "  "), " ")
	}
	return strings.Join(lines, "\n")
}
