package edit

import (
	"fmt"

	"pgregory.net/rapid"
)

// generator of pod templates whose names are few, so that a removal hits some of them.
type generator struct {
	*rapid.T
	values *int
}

// value is like no other; it stands for a secret.
func (g generator) value() string {
	*g.values++
	return fmt.Sprintf("value-%d-", *g.values)
}

func (g generator) one(of ...string) string { return rapid.SampledFrom(of).Draw(g.T, "one") }

func (g generator) some(of ...string) []string {
	return rapid.SliceOfNDistinct(rapid.SampledFrom(of), 0, len(of), rapid.ID).Draw(g.T, "some")
}

// many makes up to n elements.
func many[T any](g generator, n int, element func() T) []any {
	var list []any
	for range rapid.IntRange(0, n).Draw(g.T, "n") {
		list = append(list, element())
	}
	return list
}

type object = map[string]any

// with sets a member, unless the list is empty.
func with(o object, member string, list []any) object {
	if len(list) > 0 {
		o[member] = list
	}
	return o
}

func (g generator) env() object {
	name := g.one("A", "B", "K", "P_a")
	if rapid.Bool().Draw(g.T, "literal") {
		return object{"name": name, "value": g.value()}
	}
	return object{"name": name, "valueFrom": object{"secretKeyRef": object{"name": g.one("s", "t"), "key": "k"}}}
}

func (g generator) envFrom() object {
	o := object{g.one("secretRef", "configMapRef"): object{"name": g.one("s", "t")}}
	if rapid.Bool().Draw(g.T, "prefix") {
		o["prefix"] = "P_"
	}
	return o
}

func (g generator) mount() object {
	o := object{"name": g.one("v0", "v1", "v2", "own-v0", "own-v1"), "mountPath": "/" + g.value()}
	if rapid.Bool().Draw(g.T, "sub") {
		o["subPath"] = g.one("a", "b", "dir", "dir/c")
	}
	return o
}

func (g generator) container(name string) object {
	o := object{"name": name, "image": "app", "resources": object{"limits": object{"cpu": 1}}}
	with(o, "env", many(g, 4, g.env))
	with(o, "envFrom", many(g, 2, g.envFrom))
	with(o, "volumeMounts", many(g, 3, g.mount))
	with(o, "command", many(g, 2, g.value))
	return with(o, "args", many(g, 4, func() string { return g.one("--a", "--b="+g.value(), g.value()) }))
}

// source is a member of a volume or of a projected source, whose name is name's.
func (g generator) source(name string) object {
	o := object{name: g.one("s", "t")}
	return with(o, "items", many(g, 3, func() object {
		return object{"key": g.one("a", "b", "c"), "path": g.one("a", "b", "dir/c")}
	}))
}

func (g generator) volume(name string) object {
	o := object{"name": name}
	switch g.one("secret", "configMap", "projected", "csi", "emptyDir") {
	case "secret":
		o["secret"] = g.source("secretName")
	case "configMap":
		o["configMap"] = g.source("name")
	case "projected":
		o["projected"] = object{"sources": append(many(g, 3, func() object {
			return object{g.one("secret", "configMap"): g.source("name")}
		}), object{"serviceAccountToken": object{"path": "token"}})}
	case "csi":
		o["csi"] = object{"volumeAttributes": object{"secretProviderClass": g.one("s", "t")}}
	default:
		o["name"] = "own-" + name // which no removal names
		o["emptyDir"] = object{}
	}
	return o
}

func (g generator) workload() []byte {
	spec := object{"containers": []any{g.container("app"), g.container("b")}, "serviceAccountName": "default"}
	if rapid.Bool().Draw(g.T, "init") {
		spec["initContainers"] = []any{g.container("init")}
	}
	n := 0
	with(spec, "volumes", many(g, 3, func() object { n++; return g.volume(fmt.Sprintf("v%d", n-1)) }))
	template := object{"spec": spec}
	if names := g.some("x", "y/z"); len(names) > 0 {
		annotations := object{}
		for _, name := range names {
			annotations[name] = g.value()
		}
		template["metadata"] = object{"annotations": annotations, "labels": object{"app": "a"}}
	}
	return encoded(g.T, object{"metadata": object{"generation": 9007199254740993}, "spec": object{"replicas": 2, "template": template}})
}

func (g generator) removal() Removal {
	r := Removal{Template: "/spec/template", Annotations: g.some("x", "y/z")}
	for _, c := range g.some("app", "b", "init") {
		for _, name := range g.some("A", "K", "P_a") {
			r.Env = append(r.Env, Env{c, name})
		}
		if rapid.Bool().Draw(g.T, "envFrom") {
			r.EnvFrom = append(r.EnvFrom, EnvFrom{c, g.one(Secret, ConfigMap), g.one("s", "t"), []string{"k"}, g.some("a", "b")})
		}
		list, of := g.one(Command, Args), rapid.IntRange(1, 4).Draw(g.T, "of")
		for _, i := range g.some("0", "1", "2") {
			r.Args = append(r.Args, Arg{c, list, int(i[0] - '0'), of, g.one("", "--a", "--b")})
		}
	}
	for _, kind := range g.some(Secret, ConfigMap, SecretProviderClass) {
		r.Files = append(r.Files, File{kind, g.one("s", "t"), g.some("a", "c"), allKeys()})
	}
	return r
}
