package plan

import (
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	corev1 "k8s.io/api/core/v1"

	"github.com/podpass-io/podpass/cmd/podpass/internal/migrate/edit"
	"github.com/podpass-io/podpass/test/statickeys"
)

// keyOf is the ID and the secret of a key that is made for the test.
func keyOf(t *testing.T, name string) (id, secret string, all []statickeys.Case) {
	t.Helper()
	all = statickeys.Cases("shop")
	c := all[slices.IndexFunc(all, func(c statickeys.Case) bool { return c.Name == name })]
	return c.ID, c.Secrets[0], all
}

// deployment with containers, volumes and annotations of its template and of its own.
const deployment = `
apiVersion: apps/v1
kind: Deployment
metadata: {namespace: shop, name: orders, annotations: {OWN}}
spec:
  template:
    metadata: {annotations: {TEMPLATE}}
    spec:
      serviceAccountName: orders
      containers: [CONTAINERS]
      volumes: [VOLUMES]
---
apiVersion: v1
kind: Secret
metadata: {namespace: shop, name: keys}
stringData: {id: KEYID, secret: KEYSECRET, other: x}
---
apiVersion: v1
kind: Secret
metadata: {namespace: shop, name: variables}
stringData: {AWS_ACCESS_KEY_ID: KEYID, AWS_SECRET_ACCESS_KEY: KEYSECRET, AWS_REGION: eu-central-1, "0-no-variable": x}
`

// TestRemovals: what is taken out of a template, and what a person has to do.
func TestRemovals(t *testing.T) {
	const (
		ref     = `{name: NAME, valueFrom: {secretKeyRef: {name: keys, key: KEY}}}`
		copied  = `kubectl.kubernetes.io/last-applied-configuration: "{}"`
		another = `, {name: other, image: other, env: [{name: AWS_ACCESS_KEY_ID, value: of another}]}`
	)
	idRef, secretRef := strings.NewReplacer("NAME", "S3_ID", "KEY", "id").Replace(ref), strings.NewReplacer("NAME", "S3_SECRET", "KEY", "secret").Replace(ref)
	id, secret, all := keyOf(t, "env-literal")
	for name, test := range map[string]struct {
		own, template, containers, volumes string
		want                               edit.Removal
		byHand, note                       string
	}{
		"variables of other names": {
			own: copied, containers: `{name: app, image: a, env: [` + idRef + `, ` + secretRef + `, {name: AWS_REGION, value: eu-central-1}]}`,
			want: edit.Removal{Env: []edit.Env{{Container: "app", Name: "S3_ID"}, {Container: "app", Name: "S3_SECRET"}}},
		},
		"literals, of which kubectl has a copy": {
			own: copied, containers: `{name: app, image: a, env: [{name: AWS_ACCESS_KEY_ID, value: KEYID}, {name: AWS_SECRET_ACCESS_KEY, value: KEYSECRET}]}` + another,
			want: edit.Removal{
				Env:            []edit.Env{{Container: "app", Name: "AWS_ACCESS_KEY_ID"}, {Container: "app", Name: "AWS_SECRET_ACCESS_KEY"}},
				OwnAnnotations: []string{corev1.LastAppliedConfigAnnotation},
			},
		},
		"the cloud's other variables, of the container alone": {
			containers: `{name: app, image: a, env: [{name: AWS_SESSION_TOKEN, value: ""}, ` + strings.NewReplacer("NAME", "AWS_SECRET_ACCESS_KEY", "KEY", "secret").Replace(ref) + `, {name: AWS_ACCESS_KEY_ID, value: KEYID}]}` + another,
			want:       edit.Removal{Env: []edit.Env{{Container: "app", Name: "AWS_ACCESS_KEY_ID"}, {Container: "app", Name: "AWS_SECRET_ACCESS_KEY"}, {Container: "app", Name: "AWS_SESSION_TOKEN"}}},
		},
		"all of a Secret": {
			containers: `{name: app, image: a, envFrom: [{secretRef: {name: variables}}]}`,
			want: edit.Removal{EnvFrom: []edit.EnvFrom{{Container: "app", Kind: "Secret", Name: "variables",
				Keys: []string{"AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"}, Keep: []string{"AWS_REGION"}}}},
		},
		"files, in two containers": {
			containers: `{name: app, image: a, volumeMounts: [{name: k, mountPath: /k}], env: [{name: FILE, value: /k/secret}]}, {name: b, image: b, volumeMounts: [{name: k, mountPath: /b}]}`,
			volumes:    `{name: k, secret: {secretName: keys}}`,
			want: edit.Removal{
				Env:   []edit.Env{{Container: "app", Name: "FILE"}},
				Files: []edit.File{{Kind: "Secret", Name: "keys", Keys: []string{"id", "secret"}, All: []string{"id", "other", "secret"}}},
			},
		},
		"flags with their values": {
			own: copied, containers: `{name: app, image: a, command: [serve], args: ["--id=KEYID", "-v", "--secret=KEYSECRET"]}`,
			want: edit.Removal{
				Args:           []edit.Arg{{Container: "app", List: "args", Index: 0, Of: 3, Flag: "--id"}, {Container: "app", List: "args", Index: 2, Of: 3, Flag: "--secret"}},
				OwnAnnotations: []string{corev1.LastAppliedConfigAnnotation},
			},
		},
		"flags and values, and values alone": {
			containers: `{name: app, image: a, command: [serve, -i, KEYID, KEYSECRET]}`,
			want:       edit.Removal{Args: []edit.Arg{{Container: "app", List: "command", Index: 2, Of: 4, Flag: "-i"}, {Container: "app", List: "command", Index: 3, Of: 4}}},
		},
		"a shell's script": {
			containers: `{name: app, image: a, command: [sh, -c, "serve --id KEYID --secret KEYSECRET"]}`,
			want:       edit.Removal{Args: []edit.Arg{{Container: "app", List: "command", Index: 2, Of: 3}}},
			byHand:     "a shell's whole script: change it by hand",
		},
		"an argument twice": {
			containers: `{name: app, image: a, args: ["--id=KEYID", "--secret=KEYSECRET", "--id=KEYID", "--secret=KEYSECRET"]}`,
			byHand:     "the key stands in its command line more than once",
		},
		"annotations": {
			template: `backup: '{"accessKeyId": "KEYID", "secretAccessKey": "KEYSECRET"}'`, containers: `{name: app, image: a}`,
			want: edit.Removal{Annotations: []string{"backup"}},
		},
		"an address": {
			containers: `{name: app, image: a, env: [{name: URL, value: "s3://KEYID:KEYSECRET@bucket"}]}`,
			want:       edit.Removal{Env: []edit.Env{{Container: "app", Name: "URL"}}},
			note:       "env URL goes as a whole",
		},
	} {
		t.Run(name, func(t *testing.T) {
			text := strings.NewReplacer("OWN", test.own, "TEMPLATE", test.template, "CONTAINERS", test.containers, "VOLUMES", test.volumes).Replace(deployment)
			f := made(t, []byte(strings.NewReplacer("KEYID", id, "KEYSECRET", secret).Replace(text)), testOptions())
			if len(f.Plan.Steps) != 1 {
				t.Fatalf("%d steps", len(f.Plan.Steps))
			}
			s := f.Plan.Steps[0]
			var got edit.Removal
			if len(s.Removals) > 0 {
				got = s.Removals[0]
				test.want.Template = "/spec/template"
			}
			if diff := cmp.Diff(test.want, got); diff != "" {
				t.Error(diff)
			}
			for what, says := range map[string]struct {
				got  []string
				want string
			}{"by hand": {s.ByHand, test.byHand}, "notes": {s.Notes, test.note}} {
				if text := strings.Join(says.got, "; "); says.want == "" && text != "" || !strings.Contains(text, says.want) {
					t.Errorf("%s: %q, want %q", what, text, says.want)
				}
			}
			for file, b := range f.Files {
				statickeys.NotShown(t, file, b, all)
			}
		})
	}
}
