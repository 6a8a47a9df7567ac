package statickey

import (
	"cmp"
	"slices"
	"strings"
)

// Found is what a place holds.
type Found struct {
	Keys []Key
	// IDs are those whose secrets are not here.
	IDs []ID
}

// Find recognises the static credentials among the values of one place: a Secret's data,
// one container's environment, one file. What it costs is bounded by what the values
// hold unwrapped, at most some MiB (see unwrap). It keeps nothing of values but the
// secrets of the keys found.
func Find(values []Named) Found {
	f := &finder{}
	for _, leaf := range unwrap(values) {
		f.look(leaf)
	}
	f.pairs()
	f.azure()
	f.byName()
	return f.found()
}

// finder collects what the leaves of one place hold, before it is known what belongs
// together.
type finder struct {
	keys []Key
	// ids and secrets are of access keys.
	ids, secrets []token
	// settings are leaves with a name that means something, for what is recognised by
	// names that stand beside each other.
	settings []setting
	// short are secrets of temporary credentials.
	short map[string]bool
}

// token is a text of a known shape, and where it stands.
type token struct {
	text string
	leaf *leaf
	at   int
	// used: it is an ID whose secret was found.
	used bool
}

func (f *finder) look(l *leaf) {
	f.accessKeys(l)
	f.bedrock(l)
	f.google(l)
	f.azureText(l)
	f.kubernetes(l)
	f.registry(l)
	f.setting(l)
}

// add records a key; where it is known already, what is new of it.
func (f *finder) add(k Key) {
	if f.short[k.secret] {
		return
	}
	for i := range f.keys {
		if have := &f.keys[i]; have.secret == k.secret {
			have.merge(k)
			return
		}
	}
	f.keys = append(f.keys, k)
}

// has is whether a secret is known already.
func (f *finder) has(secret string) bool {
	return slices.ContainsFunc(f.keys, func(k Key) bool { return k.secret == secret })
}

func (k *Key) merge(other Key) {
	k.ID, k.KeyID, k.Account = cmp.Or(k.ID, other.ID), cmp.Or(k.KeyID, other.KeyID), cmp.Or(k.Account, other.Account)
	k.Parts, k.IDParts = append(k.Parts, other.Parts...), append(k.IDParts, other.IDParts...)
	if k.Ends.IsZero() {
		k.Ends = other.Ends
	}
	if rank(other.Confidence) < rank(k.Confidence) {
		k.Confidence, k.Evidence = other.Confidence, other.Evidence
	}
}

func rank(c Confidence) int { return slices.Index([]Confidence{Certain, Likely, Possible}, c) }

func (f *finder) found() Found {
	var all Found
	for _, k := range f.keys {
		f.parts(&k)
		k.Parts, k.IDParts = set(k.Parts), set(k.IDParts)
		k.IDParts = slices.DeleteFunc(k.IDParts, func(part string) bool { return slices.Contains(k.Parts, part) })
		all.Keys = append(all.Keys, k)
	}
	slices.SortFunc(all.Keys, func(a, b Key) int {
		return cmp.Or(cmp.Compare(a.Kind, b.Kind), cmp.Compare(a.ID, b.ID), slices.Compare(a.Parts, b.Parts), cmp.Compare(a.KeyID, b.KeyID))
	})
	for _, id := range f.ids {
		if !id.used && !slices.ContainsFunc(all.Keys, func(k Key) bool { return k.ID == id.text }) {
			all.IDs = append(all.IDs, ID{AccessKeyID, id.text, id.leaf.part})
		}
	}
	for _, s := range f.settings {
		role, ok := s.role()
		if ok && !slices.ContainsFunc(all.Keys, func(k Key) bool { return k.ID == s.text || k.Account == s.text }) {
			all.IDs = append(all.IDs, ID{role, s.text, s.part})
		}
	}
	slices.SortFunc(all.IDs, func(a, b ID) int {
		return cmp.Or(cmp.Compare(a.Part, b.Part), cmp.Compare(a.Role, b.Role), cmp.Compare(a.ID, b.ID))
	})
	all.IDs = slices.Compact(all.IDs)
	return all
}

// parts adds the values that are the key's secret or its ID as a whole, wherever it was
// found first.
func (f *finder) parts(k *Key) {
	is := func(text string, l *leaf) {
		switch strings.TrimSpace(text) {
		case k.secret:
			k.Parts = append(k.Parts, l.part)
		case k.ID:
			k.IDParts = append(k.IDParts, l.part)
		}
	}
	for _, list := range [][]token{f.ids, f.secrets} {
		for _, t := range list {
			if t.whole() {
				is(t.text, t.leaf)
			}
		}
	}
	for _, s := range f.settings {
		is(s.text, s.leaf)
	}
}

func set(list []string) []string {
	list = slices.Clone(list)
	slices.Sort(list)
	return slices.Compact(list)
}
