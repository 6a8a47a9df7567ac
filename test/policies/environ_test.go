package policies

import (
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/podpass-io/podpass/federation/environ"
)

// TestVariables: the chart's lists are federation/environ's.
func TestVariables(t *testing.T) {
	source, err := os.ReadFile("../../charts/podpass/templates/policies/_variables.tpl")
	if err != nil {
		t.Fatal(err)
	}
	for define, meaning := range map[string]environ.Meaning{"keys": environ.Key, "keyFiles": environ.KeyFile} {
		want := slices.Concat(environ.Names("aws", meaning), environ.Names("gcp", meaning), environ.Names("azure", meaning))
		_, after, ok := strings.Cut(string(source), `{{- define "podpass.policies.`+define+`" -}}`+"\n[")
		list, _, end := strings.Cut(after, "]\n{{- end -}}")
		if !ok || !end {
			t.Fatalf("the chart has no list podpass.policies.%s", define)
		}
		if d := cmp.Diff(want, strings.Split(list, ", ")); d != "" {
			t.Errorf("podpass.policies.%s: %s\nwant [%s]", define, d, strings.Join(want, ", "))
		}
	}
}
