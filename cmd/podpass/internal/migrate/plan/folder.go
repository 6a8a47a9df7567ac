package plan

import (
	"bytes"
	"fmt"
	"path"

	"sigs.k8s.io/yaml"

	"github.com/podpass-io/podpass/cmd/podpass/internal/migrate/edit"
	"github.com/podpass-io/podpass/cmd/podpass/internal/migrate/graph"
)

// Files of a step's folder.
const (
	fileAccount   = "serviceaccount.yaml"
	fileRights    = "permissions.md"
	fileChange    = "change.diff"
	fileKustomize = "kustomization.yaml"
	fileValues    = "values.md"
	fileUndo      = "undo.md"
)

// stepFiles are all that a step's folder may have.
func stepFiles() []string {
	names := []string{fileAccount, fileRights, fileChange, fileKustomize, fileValues, fileUndo}
	for _, s := range sides() {
		names = append(names, s.name+".sh", s.name+".tf")
	}
	return names
}

// folder of all steps.
func (m *maker) folder(list []*draft) (*Folder, error) {
	o := m.options
	p := &Plan{APIVersion: Version, Kind: Kind, Tool: o.Tool, Created: o.Now.UTC(), Cluster: o.Cluster, Context: o.Context, Steps: []Step{}}
	f := &Folder{Plan: p, Files: map[string][]byte{}}
	for _, d := range list {
		files, err := m.files(d, list)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", d.Workload, err)
		}
		for name, b := range files {
			f.Files[path.Join(d.Name, name)] = b
		}
		p.Steps = append(p.Steps, d.Step)
	}
	if err := p.Sign(); err != nil {
		return nil, err
	}
	var err error
	if f.Files[Name], err = p.write(); err != nil {
		return nil, err
	}
	f.Files["README.md"] = m.readme(list)
	return f, nil
}

// files of one step.
func (m *maker) files(d *draft, all []*draft) (map[string][]byte, error) {
	files, err := m.cloudSides(d, all)
	if err != nil {
		return nil, err
	}
	d.Notes, d.ByHand = graph.Names(d.Notes), graph.Names(d.ByHand)
	if d.ServiceAccount.New || len(d.ServiceAccount.Annotations) > 0 {
		if files[fileAccount], err = d.accountManifest(); err != nil {
			return nil, err
		}
	}
	files[fileRights], files[fileUndo] = d.permissions(), d.undo()
	files[fileChange] = d.diff()
	change := edit.Change{}
	for _, c := range d.changes {
		change.Patch = append(change.Patch, c.Patch...)
	}
	change.Patch = append(change.Patch, d.accountPatch()...)
	if len(change.Patch) > 0 {
		b, err := edit.Kustomize(d.Workload, change)
		if err != nil {
			return nil, err
		}
		files[fileKustomize] = append([]byte("# A part of the kustomization.yaml that has this workload. It counts elements as the plan\n# has seen them: where the manifest has others, its tests make the build fail.\n"), b...)
	}
	if d.Manager != "" {
		files[fileValues] = m.valuesPage(d)
	}
	return files, nil
}

// accountManifest is what the ServiceAccount has to have, as kubectl apply takes it.
func (d *draft) accountManifest() ([]byte, error) {
	a := d.ServiceAccount
	object := map[string]any{
		"apiVersion": "v1", "kind": "ServiceAccount",
		"metadata": map[string]any{"namespace": a.Namespace, "name": a.Name, "annotations": a.Annotations},
	}
	if len(d.pullSecrets) > 0 {
		object["imagePullSecrets"] = d.pullSecrets
	}
	return yaml.Marshal(object)
}

// accountPatch gives the pod templates a new ServiceAccount. What the old name of the field
// says has to be the same, or the API server refuses it.
func (d *draft) accountPatch() []edit.Op {
	var ops []edit.Op
	if d.ServiceAccount.New {
		for _, r := range d.Removals {
			ops = append(ops, edit.Account(d.object, r.Template, d.ServiceAccount.Name)...)
		}
	}
	return ops
}

// diff is the change for people.
func (d *draft) diff() []byte {
	var b bytes.Buffer
	fmt.Fprintf(&b, "# %s\n", d.Workload)
	for i, c := range d.changes {
		if len(d.changes) > 1 {
			fmt.Fprintf(&b, "# pod template %s\n", d.Removals[i].Template)
		}
		b.WriteString(c.Show())
	}
	if d.ServiceAccount.New {
		fmt.Fprintf(&b, "- ServiceAccount %s\n+ ServiceAccount %s\n", d.ServiceAccount.From, d.ServiceAccount.Name)
	}
	return b.Bytes()
}
