package broker

import (
	"fmt"
	"strings"
	"testing"

	"github.com/podpass-io/podpass/test/docs"
)

// TestReferenceOfFlags: docs/reference/broker-flags.md has each flag, its variable, default
// and meaning, as --help does.
func TestReferenceOfFlags(t *testing.T) {
	var b strings.Builder
	b.WriteString(`# Flags and variables of podpass-broker

In a pod, the webhook sets the variables; what people choose is in the chart's [values](../../charts/podpass/values.yaml) and the [annotations](../annotations.md). A flag
wins over its variable. An empty variable counts as not set.

| flag | variable | default | meaning |
|---|---|---|---|
`)
	for _, s := range settings {
		byDefault := ""
		if s.value != "" {
			byDefault = "`" + s.value + "`"
		}
		fmt.Fprintf(&b, "| `--%s` | `%s` | %s | %s |\n", s.name, Variable(s.name), byDefault, strings.ReplaceAll(s.usage, "`", ""))
	}
	b.WriteString(`
## Commands

| command | what it does |
|---|---|
| ` + "`podpass-broker`" + ` | serves until SIGTERM |
| ` + "`podpass-broker health`" + ` | exits with 0 once there are credentials, or it is clear why there are none: the startup probe |
| ` + "`podpass-broker explain`" + ` | says which identity it has and until when, or the cloud's words about why not; ` + "`-o json`" + ` for machines |
| ` + "`podpass-broker write-file PATH`" + ` | writes ` + "`PODPASS_FILE`" + ` to PATH: the init containers of Google Cloud's direct mode and of ` + "`podpass.io/kube-clusters`" + ` |
| ` + "`podpass-broker version`" + ` | prints the version |
`)
	docs.Hold(t, "reference/broker-flags.md", b.String())
}
