package plan

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/util/validation"

	"github.com/podpass-io/podpass/cmd/podpass/internal/migrate/edit"
	"github.com/podpass-io/podpass/cmd/podpass/internal/migrate/graph"
	"github.com/podpass-io/podpass/cmd/podpass/internal/migrate/workload"
	"github.com/podpass-io/podpass/federation/environ"
	"github.com/podpass-io/podpass/federation/statickey"
)

// remover makes the removal of one pod template.
type remover struct {
	object   graph.Object
	template workload.Template
	// own annotations are the workload's.
	own map[string]string
	// fingerprint is that of a key of this run.
	fingerprint func(statickey.Key) string

	env            map[edit.Env]bool
	envFrom        map[edit.Env]*edit.EnvFrom // by container and object
	files          map[string]*edit.File
	args           []edit.Arg
	annotations    map[string]bool // of the template
	ownAnnotations map[string]bool
	literal        bool // something goes of which kubectl has a copy
	said           []string
	byHand         []string
}

func newRemover(o graph.Object, t workload.Template, own map[string]string, fingerprint func(statickey.Key) string) *remover {
	return &remover{
		object: o, template: t, own: own, fingerprint: fingerprint,
		env: map[edit.Env]bool{}, envFrom: map[edit.Env]*edit.EnvFrom{}, files: map[string]*edit.File{}, annotations: map[string]bool{}, ownAnnotations: map[string]bool{},
	}
}

// take takes a credential out of one of its places.
func (r *remover) take(c graph.Credential, p graph.Place) {
	if p.Object.Kind == r.object.Kind && p.Object.Namespace == r.object.Namespace && p.Object.Name == r.object.Name {
		r.literals(c, p)
		return
	}
	// Annotations of what keeps the key no container reads.
	parts := graph.DataKeys(parts(c, p))
	for _, from := range r.template.Readings() {
		if from.Kind == p.Object.Kind && from.Name == p.Object.Name {
			r.reading(c, p, from, parts)
		}
	}
}

// pairs: a key of this kind is of an ID and a secret, and the ID is of no use without.
// What Azure's SDKs are told beside a secret, they are told beside a token, too.
func pairs(k statickey.Kind) bool { return k == statickey.AWSAccessKey || k == statickey.GCPHMACKey }

// parts of a place that are to go.
func parts(c graph.Credential, p graph.Place) []string {
	if pairs(c.Kind) {
		return graph.Names(p.Keys, p.IDKeys)
	}
	return graph.Names(p.Keys)
}

// reading takes parts out of what a container reads of an object.
func (r *remover) reading(c graph.Credential, p graph.Place, from workload.Reading, parts []string) {
	switch {
	case from.By == graph.ByPull || from.Key != "" && !slices.Contains(parts, from.Key):
	case from.By == graph.ByEnv && from.Key != "":
		r.variable(c, from.Container, from.As)
		r.goes(c, p, "container %s: env %s", from.Container, from.As)
	case from.By == graph.ByEnv:
		r.reference(c, p, from, parts)
	case from.By == graph.ByFile:
		r.file(c, p, from, parts)
	}
}

// composite: a value holds more than the key, since it holds what belongs to it as well,
// and is no document of the cloud's own.
func composite(c graph.Credential, p graph.Place) bool {
	switch c.Kind {
	case statickey.AzureSAS, statickey.AzureSharedAccessKey:
		return true
	case statickey.AWSAccessKey, statickey.GCPHMACKey, statickey.AzureStorageKey:
		return c.ID != "" && len(p.IDKeys) == 0 && c.Confidence == statickey.Certain
	default:
		return false
	}
}

// variable goes, with those beside it.
func (r *remover) variable(c graph.Credential, container, name string) {
	r.env[edit.Env{Container: container, Name: name}] = true
	r.beside(c, container, name)
}

// beside takes out, with a variable that a cloud's SDKs read a key from, its others: half a
// key makes them fail.
func (r *remover) beside(c graph.Credential, container, name string) {
	keys := environ.Names(c.Cloud, environ.Key)
	if !slices.Contains(keys, name) {
		return
	}
	for _, other := range r.template.Variables(container) {
		if slices.Contains(keys, other.Name) {
			r.env[edit.Env{Container: container, Name: other.Name}] = true
			r.literal = r.literal || other.Value != ""
		}
	}
}

func (r *remover) reference(c graph.Credential, p graph.Place, from workload.Reading, parts []string) {
	at := edit.Env{Container: from.Container, Name: p.Object.Kind + " " + p.Object.Name}
	f := r.envFrom[at]
	if f == nil {
		f = &edit.EnvFrom{Container: from.Container, Kind: p.Object.Kind, Name: p.Object.Name}
		r.envFrom[at] = f
	}
	f.Keys = graph.Names(f.Keys, parts)
	f.Keep = slices.DeleteFunc(slices.Clone(p.All), func(key string) bool {
		return slices.Contains(f.Keys, key) || len(validation.IsEnvVarName(from.As+key)) > 0
	})
	for _, part := range parts {
		r.beside(c, from.Container, from.As+part)
	}
}

// file goes, with the variables that point at it.
func (r *remover) file(c graph.Credential, p graph.Place, from workload.Reading, parts []string) {
	f := r.files[p.Object.Kind+" "+p.Object.Name]
	if f == nil {
		f = &edit.File{Kind: p.Object.Kind, Name: p.Object.Name, All: p.All}
		r.files[p.Object.Kind+" "+p.Object.Name] = f
	}
	f.Keys = graph.Names(f.Keys, parts)
	if f.Kind == edit.SecretProviderClass {
		r.say("container %s: the volume of SecretProviderClass %s goes as a whole: what else it shows is not known", from.Container, f.Name)
	}
	for _, part := range parts {
		if from.Key != "" && from.Key != part {
			continue
		}
		for _, name := range from.Variables[from.Target(part)] {
			r.env[edit.Env{Container: from.Container, Name: name}] = true
		}
		r.goes(c, p, "container %s: file %s", from.Container, from.Target(part))
	}
}

// literals takes out what stands in the template itself.
func (r *remover) literals(c graph.Credential, p graph.Place) {
	for _, key := range parts(c, p) {
		if name, ok := strings.CutPrefix(key, graph.ByAnnotation+" "); ok {
			r.annotation(name)
			continue
		}
		head, name, _ := strings.Cut(key, ": "+graph.ByEnv+" ")
		container, ok := strings.CutPrefix(head, "container ")
		if !ok || name == "" || !slices.ContainsFunc(r.template.Variables(container), func(v workload.Variable) bool { return v.Name == name }) {
			continue
		}
		r.literal = true
		r.variable(c, container, name)
		r.goes(c, p, "container %s: env %s", container, name)
	}
	r.arguments(c)
}

func (r *remover) annotation(name string) {
	r.literal = true
	if _, ok := r.template.Annotations[name]; ok {
		r.annotations[name] = true
	}
	if _, ok := r.own[name]; ok && r.template.Pointer != "" {
		r.ownAnnotations[name] = true
	}
}

func (r *remover) arguments(c graph.Credential) {
	for _, l := range r.template.Literals() {
		if l.By != graph.ByArgument {
			continue
		}
		same := func(k statickey.Key) bool { return r.fingerprint(k) == c.Fingerprint }
		found := l.Arguments(c.ID, same)
		for _, a := range found {
			r.literal = true
			arg := edit.Arg{Container: l.Container, List: a.List, Index: a.Index, Of: a.Of, Flag: a.Flag}
			if !slices.Contains(r.args, arg) {
				r.args = append(r.args, arg)
			}
		}
		if len(found) == 0 && slices.ContainsFunc(statickey.Find(l.Values).Keys, same) {
			r.byHand = append(r.byHand, fmt.Sprintf("container %s: the key stands in its command line more than once: take it out by hand", l.Container))
		}
	}
}

// goes says of what holds more than the key that all of it goes.
func (r *remover) goes(c graph.Credential, p graph.Place, format string, a ...any) {
	if composite(c, p) {
		r.say(format+" goes as a whole: what else it says, as an address or a bucket, the application has to be told in another way", a...)
	}
}

func (r *remover) say(format string, a ...any) { r.said = append(r.said, fmt.Sprintf(format, a...)) }

// removal is what was taken; ok: there is anything.
func (r *remover) removal() (out edit.Removal, ok bool) {
	out = edit.Removal{Template: r.template.Pointer, Args: r.args, Annotations: slices.Sorted(maps.Keys(r.annotations)), OwnAnnotations: slices.Sorted(maps.Keys(r.ownAnnotations))}
	for v := range r.env {
		out.Env = append(out.Env, v)
	}
	slices.SortFunc(out.Env, func(a, b edit.Env) int { return strings.Compare(a.Container+" "+a.Name, b.Container+" "+b.Name) })
	for _, f := range r.envFrom {
		out.EnvFrom = append(out.EnvFrom, *f)
	}
	slices.SortFunc(out.EnvFrom, func(a, b edit.EnvFrom) int {
		return strings.Compare(a.Container+" "+a.Kind+" "+a.Name, b.Container+" "+b.Kind+" "+b.Name)
	})
	for _, name := range slices.Sorted(maps.Keys(r.files)) {
		out.Files = append(out.Files, *r.files[name])
	}
	ok = len(out.Env)+len(out.EnvFrom)+len(out.Files)+len(out.Args)+len(out.Annotations)+len(out.OwnAnnotations) > 0
	_, copied := r.own[corev1.LastAppliedConfigAnnotation]
	// A pod's own annotations are its template's.
	if ok && copied && r.literal && (r.template.Pointer != "" || !r.annotations[corev1.LastAppliedConfigAnnotation]) {
		out.OwnAnnotations = graph.Names(out.OwnAnnotations, []string{corev1.LastAppliedConfigAnnotation})
	}
	return out, ok
}
