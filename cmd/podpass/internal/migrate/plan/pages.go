package plan

import (
	"bytes"
	"fmt"
	"path"
	"slices"
	"strings"

	"github.com/podpass-io/podpass/cmd/podpass/internal/migrate/graph"
	"github.com/podpass-io/podpass/federation/statickey"
)

// undo is the page with the way back.
func (d *draft) undo() []byte {
	var b bytes.Buffer
	w := d.Workload
	fmt.Fprintf(&b, "# The way back of %s\n\n", w)
	b.WriteString("As long as the old key is neither disabled nor deleted, nothing is lost.\n\n")
	if d.Manager == "" {
		fmt.Fprintf(&b, "What `podpass migrate apply` has changed it takes back, from what it recorded in the\ncluster:\n\n    podpass migrate undo %s/%s -n %s --approve\n\n", strings.ToLower(w.Kind), w.Name, w.Namespace)
	}
	b.WriteString("What you have changed in a repository, as with `" + fileKustomize + "`, you take back there:\nrevert the commit, and roll it out as ever.\n")
	if d.ServiceAccount.New {
		fmt.Fprintf(&b, "\nServiceAccount %s/%s is new, and can be deleted when the workload runs as %s again.\n", d.ServiceAccount.Namespace, d.ServiceAccount.Name, d.ServiceAccount.From)
	}
	b.WriteString("\nA key that has been disabled at the cloud is enabled there first: see `" + fileRights + "`.\n")
	return b.Bytes()
}

// valuesPage says what to change for whoever would undo an edit of the live object.
func (m *maker) valuesPage(d *draft) []byte {
	var b bytes.Buffer
	fmt.Fprintf(&b, "# Where to change %s\n\n", d.Workload)
	fmt.Fprintf(&b, "It is kept by %s, which would undo an edit of the live object.\nMake the change of `%s` there.\n", d.Manager, fileChange)
	for _, p := range d.values {
		switch {
		case p.Object.Kind == "File":
			fmt.Fprintf(&b, "\nThe same key is in the file `%s`, most likely as a value%s.\n", p.Object.File, m.named(d, m.options.File, p.Object.File))
		case strings.HasPrefix(p.Object.Name, "sh.helm.release.v1."):
			fmt.Fprintf(&b, "\nThe same key is in %s, where Helm keeps the release. Older\nrevisions keep it until they are gone (`helm upgrade --history-max`).\n", p.Object)
		}
	}
	if name, helm := strings.CutPrefix(d.Manager, "Helm release "); helm {
		m.helm(&b, d, name)
	} else {
		fmt.Fprintf(&b, "\nWhere it is made by Kustomize, put the patch of `%s` into the kustomization.yaml that\nhas the workload.\n", fileKustomize)
	}
	b.WriteString("\n`podpass migrate apply` waits at this step until the live object is changed, and goes on\nthen.\n")
	return b.Bytes()
}

func (m *maker) helm(b *bytes.Buffer, d *draft, name string) {
	fmt.Fprintf(b, "\nSee the release's values, in which the key may stand:\n\n    helm get values %s -n %s\n", name, d.Workload.Namespace)
	if m.options.Release != nil {
		of := func(name string) any { return m.options.Release(d.Workload.Namespace, name) }
		if at := m.named(d, of, name); at != "" {
			fmt.Fprintf(b, "\nOf these it is the value%s.\n", strings.TrimPrefix(at, ":"))
		}
	}
	b.WriteString("\nMost charts have a value for an existing Secret, for extra variables and for the\nServiceAccount (`serviceAccount.name`, `serviceAccount.annotations`): take the key out of\nthe first two, and set the last as in `" + fileAccount + "`.\n")
	fmt.Fprintf(b, "\nWhere the chart has no such value, let Kustomize change what it renders: put\n`%s` beside a `resources: [all.yaml]`, and give Helm a post-renderer\nthat writes its standard input to all.yaml and runs `kustomize build`.\n", fileKustomize)
}

// named names the values that hold a key of the step: ": `s3.secretKey`"; empty: none is
// known.
func (m *maker) named(d *draft, of func(string) any, name string) string {
	if of == nil {
		return ""
	}
	found := paths(of(name), func(k statickey.Key) bool {
		fingerprint := m.options.Fingerprint(k)
		return slices.ContainsFunc(d.credentials, func(c graph.Credential) bool { return c.Fingerprint == fingerprint })
	})
	if len(found) == 0 {
		return ""
	}
	return ": `" + strings.Join(found, "`, `") + "`"
}

// readme of the whole folder.
func (m *maker) readme(list []*draft) []byte {
	var b bytes.Buffer
	b.WriteString("# Off static keys\n\nMade by `podpass migrate plan`. It holds no secret: review it, and commit it.\n\n")
	b.WriteString(`For each step, in this order:

1. Read ` + "`permissions.md`" + `, and give the new identity what the workload needs.
2. Tell the cloud whom to trust: run the cloud's ` + "`.sh`" + `, or apply its ` + "`.tf`" + `.
3. Look at ` + "`change.diff`" + ` and ` + "`serviceaccount.yaml`" + `. Of workloads that Helm or another
   tool keeps, make the change as ` + "`values.md`" + ` says.
4. ` + "`podpass migrate apply`" + `, given this folder and the step's name, shows what it would do;
   with ` + "`--approve`" + ` it proves the new identity in a pod of its own, and only then takes the
   key out.
5. The way back is in ` + "`undo.md`" + `.
6. Last, when no step uses a key any more, disable and later delete it at the cloud.

## Order

What runs now and then comes first: if it goes wrong, one run fails. Then come workloads
with several replicas, of which those not yet changed serve on, then those that change one
pod after the other, then custom resources, and last what runs once, since nothing else
serves meanwhile. Within each, keys that only one workload uses come first.

`)
	b.WriteString("| | step | workload | keys | ServiceAccount | kept by | by hand |\n|---|---|---|---|---|---|---|\n")
	for i, d := range list {
		account := d.ServiceAccount.Name
		if d.ServiceAccount.New {
			account += " (new)"
		}
		byHand := ""
		if len(d.ByHand) > 0 {
			byHand = "yes"
		}
		var keys []string
		for _, c := range d.credentials {
			keys = append(keys, title(c))
		}
		fmt.Fprintf(&b, "| %d | [%s](%s/%s) | %s | %s | %s | %s | %s |\n", i+1, d.Name, d.Name, fileRights, d.Workload, strings.Join(keys, ", "), account, d.Manager, byHand)
	}
	told(&b, "By hand", "`podpass migrate apply` refuses these steps until that is done and the plan made again.", list, func(d *draft) []string { return d.ByHand })
	told(&b, "To look at", "", list, func(d *draft) []string { return d.Notes })
	m.notCovered(&b)
	return b.Bytes()
}

// told lists what steps say.
func told(b *bytes.Buffer, title, intro string, list []*draft, says func(*draft) []string) {
	begun := false
	for _, d := range list {
		for _, text := range says(d) {
			if !begun {
				fmt.Fprintf(b, "\n## %s\n\n", title)
				if intro != "" {
					b.WriteString(intro + "\n\n")
				}
				begun = true
			}
			fmt.Fprintf(b, "- %s: %s\n", d.Name, text)
		}
	}
}

// notCovered is what the scan says of keys and objects that no step is about.
func (m *maker) notCovered(b *bytes.Buffer) {
	b.WriteString("\n## Not covered\n\n")
	for _, c := range m.graph.Credentials {
		if users(c) > 0 || !slices.ContainsFunc(c.Places, func(p graph.Place) bool { return !p.Kept }) {
			continue
		}
		var at []string
		for _, p := range c.Places {
			name := p.Object.String()
			if p.Object.Kind == "File" {
				name = "file " + path.Base(p.Object.File)
			}
			at = append(at, name)
		}
		fmt.Fprintf(b, "- %s in %s: no workload was found that uses it\n", title(c), strings.Join(at, ", "))
	}
	for _, u := range m.graph.Unread {
		if slices.ContainsFunc(m.graph.Credentials, func(c graph.Credential) bool { return c.Kind == "" && c.Places[0].Object.String() == u.What }) {
			continue
		}
		fmt.Fprintf(b, "- %s was not read: %s\n", u.What, u.Why)
	}
	b.WriteString("- keys inside images, in applications' databases, and those fetched at run time, which no scan sees\n")
}
