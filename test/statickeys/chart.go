package statickeys

import (
	"encoding/base64"
	"errors"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"sigs.k8s.io/yaml"
)

// Chart writes a Helm chart into dir that renders the same objects: a template for each
// case, and the strings with a secret in them in values.yaml. The CRDs come along as a
// chart's do, in crds.
func Chart(dir string, cases []Case) error {
	values := map[string]any{}
	files := map[string][]byte{
		"Chart.yaml":     []byte("apiVersion: v2\nname: statickeys\nversion: 0.1.0\n"),
		"crds/crds.yaml": documents(CRDs()),
	}
	for _, c := range cases {
		t := templating{name: c.Name, secrets: c.Secrets}
		files["templates/"+c.Name+".yaml"] = t.render(c.Objects)
		values[c.Name] = t.values
	}
	files["values.yaml"] = must(yaml.Marshal(values))
	for _, name := range slices.Sorted(maps.Keys(files)) {
		path := filepath.Join(dir, filepath.FromSlash(name))
		if err := errors.Join(os.MkdirAll(filepath.Dir(path), 0o755), os.WriteFile(path, files[name], 0o600)); err != nil {
			return fmt.Errorf("writing the chart: %w", err)
		}
	}
	return nil
}

// templating makes the template of one case, and collects its values.
type templating struct {
	name    string
	secrets []string
	values  []string
	// actions replace the marks in the template's text. Marks are plain words, since YAML
	// would put an action into quotes.
	actions []string
}

func (t *templating) render(objects []unstructured.Unstructured) []byte {
	marked := make([]unstructured.Unstructured, len(objects))
	for i, o := range objects {
		fields := map[string]any{}
		for key, value := range o.Object {
			fields[key] = t.mark(value, o.GetKind() == "Secret" && key == "data")
		}
		marked[i].Object = fields
	}
	return []byte(strings.NewReplacer(t.actions...).Replace(string(documents(marked))))
}

// mark gives a copy of a part of an object with marks for what becomes a value. What is in
// base64, as a Secret's data are, is not so as a value.
func (t *templating) mark(part any, inBase64 bool) any {
	switch part := part.(type) {
	case map[string]any:
		marked := map[string]any{}
		for key, value := range part {
			marked[key] = t.mark(value, inBase64)
		}
		return marked
	case []any:
		marked := make([]any, len(part))
		for i, value := range part {
			marked[i] = t.mark(value, inBase64)
		}
		return marked
	case string:
		return t.markText(part, inBase64)
	}
	return part
}

func (t *templating) markText(text string, inBase64 bool) string {
	value, encode := text, ""
	if inBase64 {
		value, encode = string(must(base64.StdEncoding.DecodeString(text))), " | b64enc"
	}
	if !slices.ContainsFunc(t.secrets, func(secret string) bool { return shows(value, secret) != "" }) {
		return text
	}
	n := len(t.values)
	mark := fmt.Sprintf("value-%d-of-%s", n, t.name)
	t.actions = append(t.actions, mark, fmt.Sprintf("{{ index .Values %q %d%s | toJson }}", t.name, n, encode))
	t.values = append(t.values, value)
	return mark
}
