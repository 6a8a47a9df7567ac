package sbom

import (
	"bytes"
	"encoding/json"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/xeipuuv/gojsonschema"

	"github.com/podpass-io/podpass/cmd/podpass-release/linked"
	"github.com/podpass-io/podpass/cmd/podpass-release/notices"
)

// TestWrite holds what is written against CycloneDX's own schema, and what a scanner
// looks for against words of our own.
func TestWrite(t *testing.T) {
	module := func(path, version string, ids ...string) notices.Licensed {
		return notices.Licensed{Module: linked.Module{Path: path, Version: version}, Texts: []notices.Text{{IDs: ids}}}
	}
	artifact := Artifact{
		Name: "podpass-broker", Version: "1.2.3", Platform: "linux/arm64", Commit: "0123abc", Created: time.Unix(1795000000, 0), Image: true,
		Files: []File{{"/podpass-broker", strings.Repeat("ab", 32)}},
		Modules: []notices.Licensed{
			module("example.com/m", "v1.0.0", "MIT", "Apache-2.0"),
			module("example.com/old", "v2.0.1+incompatible", "ISC"),
			module(linked.Std, "go1.26.8", "BSD-3-Clause"),
		},
	}
	var one, two bytes.Buffer
	for _, w := range []*bytes.Buffer{&one, &two} {
		if err := Write(w, artifact); err != nil {
			t.Fatal(err)
		}
	}
	if !bytes.Equal(one.Bytes(), two.Bytes()) {
		t.Error("the same artifact makes other bytes each time")
	}
	validate(t, one.Bytes())

	var bom struct {
		Metadata struct {
			Timestamp string
			Component struct{ Type, Name, Version string }
		}
		Components []struct{ Type, Purl, Name string }
	}
	if err := json.Unmarshal(one.Bytes(), &bom); err != nil {
		t.Fatal(err)
	}
	if want := struct{ Type, Name, Version string }{"container", "podpass-broker", "1.2.3"}; bom.Metadata.Component != want {
		t.Errorf("got %v, want %v", bom.Metadata.Component, want)
	}
	if want := "2026-11-18T11:06:40Z"; bom.Metadata.Timestamp != want {
		t.Errorf("time: got %s, want %s", bom.Metadata.Timestamp, want)
	}
	var got []string
	for _, c := range bom.Components {
		got = append(got, c.Type+" "+c.Purl+c.Name)
	}
	if diff := cmp.Diff([]string{
		"library pkg:golang/example.com/m@v1.0.0example.com/m",
		"library pkg:golang/example.com/old@v2.0.1%2Bincompatibleexample.com/old",
		"library pkg:golang/std@1.26.8std",
		"file /podpass-broker",
	}, got); diff != "" {
		t.Errorf("-want +got:\n%s", diff)
	}
}

// validate takes the schema from the library's module, which has it beside its code.
func validate(t *testing.T, bom []byte) {
	t.Helper()
	out, err := exec.CommandContext(t.Context(), "go", "list", "-m", "-f", "{{.Dir}}", "github.com/CycloneDX/cyclonedx-go").Output()
	if err != nil {
		t.Fatal(err)
	}
	dir := "file://" + filepath.Join(strings.TrimSpace(string(out)), "schema")
	loader := gojsonschema.NewSchemaLoader()
	// What the schema refers to is beside it, too: nothing is fetched.
	for _, name := range []string{"spdx.schema.json", "jsf-0.82.schemax.json"} {
		if err := loader.AddSchemas(gojsonschema.NewReferenceLoader(dir + "/" + name)); err != nil {
			t.Fatal(err)
		}
	}
	schema, err := loader.Compile(gojsonschema.NewReferenceLoader(dir + "/bom-1.6.schema.json"))
	if err != nil {
		t.Fatal(err)
	}
	result, err := schema.Validate(gojsonschema.NewBytesLoader(bom))
	if err != nil {
		t.Fatal(err)
	}
	for _, e := range result.Errors() {
		t.Errorf("not valid: %s", e)
	}
}
