package plan

import (
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/podpass-io/podpass/cmd/podpass/internal/migrate/edit"
	"github.com/podpass-io/podpass/cmd/podpass/internal/migrate/graph"
)

// sealed is the file of a plan with one step.
func sealed(t *testing.T) string {
	t.Helper()
	p := &Plan{APIVersion: Version, Kind: Kind, Tool: "podpass test", Created: now, Cluster: "uid", Steps: []Step{{
		Name: "deployment-orders", Workload: graph.Object{APIVersion: "apps/v1", Kind: "Deployment", Namespace: "shop", Name: "orders"}, From: "sha256:0",
		ServiceAccount: ServiceAccount{Namespace: "shop", Name: "orders", Annotations: map[string]string{"eks.amazonaws.com/role-arn": "arn:aws:iam::111122223333:role/orders"}},
		Removals:       []edit.Removal{{Template: "/spec/template", Args: []edit.Arg{{Container: "app", List: "args", Index: 0, Of: 2}}}},
	}}}
	if err := p.Sign(); err != nil {
		t.Fatal(err)
	}
	b, err := p.write()
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}

// TestRead: a plan that was changed, is of another version or is none is refused, with
// what to do.
func TestRead(t *testing.T) {
	for name, test := range map[string]struct{ old, new, err string }{
		"as it was made":        {},
		"with another account":  {"role/orders", "role/admin", "the plan has been changed since it was made"},
		"with another digest":   {"digest: sha256:", "digest: sha256:00", "the plan has been changed since it was made"},
		"without digest":        {"digest: ", "# ", "the plan has been changed since it was made"},
		"of a later version":    {"podpass.io/migrate/v1", "podpass.io/migrate/v2", `is of version "podpass.io/migrate/v2", and this podpass reads podpass.io/migrate/v1`},
		"with an unknown field": {"tool: ", "approve: true\ntool: ", `unknown field "approve"`},
		"of another kind":       {"kind: MigrationPlan", "kind: ConfigMap", "is no MigrationPlan"},
		"no YAML":               {"kind: ", "kind: [", "is no MigrationPlan"},
	} {
		t.Run(name, func(t *testing.T) {
			file := filepath.Join(t.TempDir(), Name)
			text := sealed(t)
			if test.old != "" && !strings.Contains(text, test.old) {
				t.Fatalf("%q is not in %s", test.old, text)
			}
			if err := os.WriteFile(file, []byte(strings.Replace(text, test.old, test.new, 1)), 0o600); err != nil {
				t.Fatal(err)
			}
			p, err := Read(file)
			switch {
			case test.err != "":
				if err == nil || !strings.Contains(err.Error(), test.err) {
					t.Errorf("error %v, want %q", err, test.err)
				}
			case err != nil:
				t.Error(err)
			case p.Steps[0].Removals[0].Args[0].Of != 2 || !p.Created.Equal(now):
				t.Errorf("%+v", p)
			}
		})
	}
	if _, err := Read(filepath.Join(t.TempDir(), Name)); err == nil || !strings.Contains(err.Error(), "no such file") {
		t.Errorf("of nothing: %v", err)
	}
}

const orders = `{
	"apiVersion": "apps/v1", "kind": "Deployment",
	"metadata": {"namespace": "shop", "name": "orders", "resourceVersion": "1", "annotations": {"team": "shop"}},
	"spec": {"replicas": 2, "template": {
		"metadata": {"annotations": {"note": "abc"}},
		"spec": {"serviceAccountName": "orders", "containers": [{
			"name": "app", "image": "registry.example.com/app:1",
			"command": ["serve"], "args": ["--key", "abcdef"], "env": [{"name": "KEY", "value": "abcdef"}, {"name": "OTHER", "valueFrom": {"secretKeyRef": {"name": "a", "key": "b"}}}]
		}]}
	}},
	"status": {"replicas": 2}
}`

// TestDigest: a plan is stale by what a step was made from, and not by what changes all the
// time; and the digest says nothing of values but their lengths.
func TestDigest(t *testing.T) {
	removals := []edit.Removal{{Template: "/spec/template", Env: []edit.Env{{Container: "app", Name: "KEY"}}}}
	digest := func(t *testing.T, text string, removals []edit.Removal) string {
		t.Helper()
		var object map[string]any
		if err := json.Unmarshal([]byte(text), &object); err != nil {
			t.Fatal(err)
		}
		d, err := Digest(object, removals)
		if err != nil {
			t.Fatal(err)
		}
		return d
	}
	was := digest(t, orders, removals)
	for name, test := range map[string]struct {
		old, new string
		stale    bool
	}{
		"replicas":                    {`"replicas": 2, "template"`, `"replicas": 7, "template"`, false},
		"status":                      {`"status": {"replicas": 2}`, `"status": {"replicas": 1}`, false},
		"metadata":                    {`"resourceVersion": "1"`, `"resourceVersion": "2"`, false},
		"its own annotations":         {`"team": "shop"`, `"team": "other"`, false},
		"a value of the same length":  {`"value": "abcdef"`, `"value": "ghijkl"`, false},
		"a value of another length":   {`"value": "abcdef"`, `"value": "abc"`, true},
		"an argument of the same":     {`["--key", "abcdef"]`, `["--key", "ghijkl"]`, false},
		"an argument of another":      {`["--key", "abcdef"]`, `["--key", "abc"]`, true},
		"one argument more":           {`["--key", "abcdef"]`, `["--key", "abcdef", ""]`, true},
		"the command":                 {`["serve"]`, `["serve", "all"]`, true},
		"an annotation":               {`"note": "abc"`, `"note": "abcd"`, true},
		"an annotation of the same":   {`"note": "abc"`, `"note": "def"`, false},
		"the image":                   {`app:1`, `app:2`, true},
		"the ServiceAccount":          {`"serviceAccountName": "orders"`, `"serviceAccountName": "other"`, true},
		"where a variable comes from": {`"key": "b"`, `"key": "c"`, true},
	} {
		t.Run(name, func(t *testing.T) {
			text := strings.Replace(orders, test.old, test.new, 1)
			if text == orders {
				t.Fatalf("%q is not there", test.old)
			}
			if got := digest(t, text, removals); (got != was) != test.stale {
				t.Errorf("stale: %t, want %t", got != was, test.stale)
			}
		})
	}
	if digest(t, orders, []edit.Removal{{Template: "/spec/template"}}) == was {
		t.Error("another removal has the same digest")
	}
	if _, err := Digest(map[string]any{}, removals); err == nil {
		t.Error("an object without the template has a digest")
	}
}
