package workload

import (
	"maps"
	"path"
	"slices"
	"strings"

	"github.com/podpass-io/podpass/cmd/podpass/internal/migrate/graph"
	"github.com/podpass-io/podpass/federation/environ"
	"github.com/podpass-io/podpass/federation/statickey"
)

// Reading is what a container takes from an object of its namespace.
type Reading struct {
	// Kind is Secret, ConfigMap, or SecretProviderClass for volumes of secrets-store.
	Kind, Name string
	// Key is the data key; empty: all of them.
	Key string
	// Container that reads it; empty: the pod does, to pull images.
	Container string
	// By is one of graph.ByEnv, graph.ByFile and graph.ByPull.
	By string
	// As is the variable, or the path of the file; of all keys the prefix of variables, or
	// the directory.
	As string
	// Variables are those that hold the path of the file, or of one in the directory, by
	// the path.
	Variables map[string][]string
}

// Names are those under which the value of a data key is read: variables that take it or
// point at it.
func (r Reading) Names(key string) []string {
	if r.By == graph.ByEnv {
		return []string{r.Target(key)}
	}
	return append([]string{path.Base(r.Target(key))}, r.Variables[r.Target(key)]...)
}

// Target is As for one data key.
func (r Reading) Target(key string) string {
	switch {
	case r.Key != "":
		return r.As
	case r.By == graph.ByFile:
		return path.Join(r.As, key)
	case r.By == graph.ByEnv:
		return r.As + key
	}
	return r.As
}

// Literal are values that stand in a template itself.
type Literal struct {
	Container string
	// By is graph.ByEnv, graph.ByArgument or graph.ByAnnotation.
	By     string
	Values []statickey.Named

	words map[string][]string // of arguments, by the list that they stand in
}

// Readings are all that the template's containers take from other objects.
func (t Template) Readings() []Reading {
	var all []Reading
	volumes := t.volumes()
	for _, c := range t.containers() {
		name := text(c["name"])
		all = append(all, environment(name, c)...)
		variables := pointing(c)
		for _, m := range objects(c["volumeMounts"]) {
			for _, r := range volumes[text(m["name"])] {
				if r, ok := mounted(r, text(m["mountPath"]), text(m["subPath"])); ok {
					r.Container = name
					r.Variables = into(variables, r)
					all = append(all, r)
				}
			}
		}
	}
	for _, s := range objects(t.Spec["imagePullSecrets"]) {
		all = append(all, Reading{Kind: "Secret", Name: text(s["name"]), By: graph.ByPull, As: "imagePullSecrets"})
	}
	return slices.DeleteFunc(all, func(r Reading) bool { return r.Name == "" })
}

// environment is what a container takes into variables.
func environment(container string, c map[string]any) []Reading {
	var all []Reading
	for _, e := range objects(c["env"]) {
		from := within(e, "valueFrom")
		for field, kind := range map[string]string{"secretKeyRef": "Secret", "configMapKeyRef": "ConfigMap"} {
			if ref := within(from, field); ref != nil {
				all = append(all, Reading{Kind: kind, Name: text(ref["name"]), Key: text(ref["key"]), Container: container, By: graph.ByEnv, As: text(e["name"])})
			}
		}
	}
	for _, e := range objects(c["envFrom"]) {
		for field, kind := range map[string]string{"secretRef": "Secret", "configMapRef": "ConfigMap"} {
			if ref := within(e, field); ref != nil {
				all = append(all, Reading{Kind: kind, Name: text(ref["name"]), Container: container, By: graph.ByEnv, As: text(e["prefix"])})
			}
		}
	}
	return all
}

// volumes are what each volume takes, its files relative to where it is mounted.
func (t Template) volumes() map[string][]Reading {
	all := map[string][]Reading{}
	for _, v := range objects(t.Spec["volumes"]) {
		name := text(v["name"])
		all[name] = append(all[name], source(v)...)
		for _, p := range objects(within(v, "projected")["sources"]) {
			all[name] = append(all[name], source(p)...)
		}
		if csi := within(v, "csi"); csi != nil {
			if class := text(within(csi, "volumeAttributes")["secretProviderClass"]); class != "" {
				all[name] = append(all[name], Reading{Kind: "SecretProviderClass", Name: class, By: graph.ByFile})
			}
		}
	}
	return all
}

func source(v map[string]any) []Reading {
	var all []Reading
	for field, kind := range map[string]string{"secret": "Secret", "configMap": "ConfigMap"} {
		from := within(v, field)
		if from == nil {
			continue
		}
		name := text(from["secretName"]) // of a volume; a projected source has name
		if name == "" {
			name = text(from["name"])
		}
		items := objects(from["items"])
		for _, i := range items {
			all = append(all, Reading{Kind: kind, Name: name, Key: text(i["key"]), By: graph.ByFile, As: text(i["path"])})
		}
		if len(items) == 0 {
			all = append(all, Reading{Kind: kind, Name: name, By: graph.ByFile})
		}
	}
	return all
}

// mounted is what a volume's reading is at a mount's path; not ok if the mount shows
// another part of the volume.
func mounted(r Reading, at, subPath string) (Reading, bool) {
	if subPath == "" {
		r.As = path.Join(at, r.As)
		return r, true
	}
	subPath = path.Clean(subPath)
	switch rest, below := strings.CutPrefix(r.As+"/", subPath+"/"); {
	case r.Key == "" && r.Kind != "SecretProviderClass":
		r.Key, r.As = subPath, at // the one file of all
	case r.Key == "":
		r.As = at
	case below:
		r.As = path.Join(at, rest)
	default:
		return r, false
	}
	return r, true
}

// pointing are the literal variables whose value is an absolute path, by the path.
func pointing(c map[string]any) map[string][]string {
	at := map[string][]string{}
	for _, e := range objects(c["env"]) {
		if value := text(e["value"]); strings.HasPrefix(value, "/") {
			at[path.Clean(value)] = append(at[path.Clean(value)], text(e["name"]))
		}
	}
	return at
}

// into are those of the variables that point at a reading, or into it.
func into(variables map[string][]string, r Reading) map[string][]string {
	at := map[string][]string{}
	for file, names := range variables {
		if file == r.As || r.Key == "" && strings.HasPrefix(file, strings.TrimSuffix(r.As, "/")+"/") {
			at[file] = names
		}
	}
	return at
}

// Literals are the values that stand in the template itself, a list for each of what
// belongs together.
func (t Template) Literals() []Literal {
	var all []Literal
	for _, c := range t.containers() {
		env := Literal{Container: text(c["name"]), By: graph.ByEnv}
		for _, e := range objects(c["env"]) {
			if value := text(e["value"]); value != "" {
				env.Values = append(env.Values, statickey.Named{Name: text(e["name"]), Value: []byte(value)})
			}
		}
		arguments := Literal{Container: env.Container, By: graph.ByArgument, words: map[string][]string{}}
		for _, field := range []string{"command", "args"} {
			if words := list(c[field]); len(words) > 0 {
				arguments.words[field] = words
				arguments.Values = append(arguments.Values, line(field, words))
			}
		}
		all = append(all, env, arguments)
	}
	all = append(all, Annotations(t.Annotations))
	return slices.DeleteFunc(all, func(l Literal) bool { return len(l.Values) == 0 })
}

// Annotations are values as well.
func Annotations(annotations map[string]string) Literal {
	l := Literal{By: graph.ByAnnotation}
	for name, value := range annotations {
		l.Values = append(l.Values, statickey.Named{Name: name, Value: []byte(value)})
	}
	slices.SortFunc(l.Values, func(a, b statickey.Named) int { return strings.Compare(a.Name, b.Name) })
	return l
}

// KeyVariables are the variables of a reading, for one data key of it, that clouds' SDKs
// take a static key from: by these alone it is told what could not be read.
func (r Reading) KeyVariables() []environ.Variable {
	names := slices.Concat(slices.Collect(maps.Values(r.Variables))...)
	if r.By == graph.ByEnv && r.Key != "" {
		names = []string{r.As}
	}
	var all []environ.Variable
	for _, v := range environ.Variables() {
		if (v.Meaning == environ.Key || v.Meaning == environ.KeyFile) && slices.Contains(names, v.Name) {
			all = append(all, v)
		}
	}
	return all
}

// Variable is one that a container sets; Value is empty if it is of another object.
type Variable struct{ Name, Value string }

// Variables are those that a container sets one by one.
func (t Template) Variables(container string) []Variable {
	var all []Variable
	for _, c := range t.containers() {
		if text(c["name"]) != container {
			continue
		}
		for _, e := range objects(c["env"]) {
			all = append(all, Variable{text(e["name"]), text(e["value"])})
		}
	}
	return all
}
