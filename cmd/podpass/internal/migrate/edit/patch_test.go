package edit

import (
	"encoding/json"
	"errors"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	jsonpatch "gopkg.in/evanphx/json-patch.v4"
	"pgregory.net/rapid"
	"sigs.k8s.io/yaml"
)

// apply applies a JSON patch as the API server does.
func apply(t rapid.TB, object, patch []byte) []byte {
	t.Helper()
	p, err := jsonpatch.DecodePatch(patch)
	if err != nil {
		t.Fatal(err)
	}
	out, err := p.Apply(object)
	if err != nil {
		t.Fatalf("the patch does not apply: %v\n%s\n%s", err, patch, object)
	}
	return out
}

func encoded(t rapid.TB, v any) []byte {
	t.Helper()
	b, err := json.Marshal(v)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func fromYAML(t rapid.TB, s string) []byte {
	t.Helper()
	b, err := yaml.YAMLToJSON([]byte(s))
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// diff of two JSON values.
func diff(t rapid.TB, want, got []byte) string {
	t.Helper()
	var a, b any
	if err := errors.Join(json.Unmarshal(want, &a), json.Unmarshal(got, &b)); err != nil {
		t.Fatal(err)
	}
	return cmp.Diff(a, b)
}

// patch is the change of an object.
func patch(t *testing.T, object []byte, removals ...Removal) Change {
	t.Helper()
	c, err := Patch(object, removals...)
	if err != nil {
		t.Fatal(err)
	}
	return c
}

// The specs are those of a pod, in YAML; each case is undone, too.
func TestPatch(t *testing.T) {
	for name, test := range map[string]struct {
		spec     string
		removal  Removal
		want     string
		show     []string
		left     []string
		dangling []string
	}{
		"a literal variable among others": {
			spec:    `containers: [{name: app, env: [{name: A, value: a}, {name: AWS_SECRET_ACCESS_KEY, value: k}, {name: B, value: b}]}]`,
			removal: Removal{Env: []Env{{"app", "AWS_SECRET_ACCESS_KEY"}}},
			want:    `containers: [{name: app, env: [{name: A, value: a}, {name: B, value: b}]}]`,
			show:    []string{"- container app: env AWS_SECRET_ACCESS_KEY"},
		},
		"the same variable twice and the list empty after it": {
			spec:    `containers: [{name: app, env: [{name: K, value: k}, {name: K, valueFrom: {secretKeyRef: {name: s, key: k}}}]}]`,
			removal: Removal{Env: []Env{{"app", "K"}}},
			want:    `containers: [{name: app}]`,
			show:    []string{"- container app: env K"},
		},
		"an init container's, and another's of the same name stays": {
			spec:    `{initContainers: [{name: init, env: [{name: K, value: k}]}], containers: [{name: app, env: [{name: K, value: k}]}], ephemeralContainers: [{name: debug, env: [{name: K, value: k}]}]}`,
			removal: Removal{Env: []Env{{"init", "K"}, {"debug", "K"}}},
			want:    `{initContainers: [{name: init}], containers: [{name: app, env: [{name: K, value: k}]}], ephemeralContainers: [{name: debug, env: [{name: K, value: k}]}]}`,
			show:    []string{"- container init: env K"},
			left:    []string{"container debug: env K: not there"},
		},
		"what expands the variable dangles": {
			spec:    `containers: [{name: app, command: [run, "$(K)"], env: [{name: K, value: k}, {name: URL, value: "s3://$(K)@b"}, {name: SHELL, value: "$$(K)"}]}]`,
			removal: Removal{Env: []Env{{"app", "K"}}},
			want:    `containers: [{name: app, command: [run, "$(K)"], env: [{name: URL, value: "s3://$(K)@b"}, {name: SHELL, value: "$$(K)"}]}]`,
			show:    []string{"- container app: env K"},
			dangling: []string{
				"container app: command element 1 refers to env K",
				"container app: env URL refers to env K",
			},
		},
		"envFrom with a prefix, of which the others are kept before the variables, which may refer to them": {
			spec:    `containers: [{name: app, env: [{name: S_OWN, value: o}], envFrom: [{configMapRef: {name: s}}, {prefix: S_, secretRef: {name: s, optional: true}}]}]`,
			removal: Removal{EnvFrom: []EnvFrom{{Container: "app", Kind: Secret, Name: "s", Keys: []string{"KEY"}, Keep: []string{"URL", "OWN"}}}},
			want:    `containers: [{name: app, env: [{name: S_URL, valueFrom: {secretKeyRef: {name: s, key: URL, optional: true}}}, {name: S_OWN, value: o}], envFrom: [{configMapRef: {name: s}}]}]`,
			show:    []string{"- container app: envFrom Secret s", "+ container app: env S_URL from Secret s key URL"},
		},
		"a variable that takes one of the same name of envFrom": {
			spec:     `containers: [{name: app, env: [{name: BEFORE, value: $(URL)}, {name: URL, value: $(URL)/x}, {name: AFTER, value: $(URL)}], envFrom: [{secretRef: {name: s}}]}]`,
			removal:  Removal{EnvFrom: []EnvFrom{{Container: "app", Kind: Secret, Name: "s", Keep: []string{"URL"}}}},
			want:     `containers: [{name: app, env: [{name: BEFORE, value: $(URL)}, {name: URL, value: $(URL)/x}, {name: AFTER, value: $(URL)}]}]`,
			show:     []string{"- container app: envFrom Secret s"},
			dangling: []string{"container app: env BEFORE refers to env URL of what went", "container app: env URL refers to env URL of what went"},
		},
		"envFrom twice, each with its own prefix": {
			spec:    `containers: [{name: app, env: [{name: OWN, value: o}], envFrom: [{prefix: A_, secretRef: {name: s}}, {prefix: B_, secretRef: {name: s}}]}]`,
			removal: Removal{EnvFrom: []EnvFrom{{Container: "app", Kind: Secret, Name: "s", Keep: []string{"X", "Z", "X"}}}},
			want: `containers: [{name: app, env: [{name: A_X, valueFrom: {secretKeyRef: {name: s, key: X}}}, {name: A_Z, valueFrom: {secretKeyRef: {name: s, key: Z}}},
				{name: B_X, valueFrom: {secretKeyRef: {name: s, key: X}}}, {name: B_Z, valueFrom: {secretKeyRef: {name: s, key: Z}}}, {name: OWN, value: o}]}]`,
			show: []string{
				"- container app: envFrom Secret s",
				"+ container app: env B_X from Secret s key X", "+ container app: env B_Z from Secret s key Z",
				"+ container app: env A_X from Secret s key X", "+ container app: env A_Z from Secret s key Z",
			},
		},
		"envFrom of a ConfigMap, where no variable was": {
			spec:     `containers: [{name: app, args: ["--key=$(KEY)"], envFrom: [{configMapRef: {name: c}}]}]`,
			removal:  Removal{EnvFrom: []EnvFrom{{Container: "app", Kind: ConfigMap, Name: "c", Keys: []string{"KEY"}, Keep: []string{"URL"}}}},
			want:     `containers: [{name: app, args: ["--key=$(KEY)"], env: [{name: URL, valueFrom: {configMapKeyRef: {name: c, key: URL}}}]}]`,
			show:     []string{"- container app: envFrom ConfigMap c", "+ container app: env URL from ConfigMap c key URL"},
			dangling: []string{"container app: args element 0 refers to env KEY"},
		},
		"a variable that is to go is not kept of a reference either": {
			spec:    `containers: [{name: app, env: [{name: URL, value: k}], envFrom: [{secretRef: {name: s}}]}]`,
			removal: Removal{Env: []Env{{"app", "URL"}}, EnvFrom: []EnvFrom{{Container: "app", Kind: Secret, Name: "s", Keep: []string{"URL"}}}},
			want:    `containers: [{name: app}]`,
			show:    []string{"- container app: env URL", "- container app: envFrom Secret s"},
		},
		"a whole Secret's volume goes with its mounts": {
			spec: `{volumes: [{name: tmp, emptyDir: {}}, {name: gcp, secret: {secretName: g}}], initContainers: [{name: init, volumeMounts: [{name: gcp, mountPath: /k}]}],
				containers: [{name: app, env: [{name: GOOGLE_APPLICATION_CREDENTIALS, value: /var/gcp/key.json}], volumeMounts: [{name: gcp, mountPath: /var/gcp}, {name: tmp, mountPath: /tmp}]}]}`,
			removal: Removal{Files: []File{{Kind: Secret, Name: "g", Keys: []string{"key.json"}, All: []string{"key.json"}}}},
			want: `{volumes: [{name: tmp, emptyDir: {}}], initContainers: [{name: init}],
				containers: [{name: app, env: [{name: GOOGLE_APPLICATION_CREDENTIALS, value: /var/gcp/key.json}], volumeMounts: [{name: tmp, mountPath: /tmp}]}]}`,
			show: []string{
				"- container init: mount /k of volume gcp",
				"- container app: mount /var/gcp of volume gcp",
				"- volume gcp: file key.json of Secret g",
			},
			dangling: []string{"container app: env GOOGLE_APPLICATION_CREDENTIALS refers to /var/gcp"},
		},
		"a volume of all keys lists the others, and the key's own mount goes": {
			spec: `{volumes: [{name: v, secret: {secretName: s, defaultMode: 256}}], containers: [{name: app, args: [--config=/etc/all/key], volumeMounts:
				[{name: v, mountPath: /etc/key, subPath: key}, {name: v, mountPath: /etc/all}, {name: v, mountPath: /etc/ca, subPath: ca.crt}]}]}`,
			removal: Removal{Files: []File{{Kind: Secret, Name: "s", Keys: []string{"key"}, All: []string{"url", "key", "ca.crt"}}}},
			want: `{volumes: [{name: v, secret: {secretName: s, defaultMode: 256, items: [{key: ca.crt, path: ca.crt}, {key: url, path: url}]}}], containers: [{name: app, args: [--config=/etc/all/key], volumeMounts:
				[{name: v, mountPath: /etc/all}, {name: v, mountPath: /etc/ca, subPath: ca.crt}]}]}`,
			show: []string{
				"- volume v: file key of Secret s",
				"+ volume v: items ca.crt, url",
				"- container app: mount /etc/key of volume v",
			},
			dangling: []string{"container app: args element 0 refers to /etc/all/key"},
		},
		"items lose the key, and a folder that holds nothing else its mount": {
			spec: `{volumes: [{name: v, configMap: {name: c, items: [{key: url, path: app/url}, {key: key, path: aws/credentials}]}}], containers: [{name: app, volumeMounts:
				[{name: v, mountPath: /root/.aws, subPath: aws/}, {name: v, mountPath: /app, subPath: app}]}]}`,
			removal: Removal{Files: []File{{Kind: ConfigMap, Name: "c", Keys: []string{"key"}}}},
			want: `{volumes: [{name: v, configMap: {name: c, items: [{key: url, path: app/url}]}}], containers: [{name: app, volumeMounts:
				[{name: v, mountPath: /app, subPath: app}]}]}`,
			show: []string{"- volume v: file key of ConfigMap c", "- container app: mount /root/.aws of volume v"},
		},
		"a folder that holds another file keeps its mount": {
			spec: `{volumes: [{name: v, secret: {secretName: s, items: [{key: key, path: dir/key}, {key: url, path: dir/url}]}}], containers: [{name: app,
				env: [{name: F, value: /d/key}, {name: G, value: /d/url}, {name: H, value: /d/dir/key}], volumeMounts: [{name: v, mountPath: /d, subPath: dir}]}]}`,
			removal: Removal{Files: []File{{Kind: Secret, Name: "s", Keys: []string{"key"}}}},
			want: `{volumes: [{name: v, secret: {secretName: s, items: [{key: url, path: dir/url}]}}], containers: [{name: app,
				env: [{name: F, value: /d/key}, {name: G, value: /d/url}, {name: H, value: /d/dir/key}], volumeMounts: [{name: v, mountPath: /d, subPath: dir}]}]}`,
			show:     []string{"- volume v: file key of Secret s"},
			dangling: []string{"container app: env F refers to /d/key"},
		},
		"a volume whose items are none": {
			spec:    `{volumes: [{name: v, secret: {secretName: s, items: []}}], containers: [{name: app}]}`,
			removal: Removal{Files: []File{{Kind: Secret, Name: "s", Keys: []string{"key"}, All: []string{"key", "url"}}}},
			want:    `{volumes: [{name: v, secret: {secretName: s, items: [{key: url, path: url}]}}], containers: [{name: app}]}`,
			show:    []string{"- volume v: file key of Secret s", "+ volume v: items url"},
		},
		"a mount whose path is not known": {
			spec:     `{volumes: [{name: v, secret: {secretName: s}}], containers: [{name: app, volumeMounts: [{name: v, mountPath: /k, subPathExpr: $(F)}]}]}`,
			removal:  Removal{Files: []File{{Kind: Secret, Name: "s", Keys: []string{"key"}, All: []string{"key", "url"}}}},
			want:     `{volumes: [{name: v, secret: {secretName: s, items: [{key: url, path: url}]}}], containers: [{name: app, volumeMounts: [{name: v, mountPath: /k, subPathExpr: $(F)}]}]}`,
			show:     []string{"- volume v: file key of Secret s", "+ volume v: items url"},
			dangling: []string{"container app: the subPathExpr of mount /k of volume v may refer to what it shows no more"},
		},
		"a projected volume's source": {
			spec: `{volumes: [{name: p, projected: {sources: [{secret: {name: s}}, {serviceAccountToken: {path: token}}]}}], containers: [{name: app, volumeMounts:
				[{name: p, mountPath: /p}, {name: p, mountPath: /k, subPath: key}, {name: p, mountPath: /t, subPath: token}]}]}`,
			removal: Removal{Files: []File{{Kind: Secret, Name: "s", Keys: []string{"key"}, All: []string{"key"}}}},
			want: `{volumes: [{name: p, projected: {sources: [{serviceAccountToken: {path: token}}]}}], containers: [{name: app, volumeMounts:
				[{name: p, mountPath: /p}, {name: p, mountPath: /t, subPath: token}]}]}`,
			show: []string{"- volume p: file key of Secret s", "- container app: mount /k of volume p"},
		},
		"a projected volume of nothing else": {
			spec:    `{volumes: [{name: p, projected: {sources: [{secret: {name: s}}]}}], containers: [{name: app, volumeMounts: [{name: p, mountPath: /p}]}]}`,
			removal: Removal{Files: []File{{Kind: Secret, Name: "s"}}},
			want:    `{containers: [{name: app}]}`,
			show:    []string{"- container app: mount /p of volume p", "- volume p: files of Secret s"},
		},
		"volumes of the Secrets Store, by class and by name": {
			spec: `{volumes: [{name: a, csi: {driver: secrets-store.csi.k8s.io, volumeAttributes: {secretProviderClass: aws}}}, {name: b, csi: {driver: other}}, {name: c, csi: {driver: other}}],
				containers: [{name: app, volumeMounts: [{name: a, mountPath: /a}, {name: b, mountPath: /b}, {name: c, mountPath: /c}]}]}`,
			removal: Removal{Files: []File{{Kind: SecretProviderClass, Name: "aws"}, {Kind: CSI, Name: "b"}, {Kind: CSI, Name: "c", Keys: []string{"k"}, All: []string{"k", "l"}}}},
			want:    `{volumes: [{name: c, csi: {driver: other}}], containers: [{name: app, volumeMounts: [{name: c, mountPath: /c}]}]}`,
			show: []string{
				"- container app: mount /a of volume a", "- volume a: files of SecretProviderClass aws",
				"- container app: mount /b of volume b", "- volume b: files of CSI volume b",
			},
			left: []string{"file k of CSI volume c: volume c shows l, too, and the pod cannot choose of them: take the key out of what the volume comes from"},
		},
		"a Secret whose other keys were not read": {
			spec:    `{volumes: [{name: v, secret: {secretName: s}}], containers: [{name: app}]}`,
			removal: Removal{Files: []File{{Kind: Secret, Name: "s", Keys: []string{"a", "b"}, All: []string{"a"}}}},
			want:    `{volumes: [{name: v, secret: {secretName: s}}], containers: [{name: app}]}`,
			left:    []string{"files a, b of Secret s: volume v shows all of it, and what else that is was not read"},
		},
		"a ConfigMap is no Secret of the same name": {
			spec:    `{volumes: [{name: v, configMap: {name: s}}], containers: [{name: app, envFrom: [{configMapRef: {name: s}}]}]}`,
			removal: Removal{Files: []File{{Kind: Secret, Name: "s"}}, EnvFrom: []EnvFrom{{Container: "app", Kind: Secret, Name: "s"}}},
			want:    `{volumes: [{name: v, configMap: {name: s}}], containers: [{name: app, envFrom: [{configMapRef: {name: s}}]}]}`,
			left:    []string{"container app: envFrom Secret s: not there", "files of Secret s: not there"},
		},
		"arguments with their flags, of either form, and alone": {
			spec: `containers: [{name: app, command: [mc, alias, set, id, key], args: [--a, --id=x, --secret, y, -py, --z]}]`,
			removal: Removal{Args: []Arg{
				{"app", Args, 1, 6, "--id"}, {"app", Command, 4, 5, ""}, {"app", Args, 3, 6, "--secret"}, {"app", Args, 4, 6, "-p"},
			}},
			want: `containers: [{name: app, command: [mc, alias, set, id], args: [--a, --z]}]`,
			show: []string{
				"- container app: args element 1", "- container app: args element 2, --secret", "- container app: args element 3",
				"- container app: args element 4", "- container app: command element 4",
			},
		},
		"arguments that are not what they were": {
			spec: `containers: [{name: app, args: [--id, x, --other]}]`,
			removal: Removal{Args: []Arg{
				{"app", Args, 1, 4, "--id"}, {"app", Args, 1, 3, "--key"}, {"app", Args, 3, 3, ""}, {"app", "env", 0, 0, ""}, {"gone", Args, 0, 0, ""},
			}},
			want: `containers: [{name: app, args: [--id, x, --other]}]`,
			left: []string{
				"container app: args element 1: not there", "container app: args element 1: not there", "container app: args element 3: not there",
				"container app: env element 0: not there", "container gone: args element 0: not there",
			},
		},
		"a flag that is a shell's elsewhere": {
			spec:    `containers: [{name: app, args: [run, -c, x]}]`,
			removal: Removal{Args: []Arg{{"app", Args, 2, 3, "-c"}}},
			want:    `containers: [{name: app, args: [run]}]`,
			show:    []string{"- container app: args element 1, -c", "- container app: args element 2"},
		},
		"a script, and arguments of which nothing would be left": {
			spec: `containers: [{name: app, command: [sh, -ec], args: [run --key=x]}, {name: b, args: [--key=x]}, {name: c, command: [run], args: [--key=x]}]`,
			removal: Removal{Args: []Arg{
				{"app", Args, 0, 1, ""}, {"b", Args, 0, 1, "--key"}, {"c", Args, 0, 1, "--key"},
			}},
			want: `containers: [{name: app, command: [sh, -ec], args: [run --key=x]}, {name: b, args: [--key=x]}, {name: c, command: [run]}]`,
			show: []string{"- container c: args element 0"},
			left: []string{
				"container app: args element 0: a shell's whole script: change it by hand",
				"container b: nothing would be left of its args, and the image's own would run: change it by hand",
			},
		},
	} {
		t.Run(name, func(t *testing.T) {
			object := fromYAML(t, "{spec: {template: {spec: "+inline(t, test.spec)+"}}}")
			test.removal.Template = "/spec/template"
			c := patch(t, object, test.removal)
			got := apply(t, object, encoded(t, c.Patch))
			if d := diff(t, fromYAML(t, "{spec: {template: {spec: "+inline(t, test.want)+"}}}"), got); d != "" {
				t.Error("the patched workload:", d)
			}
			if d := cmp.Diff(strings.Join(append(test.show, ""), "\n"), c.Show()); d != "" {
				t.Error("shown:", d)
			}
			if d := cmp.Diff(test.left, c.Left); d != "" {
				t.Error("left:", d)
			}
			if d := cmp.Diff(test.dangling, c.Dangling); d != "" {
				t.Error("dangling:", d)
			}
			if d := diff(t, object, apply(t, got, c.Undo.Reveal())); d != "" {
				t.Error("undone:", d)
			}
		})
	}
}

// inline is YAML on one line.
func inline(t *testing.T, s string) string { return string(fromYAML(t, s)) }
