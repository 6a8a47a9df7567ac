package statickeys

import (
	"bytes"
	"errors"
	"io"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/util/yaml"

	"github.com/podpass-io/podpass/test/testbed"
)

// TestManifests: the YAML reads back as the same objects.
func TestManifests(t *testing.T) {
	t.Parallel()
	cases := slices.Concat(Cases(namespace), Decoys(namespace))
	if diff := differ(byName(cases), read(t, Manifests(cases))); diff != "" {
		t.Error(diff)
	}
}

// TestChart: Helm renders the same objects, of templates that hold no secret. Values are as
// people write them, not in base64.
func TestChart(t *testing.T) {
	t.Parallel()
	cases := slices.Concat(Cases(namespace), Decoys(namespace))
	dir := t.TempDir()
	if err := Chart(dir, cases); err != nil {
		t.Fatal(err)
	}
	for _, c := range cases {
		template, err := os.ReadFile(filepath.Join(dir, "templates", c.Name+".yaml"))
		if err != nil {
			t.Fatal(err)
		}
		NotShown(t, "the template", template, []Case{c})
	}
	i := slices.IndexFunc(cases, func(c Case) bool { return c.Name == "env-split" })
	if got := values(t, dir)["env-split"]; !slices.Equal(got, cases[i].Secrets) {
		t.Errorf("the values of env-split are not its one secret, but %d others", len(got))
	}
	helm, err := testbed.Helm(t.Context(), t.Output())
	if err != nil {
		t.Fatal(err)
	}
	var out, stderr bytes.Buffer
	cmd := exec.CommandContext(t.Context(), helm, "template", "shop", dir)
	cmd.Env = append(os.Environ(), "HELM_CONFIG_HOME="+t.TempDir(), "HELM_CACHE_HOME="+t.TempDir(), "HELM_DATA_HOME="+t.TempDir())
	cmd.Stdout, cmd.Stderr = &out, &stderr
	if err := cmd.Run(); err != nil {
		t.Fatalf("%v: %s", err, &stderr)
	}
	if diff := differ(byName(cases), read(t, out.Bytes())); diff != "" {
		t.Error(diff)
	}
}

// values reads those of a chart.
func values(t *testing.T, dir string) map[string][]string {
	t.Helper()
	text, err := os.ReadFile(filepath.Join(dir, "values.yaml"))
	if err != nil {
		t.Fatal(err)
	}
	var v map[string][]string
	if err := yaml.Unmarshal(text, &v); err != nil {
		t.Fatal(err)
	}
	return v
}

// differ says which objects are missing, further, or different, without their values.
func differ(want, got map[string]map[string]any) string {
	names := func(objects map[string]map[string]any) []string { return slices.Sorted(maps.Keys(objects)) }
	if diff := cmp.Diff(names(want), names(got)); diff != "" {
		return diff
	}
	var different []string
	for name := range want {
		if !cmp.Equal(want[name], got[name]) {
			different = append(different, name)
		}
	}
	return strings.Join(different, ", ")
}

func byName(cases []Case) map[string]map[string]any {
	objects := map[string]map[string]any{}
	for _, c := range cases {
		for _, o := range c.Objects {
			objects[o.GetKind()+" "+o.GetName()] = o.Object
		}
	}
	return objects
}

// read reads YAML of many documents.
func read(t *testing.T, documents []byte) map[string]map[string]any {
	t.Helper()
	objects := map[string]map[string]any{}
	decoder := yaml.NewYAMLOrJSONDecoder(bytes.NewReader(documents), 4096)
	for {
		var o unstructured.Unstructured
		err := decoder.Decode(&o)
		if errors.Is(err, io.EOF) {
			return objects
		}
		if err != nil {
			t.Fatal(err)
		}
		objects[o.GetKind()+" "+o.GetName()] = o.Object
	}
}
