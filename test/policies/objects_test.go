package policies

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"

	"sigs.k8s.io/yaml"
)

// account is a ServiceAccount named orders, with annotations in YAML's flow style.
func account(annotations string) string {
	return "{apiVersion: v1, kind: ServiceAccount, metadata: {name: orders, annotations: {" + annotations + "}}}"
}

// podOf is a Pod named orders: further metadata, and a spec beside its serviceAccountName.
func podOf(metadata, spec string) string {
	return "{apiVersion: v1, kind: Pod, metadata: {name: orders" + metadata + "}, spec: {serviceAccountName: default, automountServiceAccountToken: false, " + spec + "}}"
}

// app is the container of most.
const app = "containers: [{name: app, image: app}]"

// withEnv is a pod with one variable.
func withEnv(name, value string) string {
	return podOf("", "containers: [{name: app, image: app, env: [{name: "+name+", value: "+value+"}]}]")
}

// withToken is a pod with a volume of its own, of one token.
func withToken(token string) string {
	return podOf("", app+", volumes: [{name: mine, projected: {sources: [{serviceAccountToken: {path: t"+token+"}}]}}]")
}

// brokered is what broker mode makes of a pod, as far as policies look, with what is changed:
// its identities as JSON, and the parts of it that a test replaces.
func brokered(identities string, replace ...string) string {
	value, err := json.Marshal(identities)
	if err != nil {
		panic(err)
	}
	pod := podOf(`, labels: {podpass.io/inject: "true", podpass.io/injected: broker}`, app+`,
		initContainers: [{name: podpass-broker, image: "podpass-broker:test", restartPolicy: Always, env: [{name: PODPASS_IDENTITIES, value: `+string(value)+`}],
			volumeMounts: [{name: podpass-tokens, mountPath: /tokens}]}],
		volumes: [{name: podpass-tokens, projected: {sources: [{serviceAccountToken: {audience: sts.amazonaws.com, path: aws}}]}}]`)
	return strings.NewReplacer(replace...).Replace(pod)
}

const role = `{"aws":{"roleARN":"arn:aws:iam::111122223333:role/shop-a","audience":"sts.amazonaws.com"}}`

// directly is what direct mode makes of a pod.
func directly(volume, audience, env string, replace ...string) string {
	pod := podOf(`, labels: {podpass.io/injected: direct}`, `containers: [{name: app, image: app, env: [`+env+`], volumeMounts: [{name: `+volume+`, mountPath: /t}]}],
		volumes: [{name: `+volume+`, projected: {sources: [{serviceAccountToken: {audience: "`+audience+`", path: token}}]}}]`)
	return strings.NewReplacer(replace...).Replace(pod)
}

// object reads a manifest in YAML.
func object(t testing.TB, manifest string) map[string]any {
	t.Helper()
	var o map[string]any
	if err := yaml.Unmarshal([]byte(manifest), &o); err != nil {
		t.Fatalf("%v\n%s", err, manifest)
	}
	return o
}

// many repeats what a function makes of each number.
func many(n int, of func(int) string) string {
	var parts []string
	for i := range n {
		parts = append(parts, of(i))
	}
	return strings.Join(parts, ", ")
}

// marked is a namespace with labels.
func marked(name string, labels map[string]string) string {
	text, err := json.Marshal(labels)
	if err != nil {
		panic(err)
	}
	return fmt.Sprintf("{apiVersion: v1, kind: Namespace, metadata: {name: %s, labels: %s}}", name, text)
}
