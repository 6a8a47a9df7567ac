package scan

import (
	"cmp"
	"fmt"
	"slices"

	"github.com/podpass-io/podpass/cmd/podpass/internal/migrate/graph"
	"github.com/podpass-io/podpass/federation/finding"
	"github.com/podpass-io/podpass/federation/statickey"
)

// Graph is what was found so far. The collector cannot be used any more.
func (c *Collector) Graph() *graph.Graph {
	g := &graph.Graph{APIVersion: graph.Version, Time: c.Now.UTC(), Looked: c.looked, Credentials: []graph.Credential{}, Workloads: []graph.Workload{}}
	var found []*credential
	for fingerprint, f := range c.found {
		f.Fingerprint = fingerprint
		if c.complete(f) {
			found = append(found, f)
		}
	}
	unread := c.unreadReadings()
	works := c.sorted(found, unread)
	for _, w := range works {
		if c.forgotten(w.Workload) {
			w.Migration = ""
		}
		g.Workloads = append(g.Workloads, w.Workload)
	}
	for _, f := range found {
		g.Credentials = append(g.Credentials, c.credential(f))
	}
	slices.SortFunc(g.Credentials, func(a, b graph.Credential) int {
		return cmp.Or(cmp.Compare(weight(a.Severity), weight(b.Severity)), cmp.Compare(a.Cloud, b.Cloud), cmp.Compare(a.Kind, b.Kind),
			cmp.Compare(a.ID, b.ID), cmp.Compare(a.Places[0].Object.String(), b.Places[0].Object.String()), cmp.Compare(a.Fingerprint, b.Fingerprint))
	})
	g.Unread = c.unread
	for _, u := range unread {
		g.Unread = append(g.Unread, graph.Unread{What: u.what, Why: u.why, Uses: uses(u.uses)})
	}
	return g
}

// forgotten: the Secret with the workload's way back has been deleted, as one does in the
// end; its name at the workload stays. Whoever may not read Secrets does not know.
func (c *Collector) forgotten(w graph.Workload) bool {
	return w.File == "" && c.why["Secret"] == "" && !c.records[id{"Secret", w.Namespace, w.Migration}]
}

func weight(s finding.Severity) int {
	return slices.Index([]finding.Severity{finding.Error, finding.Warning, finding.Info}, s)
}

// complete gives a credential the IDs that its containers read of other objects; false: by
// these it is temporary.
func (c *Collector) complete(f *credential) bool {
	var ids []statickey.ID
	for _, p := range f.places {
		for _, u := range p.uses {
			ids = append(ids, c.ids[container{u.work, u.Container}]...)
		}
	}
	k, ok := f.key.Complete(ids)
	f.key = k
	return ok
}

func (c *Collector) credential(f *credential) graph.Credential {
	k := f.key
	out := graph.Credential{Fingerprint: f.Fingerprint, Cloud: k.Cloud, Kind: k.Kind, ID: k.ID, KeyID: k.KeyID, Account: k.Account, Confidence: k.Confidence, Evidence: k.Evidence, Ends: k.Ends}
	for _, p := range f.places {
		p.Uses = uses(p.uses)
		out.Places = append(out.Places, p.Place)
	}
	slices.SortFunc(out.Places, func(a, b graph.Place) int {
		return cmp.Or(cmp.Compare(a.Object.String(), b.Object.String()), cmp.Compare(a.Object.File, b.Object.File))
	})
	out.Severity = c.severity(k, out.Places)
	return out
}

// severity: a key that something uses is what people came for; one that nothing uses is
// to be taken away; one that has ended, or is kept for the way back alone, matters less.
func (c *Collector) severity(k statickey.Key, places []graph.Place) finding.Severity {
	switch {
	case c.ended(k), !slices.ContainsFunc(places, func(p graph.Place) bool { return !p.Kept }):
		return finding.Info
	case k.Confidence != statickey.Possible && slices.ContainsFunc(places, func(p graph.Place) bool { return len(p.Uses) > 0 }):
		return finding.Error
	}
	return finding.Warning
}

func uses(list []placeUse) []graph.Use {
	var out []graph.Use
	for _, u := range list {
		u.Workload = u.work.index
		out = append(out, u.Use)
	}
	slices.SortFunc(out, func(a, b graph.Use) int {
		return cmp.Or(cmp.Compare(a.Workload, b.Workload), cmp.Compare(a.Container, b.Container), cmp.Compare(a.By, b.By), cmp.Compare(a.As, b.As))
	})
	return slices.Compact(out)
}

// sorted are the workloads that use something, each with its place among them.
func (c *Collector) sorted(found []*credential, unread []unreadReading) []*work {
	mark := func(list []placeUse) {
		for _, u := range list {
			u.work.used = true
		}
	}
	for _, f := range found {
		for _, p := range f.places {
			mark(p.uses)
		}
	}
	for _, u := range unread {
		mark(u.uses)
	}
	var all []*work
	for _, list := range c.works {
		for _, w := range list {
			if w.used {
				all = append(all, w)
			}
		}
	}
	slices.SortFunc(all, func(a, b *work) int {
		return cmp.Or(cmp.Compare(a.Namespace, b.Namespace), cmp.Compare(a.Kind, b.Kind), cmp.Compare(a.Name, b.Name), cmp.Compare(a.Template, b.Template))
	})
	for i, w := range all {
		w.index = i
	}
	return all
}

// unreadReading is something that containers read into variables of static keys, and that
// could not be read here.
type unreadReading struct {
	what, why string
	uses      []placeUse
}

func (c *Collector) unreadReadings() []unreadReading {
	var all []unreadReading
	for from, list := range c.readings {
		if c.kept[from] {
			continue
		}
		u := unreadReading{what: graph.Object{Kind: from.kind, Namespace: from.namespace, Name: from.name}.String()}
		for _, one := range list {
			for _, v := range one.KeyVariables() {
				as := one.As
				if one.By == graph.ByFile {
					as += " by " + v.Name
				}
				u.uses = append(u.uses, placeUse{one.work, graph.Use{Container: one.Container, By: one.By, As: as}})
			}
		}
		if u.uses == nil {
			continue
		}
		u.why = cmp.Or(c.why[u.what], c.why[from.kind], c.madeBy(from), "it is not among what was read")
		all = append(all, u)
	}
	slices.SortFunc(all, func(a, b unreadReading) int { return cmp.Compare(a.what, b.what) })
	return all
}

func (c *Collector) madeBy(from id) string {
	if from.kind == "SecretProviderClass" {
		return "the driver of secrets-store reads its values elsewhere"
	}
	if m, ok := c.makers[from]; ok {
		return fmt.Sprintf("%s makes it of values that are kept elsewhere", m)
	}
	return ""
}
