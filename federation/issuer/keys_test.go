package issuer_test

import (
	"encoding/json"
	"errors"
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/podpass-io/podpass/federation/issuer"
)

// The kids are openssl's: openssl pkey -pubin -in FILE -outform DER | openssl sha256
// -binary, in base64url.
const (
	rsaID      = "yB1vOYcUNe4LEk_4Kq4PP9bMAC4tpSVe9AFI8fTBKrU"
	ecID       = "PKTu8Mwdt6GrR1mRRoXR5NIseawW68lf5EFMUPPRKeA"
	shortRSAID = "42zCZ256geWcNK7v7x-f0uh6rUdr4pNjxEPSt29DL-Q"
	ec384ID    = "XYIeQuiFdMvPLHl5mtx3rSyq3pOgMfyBcwSSFxfLFoY"
)

func keysOf(t testing.TB, files ...string) issuer.Keys {
	t.Helper()
	var all issuer.Keys
	for _, f := range files {
		content, err := os.ReadFile("testdata/" + f)
		if err != nil {
			t.Fatal(err)
		}
		keys, err := issuer.ParsePublicKeys(content)
		if err != nil {
			t.Fatalf("%s: %v", f, err)
		}
		all = append(all, keys...)
	}
	return all
}

// TestKeyID: the kid is the API server's, from each form in which a public key comes.
func TestKeyID(t *testing.T) {
	for file, want := range map[string]string{
		"rsa.pub": "RS256 2048 bits kid " + rsaID, "rsa-pkcs1.pub": "RS256 2048 bits kid " + rsaID,
		"ec.pub": "ES256 256 bits kid " + ecID, "ec.crt": "ES256 256 bits kid " + ecID,
		"ec-384.pub": "ES384 384 bits kid " + ec384ID, "rsa-1024.pub": "RS256 1024 bits kid " + shortRSAID,
	} {
		if got := keysOf(t, file)[0].String(); got != want {
			t.Errorf("%s: %s, want %s", file, got, want)
		}
	}
}

// TestJWKS: what is published reads back as the same keys, in an order of its own, and
// has exactly the members that Google takes.
func TestJWKS(t *testing.T) {
	keys := keysOf(t, "rsa.pub", "ec.pub")
	text, err := keys.JWKS()
	if err != nil {
		t.Fatal(err)
	}
	var set struct{ Keys []map[string]string }
	if err := json.Unmarshal(text, &set); err != nil {
		t.Fatal(err)
	}
	var members [][]string
	for _, k := range set.Keys {
		names := []string{k["kid"]}
		for name := range k {
			names = append(names, name)
		}
		slices.Sort(names[1:])
		members = append(members, names)
	}
	if diff := cmp.Diff([][]string{
		{ecID, "alg", "crv", "kid", "kty", "use", "x", "y"},
		{rsaID, "alg", "e", "kid", "kty", "n", "use"},
	}, members); diff != "" {
		t.Error(diff)
	}
	back, err := issuer.ParseKeys(text)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(issuer.Keys{keys[1], keys[0]}, back); diff != "" {
		t.Error(diff)
	}
	swapped, err := issuer.Keys{keys[1], keys[0]}.JWKS()
	if err != nil || string(swapped) != string(text) {
		t.Errorf("another order gives other bytes: %v", err)
	}
}

// TestPrivateKeys: a private key is refused in each of its forms, by name, and the error
// holds nothing of it.
func TestPrivateKeys(t *testing.T) {
	for name, content := range map[string]string{
		"PKCS8":              "-----BEGIN PRIVATE KEY-----\naHVudGVyMg==\n-----END PRIVATE KEY-----\n",
		"PKCS1":              "-----BEGIN RSA PRIVATE KEY-----\naHVudGVyMg==\n-----END RSA PRIVATE KEY-----\n",
		"SEC1":               "-----BEGIN EC PRIVATE KEY-----\naHVudGVyMg==\n-----END EC PRIVATE KEY-----\n",
		"encrypted":          "-----BEGIN ENCRYPTED PRIVATE KEY-----\naHVudGVyMg==\n-----END ENCRYPTED PRIVATE KEY-----\n",
		"OpenSSH":            "-----BEGIN OPENSSH PRIVATE KEY-----\naHVudGVyMg==\n-----END OPENSSH PRIVATE KEY-----\n",
		"behind a public":    read(t, "rsa.pub") + "-----BEGIN PRIVATE KEY-----\naHVudGVyMg==\n-----END PRIVATE KEY-----\n",
		"RSA JWK":            `{"keys":[{"kty":"RSA","kid":"one","n":"AQAB","e":"AQAB","d":"hunter2"}]}`,
		"EC JWK":             `{"keys":[{"kty":"EC","kid":"one","crv":"P-256","x":"AA","y":"AA","d":"hunter2"}]}`,
		"symmetric JWK":      `{"keys":[{"kty":"oct","kid":"one","k":"hunter2"}]}`,
		"JWK with primes":    `{"keys":[{"kty":"RSA","kid":"one","n":"AQAB","e":"AQAB","p":"hunter2"}]}`,
		"after a good one":   `{"keys":[` + goodJWK(t) + `,{"kty":"RSA","kid":"one","n":"AQAB","e":"AQAB","d":"hunter2"}]}`,
		"JWK with no string": `{"keys":[{"kty":"RSA","kid":7,"n":"AQAB","e":"AQAB","d":["hunter2"]}]}`,
	} {
		keys, err := issuer.ParsePublicKeys([]byte(content))
		if !errors.Is(err, issuer.ErrPrivateKey) || keys != nil {
			t.Errorf("%s: %d keys, error %v", name, len(keys), err)
			continue
		}
		if strings.Contains(err.Error(), "hunter2") || strings.Contains(err.Error(), "aHVudGVy") {
			t.Errorf("%s: the error quotes the key: %v", name, err)
		}
	}
}

func TestParsePublicKeysRefuses(t *testing.T) {
	for name, test := range map[string]struct{ content, want string }{
		"nothing":          {"", "no PEM with a public key"},
		"not PEM":          {"hunter2", "no PEM with a public key"},
		"another block":    {"-----BEGIN DH PARAMETERS-----\nAA==\n-----END DH PARAMETERS-----\n", "neither a public key nor a certificate"},
		"broken block":     {"-----BEGIN PUBLIC KEY-----\nAA==\n-----END PUBLIC KEY-----\n", "is not a public key"},
		"no keys":          {`{"keys":[]}`, "without keys"},
		"not a set":        {`{"keys":{}}`, "not the JSON of a JWKS"},
		"unknown kind":     {`{"keys":[{"kty":"XX","kid":"one"}]}`, "not a JWK of a known kind"},
		"Edwards":          {`{"keys":[{"kty":"OKP","kid":"one","crv":"Ed25519","x":"11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"}]}`, "want RSA or EC"},
		"too large":        {`{"keys":["` + strings.Repeat("a", issuer.MaxSize) + `"]}`, "larger than"},
		"not on the curve": {`{"keys":[{"kty":"EC","kid":"one","crv":"P-256","x":"AQ","y":"AQ"}]}`, "keys[0]"},
	} {
		if keys, err := issuer.ParsePublicKeys([]byte(test.content)); err == nil || !strings.Contains(err.Error(), test.want) {
			t.Errorf("%s: %d keys, error %v, want %q", name, len(keys), err, test.want)
		}
	}
}

func TestMerge(t *testing.T) {
	keys := keysOf(t, "rsa.pub", "ec.pub", "ec-384.pub")
	all, err := issuer.Merge(keys[:2], keys[1:])
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff([]string{rsaID, ecID, ec384ID}, all.IDs()); diff != "" {
		t.Error(diff)
	}
	impostor := keys[1]
	impostor.ID = rsaID
	_, err = issuer.Merge(keys, issuer.Keys{impostor})
	if e, ok := errors.AsType[*issuer.ConflictError](err); !ok || e.KeyID != rsaID {
		t.Errorf("the same kid with another key: %v", err)
	}
	nameless := keys[0]
	nameless.ID = ""
	if _, err := issuer.Merge(issuer.Keys{nameless}); err == nil {
		t.Error("a key without a kid is taken")
	}
	if diff := cmp.Diff([]string{rsaID, ec384ID}, all.Without(ecID).IDs()); diff != "" {
		t.Error(diff)
	}
	if diff := cmp.Diff([]string{"ES256", "ES384", "RS256"}, all.Algorithms()); diff != "" {
		t.Error(diff)
	}
}

func read(t testing.TB, file string) string {
	t.Helper()
	content, err := os.ReadFile("testdata/" + file)
	if err != nil {
		t.Fatal(err)
	}
	return string(content)
}

func goodJWK(t testing.TB) string {
	t.Helper()
	text, err := keysOf(t, "ec.pub").JWKS()
	if err != nil {
		t.Fatal(err)
	}
	var set struct{ Keys []json.RawMessage }
	if err := json.Unmarshal(text, &set); err != nil {
		t.Fatal(err)
	}
	return string(set.Keys[0])
}
