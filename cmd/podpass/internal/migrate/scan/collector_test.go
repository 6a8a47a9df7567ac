package scan

import (
	"bytes"
	"compress/gzip"
	"crypto/rand"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/podpass-io/podpass/cmd/podpass/internal/migrate/graph"
	"github.com/podpass-io/podpass/federation/finding"
	"github.com/podpass-io/podpass/federation/serviceaccount"
)

// id and secret of an access key, made when the test runs.
func accessKey(prefix string) (id, secret string) {
	const alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567"
	b := make([]byte, 46)
	_, _ = rand.Read(b) // it never fails
	for _, c := range b[:16] {
		id += string(alphabet[int(c)%len(alphabet)])
	}
	return prefix + id, "a1/B" + strings.NewReplacer("+", "x", "/", "Y").Replace(base64.StdEncoding.EncodeToString(b[16:43]))
}

// collected is the graph of manifests.
func collected(t *testing.T, documents ...string) *graph.Graph {
	t.Helper()
	c := New("shop", []byte("a key of this test"), time.Date(2026, 5, 4, 0, 0, 0, 0, time.UTC))
	if err := c.Files(strings.NewReader(strings.Join(documents, "\n---\n")), []string{"-"}, serviceaccount.Installation{}); err != nil {
		t.Fatal(err)
	}
	return c.Graph()
}

// lines say what a graph has: where a credential is kept, and which workloads use it.
func lines(g *graph.Graph) []string {
	var all []string
	for _, c := range g.Credentials {
		for _, p := range c.Places {
			line := p.Object.String() + " " + strings.Join(p.Keys, ",")
			for _, u := range p.Uses {
				w := g.Workloads[u.Workload]
				line += fmt.Sprintf("; %s %s %s %s x%d", w.Object, u.Container, u.By, u.As, w.Pods)
			}
			all = append(all, line)
		}
	}
	return all
}

const app = "name: app, image: i, envFrom: [{secretRef: {name: aws}}]"

func secretOf(name, id, secret string) string {
	return "{apiVersion: v1, kind: Secret, metadata: {name: " + name + "}, stringData: {AWS_ACCESS_KEY_ID: " + id + ", AWS_SECRET_ACCESS_KEY: " + secret + "}}"
}

func owned(kind, name, ownerKind, owner, spec string) string {
	return "{apiVersion: v1, kind: " + kind + ", metadata: {name: " + name + ", ownerReferences: [{apiVersion: v1, kind: " + ownerKind + ", name: " + owner + ", uid: u, controller: true}]}, spec: " + spec + "}"
}

// TestOwners: what is made by something that has a pod template counts for that, and what
// is made by something that has none for its maker all the same.
func TestOwners(t *testing.T) {
	id, secret := accessKey("AKIA")
	template := "{template: {spec: {containers: [{" + app + "}]}}}"
	pod := "{containers: [{" + app + "}]}"
	g := collected(t, secretOf("aws", id, secret),
		owned("Pod", "orders-1-a", "ReplicaSet", "orders-1", pod), owned("Pod", "orders-1-b", "ReplicaSet", "orders-1", pod),
		owned("ReplicaSet", "orders-1", "Deployment", "orders", template),
		"{apiVersion: apps/v1, kind: Deployment, metadata: {name: orders}, spec: "+template+"}",
		owned("Pod", "broker-0", "Kafka", "broker", pod), owned("Pod", "broker-1", "Kafka", "broker", pod),
		"{apiVersion: v1, kind: Pod, metadata: {name: alone}, spec: "+pod+"}",
	)
	want := []string{"Secret shop/aws AWS_SECRET_ACCESS_KEY; Deployment shop/orders app env AWS_SECRET_ACCESS_KEY x2; Kafka shop/broker app env AWS_SECRET_ACCESS_KEY x2; Pod shop/alone app env AWS_SECRET_ACCESS_KEY x1"}
	if diff := cmp.Diff(want, lines(g)); diff != "" {
		t.Error(diff)
	}
}

// TestSamePlaces: one credential in several places is one, with the same fingerprint.
func TestSamePlaces(t *testing.T) {
	id, secret := accessKey("AKIA")
	var release bytes.Buffer
	w := gzip.NewWriter(&release)
	_, _ = fmt.Fprintf(w, `{"config":{"s3":{"accessKey":%q,"secretKey":%q}}}`, id, secret) // a buffer takes all
	_ = w.Close()
	text := base64.StdEncoding.EncodeToString([]byte(base64.StdEncoding.EncodeToString(release.Bytes())))
	g := collected(t, secretOf("aws", id, secret), secretOf("copy", id, secret),
		"{apiVersion: v1, kind: Secret, type: helm.sh/release.v1, metadata: {name: sh.helm.release.v1.shop.v1}, data: {release: "+text+"}}",
		"{apiVersion: helm.toolkit.fluxcd.io/v2, kind: HelmRelease, metadata: {name: shop}, spec: {values: {accessKey: "+id+", secretKey: "+secret+"}}}",
		"{apiVersion: apps/v1, kind: Deployment, metadata: {name: orders}, spec: {template: {spec: {containers: [{"+app+"}]}}}}",
	)
	want := []string{
		"HelmRelease shop/shop spec", "Secret shop/aws AWS_SECRET_ACCESS_KEY; Deployment shop/orders app env AWS_SECRET_ACCESS_KEY x0",
		"Secret shop/copy AWS_SECRET_ACCESS_KEY", "Secret shop/sh.helm.release.v1.shop.v1 release",
	}
	if diff := cmp.Diff(want, lines(g)); diff != "" || len(g.Credentials) != 1 {
		t.Errorf("%d credentials: %s", len(g.Credentials), diff)
	}
	if c := g.Credentials[0]; c.ID != id || c.Severity != finding.Error || len(c.Fingerprint) != 16 {
		t.Errorf("%+v", c)
	}
}

// TestApart: an ID and its secret in two objects belong together where one container reads
// both; what is temporary by the other's ID is none.
func TestApart(t *testing.T) {
	for prefix, want := range map[string]int{"AKIA": 1, "ASIA": 0} {
		id, secret := accessKey(prefix)
		g := collected(t,
			"{apiVersion: v1, kind: ConfigMap, metadata: {name: c}, data: {id: "+id+"}}",
			"{apiVersion: v1, kind: Secret, metadata: {name: s}, stringData: {secret: "+secret+"}}",
			"{apiVersion: batch/v1, kind: Job, metadata: {name: j}, spec: {template: {spec: {containers: [{name: app, image: i, env: [{name: AWS_ACCESS_KEY_ID, valueFrom: {configMapKeyRef: {name: c, key: id}}}, {name: AWS_SECRET_ACCESS_KEY, valueFrom: {secretKeyRef: {name: s, key: secret}}}]}]}}}}",
		)
		if len(g.Credentials) != want {
			t.Fatalf("%s: %d credentials, want %d", prefix, len(g.Credentials), want)
		}
		if want == 1 && g.Credentials[0].ID != id {
			t.Errorf("its ID is %q, want %q", g.Credentials[0].ID, id)
		}
	}
}

// TestUnread: what could not be read, and is used as a key, is said with the reason.
func TestUnread(t *testing.T) {
	use := func(kind, name string) string {
		return "{apiVersion: v1, kind: Pod, metadata: {name: " + strings.ToLower(kind) + "}, spec: {containers: [{name: app, image: i, env: [{name: AWS_SECRET_ACCESS_KEY, valueFrom: {secretKeyRef: {name: " + name + ", key: k}}}]}]}}"
	}
	g := collected(t,
		use("Sealed", "sealed"), use("External", "target"), use("Sops", "sops"), use("Missing", "missing"),
		"{apiVersion: bitnami.com/v1alpha1, kind: SealedSecret, metadata: {name: sealed}, spec: {encryptedData: {AWS_SECRET_ACCESS_KEY: AgB"+strings.Repeat("x7Q", 200)+"}}}",
		"{apiVersion: external-secrets.io/v1, kind: ExternalSecret, metadata: {name: e}, spec: {target: {name: target}}}",
		"{apiVersion: v1, kind: Secret, metadata: {name: sops}, data: {k: 'ENC[AES256_GCM,data:x,iv:y,tag:z,type:str]'}, sops: {version: 3.9.0}}",
		"{apiVersion: v1, kind: Pod, metadata: {name: other}, spec: {containers: [{name: app, image: i, env: [{name: PASSWORD, valueFrom: {secretKeyRef: {name: unseen, key: k}}}]}]}}",
	)
	if len(g.Credentials) > 0 {
		t.Errorf("found %v", lines(g))
	}
	got := map[string]string{}
	for _, u := range g.Unread {
		got[u.What] = u.Why
		if len(u.Uses) != 1 || u.Uses[0].As != "AWS_SECRET_ACCESS_KEY" {
			t.Errorf("%s is used by %+v", u.What, u.Uses)
		}
	}
	want := map[string]string{
		"Secret shop/missing": "it is not among what was read",
		"Secret shop/sealed":  "SealedSecret shop/sealed makes it of values that are kept elsewhere",
		"Secret shop/target":  "ExternalSecret shop/e makes it of values that are kept elsewhere",
		"Secret shop/sops":    "its values are encrypted by SOPS",
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
}

// TestPull: a ServiceAccount's secrets for pulling are used by the pods of its workloads.
func TestPull(t *testing.T) {
	auth := base64.StdEncoding.EncodeToString([]byte("shop:" + strings.Repeat("p4S", 8)))
	g := collected(t,
		"{apiVersion: v1, kind: ServiceAccount, metadata: {name: puller}, imagePullSecrets: [{name: acr}]}",
		"{apiVersion: apps/v1, kind: Deployment, metadata: {name: orders}, spec: {template: {spec: {serviceAccountName: puller, containers: [{name: app, image: i}]}}}}",
		`{apiVersion: v1, kind: Secret, type: kubernetes.io/dockerconfigjson, metadata: {name: acr}, stringData: {.dockerconfigjson: '{"auths":{"shop.azurecr.io":{"auth":"`+auth+`"}}}'}}`,
	)
	want := []string{"Secret shop/acr .dockerconfigjson; Deployment shop/orders  imagePullSecret imagePullSecrets of its ServiceAccount x0"}
	if diff := cmp.Diff(want, lines(g)); diff != "" {
		t.Error(diff)
	}
}

// TestSeverity: by whether something uses it, and whether it has ended.
func TestSeverity(t *testing.T) {
	id, secret := accessKey("AKIA")
	sas := func(end string) string {
		return "https://files.blob.core.windows.net/c?sv=2024-11-04&se=" + end + "&sp=r&sig=" + strings.ReplaceAll(base64.StdEncoding.EncodeToString([]byte("0123456789abcdef"+end[:10]+"ABCDEF")), "=", "%3D")
	}
	g := collected(t, secretOf("aws", id, secret),
		"{apiVersion: v1, kind: Secret, metadata: {name: ended}, stringData: {url: '"+sas("2026-05-03T00:00:00Z")+"'}}",
		"{apiVersion: v1, kind: Secret, metadata: {name: ends}, stringData: {url: '"+sas("2026-05-05T00:00:00Z")+"'}}",
		"{apiVersion: v1, kind: Secret, metadata: {name: undo, labels: {podpass.io/migration: x}}, stringData: {undo: '"+sas("2027-05-05T00:00:00Z")+"'}}",
		"{apiVersion: v1, kind: Pod, metadata: {name: p}, spec: {containers: [{"+app+"}]}}",
	)
	got := map[string]finding.Severity{}
	for _, c := range g.Credentials {
		if p := c.Places[0]; p.Read != (p.Object.Name == "aws") || p.Kept != (p.Object.Name == "undo") {
			t.Errorf("%s: read %t, kept %t", p.Object, p.Read, p.Kept)
		}
		got[c.Places[0].Object.Name] = c.Severity
	}
	want := map[string]finding.Severity{"aws": finding.Error, "ends": finding.Warning, "ended": finding.Info, "undo": finding.Info}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
}

// TestFolder: what is no manifest is looked at as a text; what is not to be read is not.
func TestFolder(t *testing.T) {
	id, secret := accessKey("AKIA")
	dir := t.TempDir()
	for name, text := range map[string]string{
		"list.json":              `{"kind":"List","apiVersion":"v1","items":[{"apiVersion":"v1","kind":"Secret","metadata":{"name":"aws"},"stringData":{"a":"` + id + `","secret":"` + secret + `"}}]}`,
		"chart/values.yaml":      "s3:\n  accessKey: " + id + "\n  secretKey: " + secret + "\n",
		"chart/templates/x.yaml": "{{ if .Values.x }}\nkind: Secret\n{{ end }}\n",
		".env":                   "AWS_ACCESS_KEY_ID=" + id + "\nAWS_SECRET_ACCESS_KEY=" + secret + "\n",
		".git/config":            "[x]\naws_access_key_id=" + id + "\naws_secret_access_key=" + secret + "\n",
		"large.bin":              strings.Repeat("x", maxLoose+1),
	} {
		file := filepath.Join(dir, name)
		if err := errors.Join(os.MkdirAll(filepath.Dir(file), 0o755), os.WriteFile(file, []byte(text), 0o600)); err != nil {
			t.Fatal(err)
		}
	}
	c := New("shop", []byte("k"), time.Now())
	if err := c.Files(nil, []string{dir}, serviceaccount.Installation{}); err != nil {
		t.Fatal(err)
	}
	g := c.Graph()
	var got []string
	for _, line := range lines(g) {
		got = append(got, strings.ReplaceAll(line, dir, "DIR"))
	}
	slices.Sort(got)
	want := []string{"File DIR/.env .env", "File DIR/chart/values.yaml values.yaml", "Secret shop/aws secret"}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
	if len(g.Unread) != 1 || !strings.Contains(g.Unread[0].What, "large.bin") {
		t.Errorf("not read: %v", g.Unread)
	}
	broken := filepath.Join(dir, "broken.yaml")
	if err := os.WriteFile(broken, []byte("a: {b: "+secret), 0o600); err != nil {
		t.Fatal(err)
	}
	err := New("shop", []byte("k"), time.Now()).Files(nil, []string{broken}, serviceaccount.Installation{})
	if err == nil || strings.Contains(err.Error(), secret) || !strings.Contains(err.Error(), "broken.yaml: document 1: not YAML") {
		t.Errorf("a broken manifest: %v", err)
	}
}

// TestItems: a list is read as a stream, whatever the order of its members.
func TestItems(t *testing.T) {
	for text, want := range map[string]string{
		`{"kind":"List","metadata":{"continue":"next"},"items":[{"a":1},{"b":2}]}`: `next {"a":1} {"b":2}`,
		`{"items":[{"a":1}],"metadata":{"continue":"c"}}`:                          `c {"a":1}`,
		`{"items":[],"metadata":{}}`:                                               ``,
		`{"items":null,"metadata":{}}`:                                             ``,
		`{"metadata":{}}`:                                                          ``,
	} {
		var got []string
		meta, err := items(strings.NewReader(text), func(raw json.RawMessage) error {
			got = append(got, string(raw))
			return nil
		})
		if line := strings.TrimSpace(meta.Continue + " " + strings.Join(got, " ")); err != nil || line != want {
			t.Errorf("%s: %q, %v, want %q", text, line, err, want)
		}
	}
	for _, text := range []string{"", `{"items":[{"a":1}`, `{"items":[{"a":}]}`, `[`} {
		if _, err := items(strings.NewReader(text), func(json.RawMessage) error { return nil }); err == nil {
			t.Errorf("%q is taken for a list", text)
		}
	}
}
