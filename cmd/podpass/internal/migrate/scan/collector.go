// Package scan finds static keys, and who uses them: it reads objects one by one, of a
// cluster or of files, and joins what they say into a graph. Of a value nothing stays but
// its fingerprint.
package scan

import (
	"cmp"
	"crypto/rand"
	"slices"
	"time"

	"github.com/podpass-io/podpass/cmd/podpass/internal/migrate/graph"
	"github.com/podpass-io/podpass/cmd/podpass/internal/migrate/workload"
	"github.com/podpass-io/podpass/federation/statickey"
)

// Collector joins objects into a graph. The order of its calls matters: objects with pod
// templates first, those above others before these; then pods, ServiceAccounts, and at
// last whatever may keep keys. It is not safe for concurrent use.
type Collector struct {
	// Namespace is that of objects that name none.
	Namespace string
	// FingerprintKey makes fingerprints. It must not be empty.
	FingerprintKey []byte
	// Now decides which keys have ended.
	Now time.Time
	// Seen is told each object with a pod template that is nobody's, and each
	// ServiceAccount, for who needs more of them than the graph says; it may be nil.
	Seen func(o graph.Object, content map[string]any)
	// Federated has workloads in the graph that ask for an identity and read no key, too.
	Federated bool

	works    map[id][]*work
	accounts map[id][]*work // by their ServiceAccounts
	owners   map[id]id
	readings map[id][]use
	ids      map[container][]statickey.ID
	found    map[string]*credential
	kept     map[id]bool // what containers read
	records  map[id]bool // Secrets in which podpass migrate keeps a way back
	makers   map[id]graph.Object
	why      map[string]string // why objects of a kind were not read, by kind
	looked   map[string]int
	unread   []graph.Unread
}

// id names an object, whatever the version of its API.
type id struct{ kind, namespace, name string }

func idOf(o graph.Object) id { return id{o.Kind, o.Namespace, o.Name} }

// work is a workload under way, and the sorted place it gets at the end.
type work struct {
	graph.Workload
	used  bool
	index int
}

// use is a reading and who does it.
type use struct {
	work *work
	workload.Reading
}

// container of a work, in which values meet.
type container struct {
	work *work
	name string
}

type credential struct {
	graph.Credential
	key    statickey.Key
	places []place
}

type place struct {
	graph.Place
	uses []placeUse
}

type placeUse struct {
	work *work
	graph.Use
}

// New gives a collector of objects that are read of now on.
func New(namespace string, fingerprintKey []byte, now time.Time) *Collector {
	return &Collector{
		Namespace: namespace, FingerprintKey: fingerprintKey, Now: now,
		works: map[id][]*work{}, accounts: map[id][]*work{}, owners: map[id]id{}, readings: map[id][]use{}, ids: map[container][]statickey.ID{},
		found: map[string]*credential{}, kept: map[id]bool{}, records: map[id]bool{}, makers: map[id]graph.Object{}, why: map[string]string{}, looked: map[string]int{},
	}
}

// RandomKey gives a key for the fingerprints of one run.
func RandomKey() ([]byte, error) {
	key := make([]byte, 32)
	_, err := rand.Read(key)
	return key, err
}

// NotRead says that objects of a kind could not be read, and why.
func (c *Collector) NotRead(kind, why string) {
	c.why[kind] = why
	c.unread = append(c.unread, graph.Unread{What: "all of " + kind, Why: why, Kind: true})
}

// Below is whether an object is kept by another one that is a workload: then that is what
// somebody changes, and it need not be read itself.
func (c *Collector) Below(object graph.Object, controller *graph.Object) bool {
	if controller == nil {
		return false
	}
	c.owners[idOf(object)] = idOf(*controller)
	return c.above(idOf(object)) != nil
}

// above are the workloads that an object belongs to, through all that is between.
func (c *Collector) above(o id) []*work {
	for range 8 { // a chain is no longer than three; a ring has no end
		if w := c.works[o]; w != nil {
			return w
		}
		next, ok := c.owners[o]
		if !ok {
			return nil
		}
		o = next
	}
	return nil
}

// countPod counts a pod for the workload that it belongs to, and forgets it: nothing
// belongs to a pod.
func (c *Collector) countPod(pod graph.Object) {
	c.looked["pods"]++
	for _, w := range c.above(idOf(pod)) {
		w.Pods++
	}
	delete(c.owners, idOf(pod))
}

// Workload takes an object that may have pod templates.
func (c *Collector) Workload(object map[string]any, file string) {
	o := workload.Named(object, c.Namespace)
	o.File = file
	controller := workload.Controller(object, c.Namespace)
	if c.Below(o, controller) {
		if o.Kind == "Pod" {
			c.countPod(o)
		}
		return
	}
	c.looked[cmp.Or(map[string]string{"Pod": "pods"}[o.Kind], "workloads")]++
	if c.Seen != nil {
		c.Seen(o, object)
	}
	for _, t := range workload.Templates(object) {
		c.template(object, o, controller, t)
	}
}

func (c *Collector) template(object map[string]any, o graph.Object, controller *graph.Object, t workload.Template) {
	at := o
	if o.Kind == "Pod" && controller != nil {
		// Its owner makes pods without a template of its own: they are of one kind.
		at = *controller
	}
	keeper := meta(object)
	var w *work
	if i := slices.IndexFunc(c.works[idOf(at)], func(w *work) bool { return w.Template == t.Pointer }); i >= 0 {
		w = c.works[idOf(at)][i]
	} else {
		w = &work{Workload: graph.Workload{Object: at, ServiceAccount: t.ServiceAccount(), Template: t.Pointer, Owner: workload.Manager(object), Migration: keeper.Metadata.Annotations[graph.KeyMigration]}}
		c.works[idOf(at)] = append(c.works[idOf(at)], w)
		account := id{"ServiceAccount", w.Namespace, w.ServiceAccount}
		c.accounts[account] = append(c.accounts[account], w)
	}
	if o.Kind == "Pod" {
		w.Pods++
		if w.Pods > 1 {
			return
		}
	}
	for _, r := range t.Readings() {
		from := id{r.Kind, o.Namespace, r.Name}
		c.readings[from] = append(c.readings[from], use{w, r})
	}
	for _, l := range t.Literals() {
		c.literal(w, keeper, o, l)
	}
}

// literal takes values that stand in a template.
func (c *Collector) literal(w *work, kept keeper, o graph.Object, l workload.Literal) {
	found := statickey.Find(l.Values)
	if l.Container != "" {
		c.ids[container{w, l.Container}] = append(c.ids[container{w, l.Container}], found.IDs...)
	}
	for _, k := range found.Keys {
		var uses []placeUse
		p := kept.place(o)
		parts, ids := c.parts(l, k)
		for _, part := range parts {
			p.Keys = append(p.Keys, where(l, part))
			uses = append(uses, placeUse{w, graph.Use{Container: l.Container, By: l.By, As: part}})
		}
		for _, part := range ids {
			p.IDKeys = append(p.IDKeys, where(l, part))
		}
		c.add(k, place{p, uses})
	}
}

// parts name where a key stands among a literal's values: of a command line its elements.
func (c *Collector) parts(l workload.Literal, k statickey.Key) (parts, ids []string) {
	if l.By != graph.ByArgument {
		return k.Parts, k.IDParts
	}
	fingerprint := k.Fingerprint(c.FingerprintKey)
	for _, a := range l.Arguments(k.ID, func(other statickey.Key) bool { return other.Fingerprint(c.FingerprintKey) == fingerprint }) {
		if a.ID {
			ids = append(ids, a.String())
		} else {
			parts = append(parts, a.String())
		}
	}
	if parts == nil {
		return k.Parts, k.IDParts // it stands there more than once
	}
	return graph.Names(parts), graph.Names(ids)
}

// where names a place in a template.
func where(l workload.Literal, part string) string {
	if l.Container == "" {
		return l.By + " " + part
	}
	return "container " + l.Container + ": " + l.By + " " + part
}

// Account takes a ServiceAccount: the clouds of which it asks for identities, those of them
// in direct mode, and its secrets for pulling images, which all its pods have.
func (c *Collector) Account(namespace, name string, clouds, direct, pullSecrets []string) {
	c.looked["serviceaccounts"]++
	for _, w := range c.accounts[id{"ServiceAccount", namespace, name}] {
		w.Clouds, w.Direct = clouds, direct
		w.used = w.used || c.Federated && len(clouds) > 0
		for _, s := range pullSecrets {
			from := id{"Secret", namespace, s}
			c.readings[from] = append(c.readings[from], use{w, workload.Reading{Kind: "Secret", Name: s, By: graph.ByPull, As: "imagePullSecrets of its ServiceAccount"}})
		}
	}
}

// add records a key that is kept somewhere.
func (c *Collector) add(k statickey.Key, p place) {
	fingerprint := k.Fingerprint(c.FingerprintKey)
	at := c.found[fingerprint]
	if at == nil {
		at = &credential{key: k}
		c.found[fingerprint] = at
	}
	if better(k, at.key) {
		at.key = k
	}
	for i := range at.places {
		if have := &at.places[i]; have.Object == p.Object {
			// It is known where in the object.
			p.Keys = slices.DeleteFunc(slices.Clone(p.Keys), func(key string) bool { return key == wholeSpec })
			have.Keys, have.IDKeys, have.uses = graph.Names(have.Keys, p.Keys), graph.Names(have.IDKeys, p.IDKeys), append(have.uses, p.uses...)
			return
		}
	}
	at.places = append(at.places, p)
}

// better is whether k says more of a credential than another finding of it.
func better(k, other statickey.Key) bool {
	if (k.ID != "") != (other.ID != "") {
		return k.ID != ""
	}
	return k.Confidence != other.Confidence && (k.Confidence == statickey.Certain || other.Confidence == statickey.Possible)
}
