package mistakes

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"encoding/pem"
	"maps"
	"math/big"
	"slices"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/podpass-io/podpass/federation/azure"
	"github.com/podpass-io/podpass/federation/gcp"
	sa "github.com/podpass-io/podpass/federation/serviceaccount"
	"github.com/podpass-io/podpass/webhook/inject"
)

type object = map[string]any

// generator draws values from a JSON schema. Where that leaves a text open, because a
// template checks it, it draws from what people write there, good and bad.
type generator struct {
	root object
	pki  string
}

// values draws some of the chart's values.
func (g *generator) values(t *rapid.T, names []string) object {
	values := object{}
	properties := g.root["properties"].(object)
	for _, name := range names {
		// Most sets have few values, so that one bad text does not spoil them all.
		if rapid.IntRange(0, 2).Draw(t, "with "+name) == 0 {
			values[name] = g.draw(t, name, properties[name].(object))
		}
	}
	return values
}

func (g *generator) draw(t *rapid.T, at string, schema object) any {
	if ref, ok := schema["$ref"].(string); ok {
		definition := g.root["definitions"].(object)[strings.TrimPrefix(ref, "#/definitions/")]
		return g.draw(t, at, definition.(object))
	}
	if values, ok := schema["enum"].([]any); ok {
		return rapid.SampledFrom(values).Draw(t, at)
	}
	kind := schema["type"]
	if kinds, ok := kind.([]any); ok {
		kind = rapid.SampledFrom(kinds).Draw(t, at+" type")
	}
	switch kind {
	case "object":
		return g.object(t, at, schema)
	case "array":
		list := []any{}
		for range rapid.IntRange(0, 2).Draw(t, at+" length") {
			list = append(list, g.draw(t, at+"[]", schema["items"].(object)))
		}
		return list
	case "boolean":
		return rapid.Bool().Draw(t, at)
	case "integer":
		least, most := int(schema["minimum"].(float64)), int(schema["maximum"].(float64))
		return rapid.OneOf(rapid.IntRange(least, most), rapid.SampledFrom([]int{least, most, 9911})).
			Filter(func(n int) bool { return n >= least && n <= most }).Draw(t, at)
	case "number":
		return rapid.OneOf(rapid.Float64Range(0, 10), rapid.SampledFrom([]float64{0, 1, 0.5, 1 << 24, 1 << 40})).Draw(t, at)
	}
	return g.text(t, at, schema)
}

func (g *generator) object(t *rapid.T, at string, schema object) object {
	o := object{}
	required := map[string]bool{}
	if list, ok := schema["required"].([]any); ok {
		for _, name := range list {
			required[name.(string)] = true
		}
	}
	properties, _ := schema["properties"].(object)
	for _, name := range slices.Sorted(maps.Keys(properties)) {
		// Of many properties a few: all at once rarely go together.
		if required[name] || rapid.IntRange(0, max(1, len(properties)/3)).Draw(t, at+" with "+name) == 0 {
			o[name] = g.draw(t, at+"."+name, properties[name].(object))
		}
	}
	for pattern, of := range asObject(schema["patternProperties"]) {
		names := rapid.StringMatching(pattern)
		switch {
		case strings.HasSuffix(at, ".stsEndpoints"):
			names = rapid.OneOf(names, rapid.SampledFrom([]string{"aws", "minio"}))
		case strings.HasSuffix(at, ".clusters"):
			names = rapid.OneOf(names, rapid.SampledFrom([]string{"a", "b", "in-cluster"}))
		case strings.HasSuffix(at, ".tokenSources"):
			names = rapid.OneOf(names, rapid.SampledFrom([]string{"a", "b"})) // that mappings may name, too
		}
		for range rapid.IntRange(0, 2).Draw(t, at+" members") {
			o[names.Draw(t, at+" name")] = g.draw(t, at+".<name>", of.(object))
		}
	}
	return o
}

func asObject(v any) object {
	o, _ := v.(object)
	return o
}

// text draws a text.
func (g *generator) text(t *rapid.T, at string, schema object) string {
	most := 1 << 16
	if n, ok := schema["maxLength"].(float64); ok {
		most = int(n)
	}
	fits := func(s string) bool { return len([]rune(s)) <= most }
	if open := g.open(at); open != nil {
		return open.Filter(fits).Draw(t, at)
	}
	if pattern, ok := schema["pattern"].(string); ok {
		return rapid.StringMatching(pattern).Filter(fits).Draw(t, at)
	}
	return rapid.StringN(0, min(most, 40), -1).Draw(t, at)
}

// open is what is drawn of texts that the schema leaves to the templates; nil: of others.
func (g *generator) open(at string) *rapid.Generator[string] {
	switch {
	case strings.Contains(at, "mappings[].annotations"):
		_, key, _ := strings.Cut(at, ".annotations.")
		return annotation(key)
	case strings.HasSuffix(at, "caBundle"):
		return rapid.SampledFrom([]string{
			"", g.pki, g.pki + g.pki, "# Example\n" + g.pki + "# the end\n", "none", strings.Replace(g.pki, "-----END", "----END", 1), "  " + g.pki,
			strings.ReplaceAll(g.pki, "\n", "\r\n"), g.pki + "x", strings.TrimSpace(g.pki), strings.Replace(g.pki, "-----\n", "-----\nA: b\n\n", 1), strings.Replace(g.pki, "=\n", "\n", 1),
			strings.ReplaceAll(g.pki, "CERTIFICATE", "PUBLIC KEY"), g.pki + "-----BEGIN CERTIFICATE-----\n", strings.ReplaceAll(g.pki, "-----\n", "----- \n"),
		})
	case strings.HasPrefix(at, "broker.proxy.h"):
		return rapid.OneOf(rapid.StringMatching(`(https?|socks5h?|ftp)://[a-zA-Z0-9._-]{1,9}(:[0-9]{1,5})?/?`), urls())
	case strings.HasSuffix(at, "image.repository"):
		return rapid.OneOf(rapid.StringMatching(inject.RepositoryPattern), rapid.SampledFrom([]string{"", "a:1", "A", "example.com:5000/a/b", "a@sha256:0", "a//b", "/a", "a_b__c", "a---b", "a..b"}))
	case strings.HasSuffix(at, "gcp.defaultProvider"):
		return rapid.OneOf(rapid.StringMatching(gcp.ProviderPattern), rapid.SampledFrom([]string{"", "projects/p/locations/global/workloadIdentityPools/pool/providers/provider", "identitynamespace:x"}))
	case strings.HasSuffix(at, "azure.tenantID"):
		return rapid.OneOf(rapid.StringMatching(azure.TenantPattern), rapid.SampledFrom([]string{"", "x", "https://login.example.com/x", "contoso.onmicrosoft.com"}))
	case strings.HasSuffix(at, "fleetIdentityProvider"):
		return rapid.SampledFrom([]string{"", "https://container.googleapis.com/v1/projects/p/locations/l/clusters/c", "https://", "https://a b", "x", "https://u:p@h"})
	case strings.HasSuffix(at, "Endpoint"), strings.HasSuffix(at, "stsEndpoints.<name>"), strings.HasSuffix(at, "authorityHost"), strings.HasSuffix(at, "tokenURL"), strings.HasSuffix(at, ".server"):
		return urls()
	}
	return nil
}

// urls are good ones, mostly, and all that may be wrong with one.
func urls() *rapid.Generator[string] {
	good := rapid.StringMatching(`https://[a-z0-9]([a-z0-9-]{0,5}[a-z0-9])?(\.[a-z0-9]{1,5}){1,2}(:[1-9][0-9]{0,3})?(/[a-zA-Z0-9._~-]{0,9}){0,2}`)
	odd := rapid.StringMatching(`(https?|ftp|HTTPS)?(://|:/|//)(user:pass@)?([a-zA-Z0-9._-]{0,9}|\[[0-9a-f:]{2,9}\]|127\.[0-9]{1,3}\.[0-9]{1,3}\.1|localhost)(:[0-9]{0,5})?(/[ -~]{0,9})?(\?[a-z=]{0,3})?(#[a-z]{0,2})?`)
	some := rapid.SampledFrom([]string{
		"", "http://localhost:9000", "http://127.0.0.1", "http://[::1]:8080", "http://[0:0:0:0:0:0:0:1]", "https://[2001:db8::1]:443/path", "https://[::ffff:1.2.3.4]", "https://[fe80::1%25eth0]",
		"https://a_b.example.com", "https://example.com.", "https://example.com:0", "https://example.com:65536", "https://example.com/%zz", "https://example.com/%2F", "https://exämple.com", "https://example.com\n", "https:example.com",
	})
	return rapid.OneOf(good, good, good, some, odd)
}

// annotation draws a value of a key: mostly what the chart's pattern takes, and anything.
func annotation(key string) *rapid.Generator[string] {
	anything := rapid.StringN(0, 20, -1)
	if key == "<name>" {
		key = sa.KeyAWSNamedRole
	}
	pattern, ok := sa.AnnotationPatterns()[key]
	switch {
	case !ok:
		return anything
	case strings.Contains(key, "role"):
		return rapid.OneOf(
			rapid.SampledFrom([]string{"", "orders", "team/orders", "arn:aws:iam::111122223333:role/orders", "arn:aws:iam::111122223333:role/team/x", "arn:aws-cn:iam::111122223333:role/orders", "arn:minio:iam:::role/x", "arn:aws:iam:::role/x"}),
			rapid.StringMatching(pattern))
	case strings.Contains(key, "policy"):
		return rapid.SampledFrom([]string{"{}", "{", "[]", `{"Version":"2012-10-17"}`, "{}}", `{"a":` + strings.Repeat(" ", 2100) + `1}`, "{}{}", `{"a":1,"a":2}`})
	}
	return rapid.OneOf(rapid.StringMatching(pattern), rapid.StringMatching(pattern), rapid.StringMatching(pattern), anything)
}

// authority is a CA's certificate, in PEM.
func authority(t *testing.T) string {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{SerialNumber: big.NewInt(1), NotBefore: time.Unix(0, 0), NotAfter: time.Now().AddDate(1, 0, 0), IsCA: true, BasicConstraintsValid: true}
	der, err := x509.CreateCertificate(rand.Reader, template, template, &key.PublicKey, key)
	if err != nil {
		t.Fatal(err)
	}
	return string(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der}))
}
