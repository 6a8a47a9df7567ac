package scan

import (
	"cmp"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"time"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/podpass-io/podpass/cmd/podpass/internal/migrate/graph"
	"github.com/podpass-io/podpass/cmd/podpass/internal/migrate/workload"
	"github.com/podpass-io/podpass/federation/statickey"
)

// keeper is what says of an object who wrote it and when.
type keeper struct {
	APIVersion string            `json:"apiVersion"`
	Kind       string            `json:"kind"`
	Metadata   metav1.ObjectMeta `json:"metadata"`
}

// meta reads an object's metadata; of one that has none that can be read it is empty.
func meta(object map[string]any) keeper {
	var k keeper
	b, err := json.Marshal(map[string]any{"metadata": object["metadata"]})
	if err == nil {
		_ = json.Unmarshal(b, &k) // what could be read is what there is
	}
	return k
}

// place is where the object keeps a key.
func (k keeper) place(o graph.Object) graph.Place {
	p := graph.Place{Object: o, Created: k.Metadata.CreationTimestamp.UTC()}
	_, p.Kept = k.Metadata.Labels[graph.KeyMigration]
	for _, m := range k.Metadata.ManagedFields {
		if m.Time != nil && (p.Writer == "" || !m.Time.Time.Before(p.Written)) && m.Subresource == "" {
			p.Writer, p.Written = m.Manager, m.Time.UTC()
		}
	}
	for _, owner := range k.Metadata.OwnerReferences {
		if makers[owner.Kind] {
			p.From = &graph.Object{APIVersion: owner.APIVersion, Kind: owner.Kind, Namespace: o.Namespace, Name: owner.Name}
		}
	}
	return p
}

// unused is since when what keeps a key is marked as unused: the whole object, or the data
// keys that hold it while others are read. Empty: it is not, or the time of the mark is
// not known, as of manifests without managedFields.
func (k keeper) unused(keys []string) string {
	if since := k.Metadata.Annotations[graph.KeyUnused]; since != "" {
		return since
	}
	marked := strings.Split(k.Metadata.Annotations[graph.KeyUnusedData], ",")
	data := graph.DataKeys(keys)
	if len(data) == 0 || slices.ContainsFunc(data, func(key string) bool { return !slices.Contains(marked, key) }) {
		return ""
	}
	for _, m := range k.Metadata.ManagedFields {
		if m.Manager == graph.Manager && m.Time != nil {
			return m.Time.UTC().Format(time.RFC3339)
		}
	}
	return ""
}

// makers are kinds whose objects make Secrets out of what is kept elsewhere.
var makers = map[string]bool{"ExternalSecret": true, "SealedSecret": true, "SecretProviderClass": true, "VaultStaticSecret": true, "SopsSecret": true}

// wholeSpec is where a custom resource keeps a key.
const wholeSpec = "spec"

// Keep takes an object that may keep keys: a Secret, a ConfigMap, a custom resource with
// settings in it. raw is its JSON, which is not kept.
func (c *Collector) Keep(raw []byte, file string) error {
	var head struct {
		keeper
		Data       map[string]json.RawMessage `json:"data"`
		StringData map[string]string          `json:"stringData"`
		BinaryData map[string][]byte          `json:"binaryData"`
		Spec       json.RawMessage            `json:"spec"`
		Sops       json.RawMessage            `json:"sops"`
	}
	if err := json.Unmarshal(raw, &head); err != nil {
		return err
	}
	o := graph.Object{APIVersion: head.APIVersion, Kind: head.Kind, Namespace: cmp.Or(head.Metadata.Namespace, c.Namespace), Name: head.Metadata.Name, File: file}
	c.looked[plural(o.Kind)]++
	if _, ok := head.Metadata.Labels[graph.KeyMigration]; ok {
		c.records[idOf(o)] = true
	}
	if made, ok := maker(o, head.Spec); ok {
		c.makers[made] = o
	}
	var values []statickey.Named
	data := o.Kind == "Secret" || o.Kind == "ConfigMap"
	switch {
	case head.Sops != nil:
		c.why[o.String()] = "its values are encrypted by SOPS"
		return nil
	case data:
		if len(c.readings[idOf(o)]) > 0 { // of the others, which may be very many, nobody asks
			c.kept[idOf(o)] = true
		}
		for name, data := range head.Data {
			v, err := value(o.Kind, data)
			if err != nil {
				return fmt.Errorf("%s: data %s: %w", o, name, err)
			}
			values = append(values, c.named(o, name, v))
		}
		for name, text := range head.StringData {
			values = append(values, c.named(o, name, []byte(text)))
		}
		for name, b := range head.BinaryData {
			values = append(values, c.named(o, name, b))
		}
	case o.Kind != "SealedSecret" && head.Spec != nil:
		values = append(values, statickey.Named{Name: wholeSpec, Value: head.Spec})
	}
	var all []string
	if data {
		all = names(values)
	}
	for _, a := range workload.Annotations(head.Metadata.Annotations).Values {
		values = append(values, c.annotation(o, a)...)
	}
	slices.SortFunc(values, func(a, b statickey.Named) int { return strings.Compare(a.Name, b.Name) })
	c.keep(o, head.keeper, all, statickey.Find(values))
	return nil
}

// annotation is one as it is kept; of what was applied as a Secret the data as it is meant.
func (c *Collector) annotation(o graph.Object, a statickey.Named) []statickey.Named {
	whole := statickey.Named{Name: "annotation " + a.Name, Value: a.Value}
	var applied struct {
		Data       map[string][]byte `json:"data"`
		StringData map[string]string `json:"stringData"`
	}
	if a.Name != corev1.LastAppliedConfigAnnotation || o.Kind != "Secret" || json.Unmarshal(a.Value, &applied) != nil {
		return []statickey.Named{whole}
	}
	var values []statickey.Named
	for name, text := range applied.StringData {
		values = append(values, statickey.Named{Name: whole.Name, As: []string{name}, Value: []byte(text)})
	}
	for name, b := range applied.Data {
		values = append(values, statickey.Named{Name: whole.Name, As: []string{name}, Value: b})
	}
	return values
}

// value of a data key: of Secrets it is in base64.
func value(kind string, data json.RawMessage) ([]byte, error) {
	if kind == "ConfigMap" {
		var s string
		err := json.Unmarshal(data, &s)
		return []byte(s), err
	}
	var b []byte
	err := json.Unmarshal(data, &b)
	return b, err
}

// named is a value with the names under which containers read it.
func (c *Collector) named(o graph.Object, key string, value []byte) statickey.Named {
	n := statickey.Named{Name: key, Value: value}
	for _, u := range c.readings[idOf(o)] {
		if u.Key == "" || u.Key == key {
			n.As = append(n.As, u.Names(key)...)
		}
	}
	slices.Sort(n.As)
	n.As = slices.Compact(n.As)
	return n
}

// names of values, sorted.
func names(values []statickey.Named) []string {
	var all []string
	for _, v := range values {
		all = append(all, v.Name)
	}
	return graph.Names(all)
}

// keep records what was found in an object that has these data keys.
func (c *Collector) keep(o graph.Object, k keeper, all []string, found statickey.Found) {
	for _, key := range found.Keys {
		p := k.place(o)
		p.Keys, p.IDKeys, p.All, p.Unused = key.Parts, key.IDParts, all, k.unused(key.Parts)
		p.Read = len(c.readings[idOf(o)]) > 0
		var uses []placeUse
		for _, part := range key.Parts {
			for _, u := range c.readings[idOf(o)] {
				if u.Key == part || u.Key == "" && !strings.HasPrefix(part, "annotation ") {
					uses = append(uses, placeUse{u.work, graph.Use{Container: u.Container, By: u.By, As: u.Target(part)}})
				}
			}
		}
		c.add(key, place{p, uses})
	}
	for _, one := range found.IDs {
		for _, u := range c.readings[idOf(o)] {
			if u.Key == "" || u.Key == one.Part {
				at := container{u.work, u.Container}
				c.ids[at] = append(c.ids[at], one)
			}
		}
	}
}

// maker is the Secret that an object makes.
func maker(o graph.Object, spec json.RawMessage) (id, bool) {
	if !makers[o.Kind] {
		return id{}, false
	}
	var s struct {
		Target   struct{ Name string } `json:"target"`
		Template struct {
			Metadata struct{ Name string } `json:"metadata"`
		} `json:"template"`
		Destination struct{ Name string } `json:"destination"`
	}
	_ = json.Unmarshal(spec, &s) // a name that cannot be read is the object's own
	return id{"Secret", o.Namespace, cmp.Or(s.Target.Name, s.Template.Metadata.Name, s.Destination.Name, o.Name)}, true
}

func plural(kind string) string {
	switch kind {
	case "Secret", "ConfigMap":
		return strings.ToLower(kind) + "s"
	}
	return "other objects"
}

// ended is whether a key says itself that it has.
func (c *Collector) ended(k statickey.Key) bool { return !k.Ends.IsZero() && k.Ends.Before(c.Now) }
