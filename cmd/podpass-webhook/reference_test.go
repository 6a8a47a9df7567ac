package main

import (
	"flag"
	"fmt"
	"strings"
	"testing"

	"github.com/podpass-io/podpass/test/docs"
)

// TestReferenceOfFlags: docs/reference/webhook-flags.md has each flag, its default and its
// meaning, as --help does.
func TestReferenceOfFlags(t *testing.T) {
	t.Setenv("POD_NAMESPACE", "")
	t.Setenv("POD_NAME", "")
	set := flag.NewFlagSet("podpass-webhook", flag.ContinueOnError)
	new(options).bind(set)
	var b strings.Builder
	b.WriteString(`# Flags of podpass-webhook

The chart sets them; what people choose is in its [values](../../charts/podpass/values.yaml). The variable in brackets counts where the flag is not given. All
that is wrong with the flags is said at once, and the process ends with status 1.

| flag | default | meaning |
|---|---|---|
`)
	seen := 0
	set.VisitAll(func(f *flag.Flag) {
		seen++
		value, usage := flag.UnquoteUsage(f)
		if value != "" {
			value = " " + strings.ToUpper(value)
		}
		byDefault := ""
		if f.DefValue != "" && f.DefValue != "false" {
			byDefault = "`" + f.DefValue + "`"
		}
		fmt.Fprintf(&b, "| `--%s%s` | %s | %s |\n", f.Name, value, byDefault, usage)
	})
	if seen < 15 {
		t.Errorf("only %d flags", seen)
	}
	docs.Hold(t, "reference/webhook-flags.md", b.String())
}
