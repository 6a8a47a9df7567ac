package plan

import (
	"encoding/json"
	"path"
	"slices"
	"strings"

	"github.com/podpass-io/podpass/cmd/podpass/internal/migrate/graph"
	"github.com/podpass-io/podpass/cmd/podpass/internal/migrate/workload"
	"github.com/podpass-io/podpass/federation/statickey"
)

// withUnread is a graph with what could not be read, but is read into variables of static
// keys, as credentials of which nothing is known but their cloud.
func withUnread(g *graph.Graph, inventory *Inventory) *graph.Graph {
	found, unread := map[string]*graph.Credential{}, map[string]bool{}
	for _, u := range g.Unread {
		unread[u.What] = true
	}
	for i, w := range g.Workloads {
		for _, r := range readings(inventory.workloads[refOf(w.Object)], w.Template) {
			o := graph.Object{Kind: r.Kind, Namespace: w.Namespace, Name: r.Name}
			if !unread[o.String()] {
				continue
			}
			for _, v := range r.KeyVariables() {
				fingerprint := "unread " + o.String() + " " + v.Cloud
				c := found[fingerprint]
				if c == nil {
					c = &graph.Credential{Fingerprint: fingerprint, Cloud: v.Cloud, Confidence: statickey.Possible, Places: []graph.Place{{Object: o}}}
					found[fingerprint] = c
				}
				p := &c.Places[0]
				p.Keys = graph.Names(p.Keys, []string{dataKey(r, v.Name)})
				p.Uses = append(p.Uses, graph.Use{Workload: i, Container: r.Container, By: r.By, As: r.As})
			}
		}
	}
	if len(found) == 0 {
		return g
	}
	all := *g
	all.Credentials = slices.Clone(g.Credentials)
	for _, c := range found {
		all.Credentials = append(all.Credentials, *c)
	}
	slices.SortStableFunc(all.Credentials[len(g.Credentials):], func(a, b graph.Credential) int { return strings.Compare(a.Fingerprint, b.Fingerprint) })
	return &all
}

// readings of one pod template of an object.
func readings(raw []byte, template string) []workload.Reading {
	var object map[string]any
	if json.Unmarshal(raw, &object) != nil {
		return nil
	}
	for _, t := range workload.Templates(object) {
		if t.Pointer == template {
			return t.Readings()
		}
	}
	return nil
}

// dataKey that a variable is about: its own, or of a directory the file that it names.
func dataKey(r workload.Reading, variable string) string {
	for file, names := range r.Variables {
		if r.Key == "" && slices.Contains(names, variable) {
			return strings.TrimPrefix(path.Clean(file), path.Clean(r.As)+"/")
		}
	}
	return r.Key
}

// title of a credential in headings and tables.
func title(c graph.Credential) string {
	if c.Kind == "" {
		return "a key of " + cloudTitle(c.Cloud) + " in " + c.Places[0].Object.String() + ", which was not read"
	}
	return strings.TrimSpace(string(c.Kind) + " " + c.ID)
}

func cloudTitle(cloud string) string {
	for _, s := range sides() {
		if s.name == cloud {
			return s.title
		}
	}
	return cloud
}
