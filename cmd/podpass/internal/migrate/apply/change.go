package apply

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"

	jsonpatch "gopkg.in/evanphx/json-patch.v4"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"github.com/podpass-io/podpass/cmd/podpass/internal/migrate/edit"
	"github.com/podpass-io/podpass/cmd/podpass/internal/migrate/graph"
	"github.com/podpass-io/podpass/cmd/podpass/internal/migrate/plan"
	"github.com/podpass-io/podpass/cmd/podpass/internal/migrate/record"
	"github.com/podpass-io/podpass/cmd/podpass/internal/migrate/workload"
)

// change of a workload, of all its templates.
type change struct {
	ops []edit.Op
	// undo takes the removals back, and not the rest: see [Runner.patchBack].
	undo   []byte
	lines  []string
	notes  []string
	result []byte // the workload afterwards
}

// changeOf makes the workload of a step do without its keys.
func changeOf(object []byte, s plan.Step) (change, error) {
	out, err := edit.Patch(object, s.Removals...)
	if err != nil {
		return change{}, err
	}
	c := change{ops: out.Patch, undo: out.Undo.Reveal(), notes: slices.Concat(out.Left, out.Dangling)}
	for line := range strings.Lines(out.Show()) {
		c.lines = append(c.lines, strings.TrimSpace(line))
	}
	if object, err = applied(object, out.Patch); err != nil {
		return c, err
	}
	own, lines, err := identity(object, s)
	if err != nil {
		return c, err
	}
	c.ops, c.lines = append(c.ops, own...), append(c.lines, lines...)
	c.result, err = applied(object, own)
	return c, err
}

// applied is an object after a patch. Its errors name paths, and no value.
func applied(object []byte, ops []edit.Op) ([]byte, error) {
	if len(ops) == 0 {
		return object, nil
	}
	b, err := json.Marshal(ops)
	if err != nil {
		return nil, err
	}
	p, err := jsonpatch.DecodePatch(b)
	if err != nil {
		return nil, err
	}
	if object, err = p.Apply(object); err != nil {
		return nil, fmt.Errorf("changing the workload: %w", err)
	}
	return object, nil
}

// identity makes the templates run as the step's ServiceAccount, and says in the workload
// that it has a record.
func identity(object []byte, s plan.Step) (ops []edit.Op, lines []string, err error) {
	var u unstructured.Unstructured
	if err := json.Unmarshal(object, &u.Object); err != nil {
		return nil, nil, fmt.Errorf("reading the workload: %w", err)
	}
	for _, removal := range s.Removals {
		was := accountName(u.Object, removal.Template)
		if was == s.ServiceAccount.Name || was == "" && s.ServiceAccount.Name == "default" {
			continue
		}
		ops = append(ops, setAccount(object, specOf(u.Object, removal.Template), removal.Template, s.ServiceAccount.Name)...)
		if was != "" {
			lines = append(lines, "- serviceAccountName: "+was)
		}
		lines = append(lines, "+ serviceAccountName: "+s.ServiceAccount.Name)
	}
	if len(u.GetAnnotations()) == 0 {
		return append(ops, edit.Op{Op: "add", Path: "/metadata/annotations", Value: text(map[string]string{graph.KeyMigration: record.Name(s.Name)})}), lines, nil
	}
	return append(ops, edit.Op{Op: "add", Path: annotation, Value: text(record.Name(s.Name))}), lines, nil
}

// annotation is the JSON pointer of the one that names the record.
var annotation = workload.Below("/metadata/annotations", graph.KeyMigration)

// setAccount makes a template run as a ServiceAccount; empty: as none is named. The API
// server keeps the name in a second field too, of long ago.
func setAccount(object []byte, spec map[string]any, template, name string) []edit.Op {
	if name != "" {
		return edit.Account(object, template, name)
	}
	var ops []edit.Op
	for _, field := range []string{"serviceAccountName", "serviceAccount"} {
		if _, there := spec[field]; there {
			ops = append(ops, edit.Op{Op: "remove", Path: template + "/spec/" + field})
		}
	}
	return ops
}

// accountName is what a template says; empty: nothing.
func accountName(object map[string]any, template string) string {
	spec := specOf(object, template)
	for _, field := range []string{"serviceAccountName", "serviceAccount"} {
		if name, _ := spec[field].(string); name != "" {
			return name
		}
	}
	return ""
}

// specOf is the pod's spec at a template's JSON pointer.
func specOf(object map[string]any, template string) map[string]any {
	at, _ := edit.Template(object, template)
	spec, _ := at["spec"].(map[string]any)
	return spec
}

// text never fails: it gets strings.
func text(v any) json.RawMessage {
	b, _ := json.Marshal(v)
	return b
}

// without reports whether a workload has nothing left of what a step removes, and runs as
// the step's ServiceAccount.
func without(u *unstructured.Unstructured, s plan.Step) (bool, error) {
	object, err := u.MarshalJSON()
	if err != nil {
		return false, fmt.Errorf("reading the workload: %w", err)
	}
	for _, removal := range s.Removals {
		removal.OwnAnnotations = nil // of what its owner applied, kubectl may have a copy still
		c, err := edit.Patch(object, removal)
		if err != nil {
			return false, err
		}
		name := accountName(u.Object, removal.Template)
		if len(c.Patch) > 0 || name != s.ServiceAccount.Name && (name != "" || s.ServiceAccount.Name != "default") {
			return false, nil
		}
	}
	return true, nil
}
