package schema

import (
	"bytes"
	"encoding/json"
	"flag"
	"os"
	"regexp"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/podpass-io/podpass/federation/endpoint"
	"github.com/podpass-io/podpass/federation/serviceaccount"
)

var update = flag.Bool("update", false, "write the chart's files")

const (
	schemaFile   = "../../../charts/podpass/values.schema.json"
	patternsFile = "../../../charts/podpass/templates/_patterns.tpl"
)

// TestValues: the parts of the chart's schema that are made here are those of now. The
// rest of that file is written by hand.
func TestValues(t *testing.T) {
	raw, err := os.ReadFile(schemaFile)
	if err != nil {
		t.Fatal(err)
	}
	var file map[string]any
	if err := json.Unmarshal(raw, &file); err != nil {
		t.Fatal(err)
	}
	for at, want := range Values() {
		names := strings.Split(at, "/")
		parent, last := file, names[len(names)-1]
		for _, name := range names[:len(names)-1] {
			next, ok := parent[name].(map[string]any)
			if !ok {
				t.Fatalf("%s: the schema has no %s", at, name)
			}
			parent = next
		}
		if *update {
			parent[last] = want
			continue
		}
		if d := cmp.Diff(roundTrip(t, want), parent[last]); d != "" {
			t.Errorf("%s is stale: run go test ./webhook/inject/schema -update\n%s", at, d)
		}
	}
	sorted := encode(t, file)
	if *update {
		if err := os.WriteFile(schemaFile, sorted, 0o600); err != nil {
			t.Fatal(err)
		}
	} else if !bytes.Equal(raw, sorted) {
		t.Error("the schema's keys are not in order: run go test ./webhook/inject/schema -update")
	}
}

// encode is JSON with sorted keys, as the file is kept.
func encode(t *testing.T, v any) []byte {
	t.Helper()
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetIndent("", "  ")
	e.SetEscapeHTML(false)
	if err := e.Encode(v); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

func roundTrip(t *testing.T, v any) (out any) {
	t.Helper()
	if err := json.Unmarshal(encode(t, v), &out); err != nil {
		t.Fatal(err)
	}
	return out
}

// TestPatterns: the chart's templates have the patterns of now.
func TestPatterns(t *testing.T) {
	want, err := Patterns()
	if err != nil {
		t.Fatal(err)
	}
	if *update {
		if err := os.WriteFile(patternsFile, []byte(want), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	got, err := os.ReadFile(patternsFile)
	if err != nil {
		t.Fatal(err)
	}
	if d := cmp.Diff(want, string(got)); d != "" {
		t.Errorf("stale: run go test ./webhook/inject/schema -update\n%s", d)
	}
}

// TestPatternsAreRegularExpressions: Helm takes one that is none for one that nothing matches.
func TestPatternsAreRegularExpressions(t *testing.T) {
	for key, pattern := range serviceaccount.AnnotationPatterns() {
		if _, err := regexp.Compile(pattern); err != nil {
			t.Errorf("%s: %v", key, err)
		}
	}
	for name, pattern := range map[string]string{"endpoint": endpoint.Pattern, "proxy": endpoint.ProxyPattern, "image": reference()} {
		if _, err := regexp.Compile(pattern); err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
}
