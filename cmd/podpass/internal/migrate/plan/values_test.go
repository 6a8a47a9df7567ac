package plan

import (
	"bytes"
	"compress/gzip"
	"encoding/base64"
	"encoding/json"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/kubernetes/fake"
	"sigs.k8s.io/yaml"

	"github.com/podpass-io/podpass/cmd/podpass/internal/migrate/scan"
	"github.com/podpass-io/podpass/test/statickeys"
)

// TestValues: of a workload that Helm keeps it is said which values hold the key, of the
// chart's file and of the release that is in the cluster.
func TestValues(t *testing.T) {
	cases := statickeys.Cases("shop")
	c := cases[slices.IndexFunc(cases, func(c statickeys.Case) bool { return c.Name == "env-secret" })]
	for i := range c.Objects {
		c.Objects[i].SetAnnotations(map[string]string{"meta.helm.sh/release-name": "shop"})
	}
	tree := map[string]any{"image": "app:1", "backup": map[string]any{"targets": []any{
		map[string]any{"bucket": "orders"},
		map[string]any{"accessKey": c.ID, "secretKey": c.Secrets[0], "region": "eu-central-1"},
	}}}
	dir := t.TempDir()
	text, err := yaml.Marshal(tree)
	if err != nil {
		t.Fatal(err)
	}
	for name, b := range map[string][]byte{"templates/all.yaml": statickeys.Manifests([]statickeys.Case{c}), "values.yaml": text} {
		file := filepath.Join(dir, name)
		if err := os.MkdirAll(filepath.Dir(file), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(file, b, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	client := fake.NewClientset(&corev1.Secret{
		ObjectMeta: metav1.ObjectMeta{Namespace: "shop", Name: "sh.helm.release.v1.shop.v2", Labels: map[string]string{"owner": "helm", "status": "deployed", "name": "shop"}},
		Data:       map[string][]byte{"release": packed(t, map[string]any{"name": "shop", "config": map[string]any{"s3": map[string]any{"id": c.ID, "secret": c.Secrets[0]}}})},
	})
	o := testOptions()
	o.File = values
	o.Release = func(namespace, name string) any { return release(t.Context(), client, namespace, name) }
	collector, inventory := scan.New("shop", testKey, now), NewInventory()
	collector.Seen = inventory.See
	if err := collector.Files(nil, []string{dir}, o.Installation); err != nil {
		t.Fatal(err)
	}
	f, err := Make(collector.Graph(), inventory, o)
	if err != nil {
		t.Fatal(err)
	}
	page := string(f.Files["statefulset-env-secret/values.md"])
	for _, want := range []string{
		"It is kept by Helm release shop",
		"the file `" + filepath.Join(dir, "values.yaml") + "`, most likely as a value: `backup.targets.1.secretKey`.",
		"Of these it is the value `s3.secret`.",
		"helm get values shop -n shop",
	} {
		if !strings.Contains(page, want) {
			t.Errorf("%q is not in %s", want, page)
		}
	}
	statickeys.NotShown(t, "values.md", []byte(page), cases)
	if release(t.Context(), client, "shop", "other") != nil {
		t.Error("a release that is not there has values")
	}
	if _, err := unpack([]byte("no release")); err == nil {
		t.Error("what is no release has values")
	}
}

// packed is a release as Helm keeps it.
func packed(t *testing.T, of map[string]any) []byte {
	t.Helper()
	var b bytes.Buffer
	w := gzip.NewWriter(&b)
	if err := json.NewEncoder(w).Encode(of); err != nil {
		t.Fatal(err)
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return []byte(base64.StdEncoding.EncodeToString(b.Bytes()))
}
