package bench

import (
	"bytes"
	"compress/gzip"
	"crypto/rand"
	"encoding/base32"
	"encoding/base64"
	"encoding/binary"
	"encoding/json"
	"fmt"
	"strings"
	"testing"

	corev1 "k8s.io/api/core/v1"

	"github.com/podpass-io/podpass/test/program"
)

// secretKinds makes what Secrets hold. Keys are made when it runs: a scanner of
// repositories takes none of them for somebody's.
type secretKinds struct {
	certificate, key []byte
}

func newSecretKinds(b *testing.B) secretKinds {
	b.Helper()
	var k secretKinds
	k.certificate, k.key = program.Certificate(b)
	return k
}

// static is the i-th static key: of AWS and Azure in turn.
func (k secretKinds) static(i int) map[string][]byte {
	if i%2 == 0 {
		return map[string][]byte{
			"AWS_ACCESS_KEY_ID": []byte(accessKeyID()), "AWS_SECRET_ACCESS_KEY": []byte("aZ3/" + text(30) + "q7B+k9"), "AWS_REGION": []byte("eu-central-1"),
		}
	}
	return map[string][]byte{
		"AZURE_TENANT_ID": []byte(uuid()), "AZURE_CLIENT_ID": []byte(uuid()), "AZURE_CLIENT_SECRET": []byte("aB" + text(1) + "8Q~" + text(34)),
	}
}

// accessKeyID is one of account 111122223333, which its first bits say.
func accessKeyID() string {
	const account = 111122223333
	var raw [10]byte
	_, _ = rand.Read(raw[:]) // it never fails
	// A bit that is set, 40 of the account, and others.
	binary.BigEndian.PutUint64(raw[:], 1<<63|account<<23|binary.BigEndian.Uint64(raw[:])&(1<<23-1))
	return "AKIA" + base32.StdEncoding.EncodeToString(raw[:])
}

// ordinary is what most Secrets hold, of 200 bytes to 4 KiB: passwords, certificates, pull
// credentials of a registry, files of settings.
func (k secretKinds) ordinary(i int) (corev1.SecretType, map[string][]byte) {
	switch i % 8 {
	case 0, 1, 2, 3:
		data := map[string][]byte{"username": []byte("app"), "password": []byte(text(32)), "token": []byte(text(64))}
		for n := range i / 8 % 4 {
			data[fmt.Sprintf("api-%d", n)] = []byte(text(48))
		}
		return corev1.SecretTypeOpaque, data
	case 4, 5:
		chain := bytes.Repeat(k.certificate, 3) // itself and those that signed it
		return corev1.SecretTypeTLS, map[string][]byte{corev1.TLSCertKey: chain, corev1.TLSPrivateKeyKey: k.key, "ca.crt": k.certificate}
	case 6:
		auth := base64.StdEncoding.EncodeToString([]byte("robot:" + text(40)))
		return corev1.SecretTypeDockerConfigJson, map[string][]byte{corev1.DockerConfigJsonKey: fmt.Appendf(nil, `{"auths":{"registry.example.com":{"auth":%q}}}`, auth)}
	default:
		return corev1.SecretTypeOpaque, map[string][]byte{"config.yaml": settings(1024 + i%3*1024)}
	}
}

// settings are a file of about n bytes.
func settings(n int) []byte {
	var file bytes.Buffer
	for i := 0; file.Len() < n; i++ {
		fmt.Fprintf(&file, "service%d:\n  url: https://service-%d.example.com/api/v1\n  user: app\n  password: %s\n  timeout: %ds\n", i, i, text(24), i)
	}
	return file.Bytes()
}

// release is one of Helm's as it keeps them: compressed JSON in base64, of about 100 KiB.
func (k secretKinds) release(i int, name string) []byte {
	const size, templates = 100 << 10, 24
	var compressed bytes.Buffer
	zip := gzip.NewWriter(&compressed)
	// Base64 makes four bytes of three; of text and the base64 of templates in it remains
	// about a third.
	manifest := string(settings(size * 3 / 4))
	var files []map[string]string
	for n := range templates {
		files = append(files, map[string]string{"name": fmt.Sprintf("templates/%d.yaml", n), "data": base64.StdEncoding.EncodeToString(settings(size / templates))})
	}
	err := json.NewEncoder(zip).Encode(map[string]any{
		"name": name, "namespace": "team", "version": i, "info": map[string]any{"status": "deployed"},
		"chart":    map[string]any{"metadata": map[string]any{"name": "app", "version": "1.2.3"}, "templates": files, "values": map[string]any{"replicas": 5}},
		"config":   map[string]any{"image": map[string]any{"tag": "1.2.3"}, "password": text(24)},
		"manifest": manifest,
	})
	if err != nil || zip.Close() != nil {
		panic("compression into memory does not fail")
	}
	return []byte(base64.StdEncoding.EncodeToString(compressed.Bytes()))
}

// text is random, of letters and digits.
func text(n int) string {
	const alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789"
	raw := make([]byte, n)
	_, _ = rand.Read(raw) // it never fails
	var b strings.Builder
	for _, c := range raw {
		b.WriteByte(alphabet[int(c)%len(alphabet)])
	}
	return b.String()
}

func uuid() string {
	var raw [16]byte
	_, _ = rand.Read(raw[:]) // it never fails
	raw[6], raw[8] = 0x40|raw[6]&0x0f, 0x80|raw[8]&0x3f
	return fmt.Sprintf("%x-%x-%x-%x-%x", raw[:4], raw[4:6], raw[6:8], raw[8:10], raw[10:])
}
