package kubetrust

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"encoding/json"
	"testing"
	"time"

	jose "gopkg.in/go-jose/go-jose.v2"

	"github.com/podpass-io/podpass/federation"
	"github.com/podpass-io/podpass/federation/finding"
)

// signer is an issuer's key.
type signer struct {
	key *ecdsa.PrivateKey
	id  string
}

func newSigner(t testing.TB, id string) signer {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	return signer{key, id}
}

func (s signer) jwks(t testing.TB) []byte {
	t.Helper()
	raw, err := json.Marshal(jose.JSONWebKeySet{Keys: []jose.JSONWebKey{{Key: s.key.Public(), KeyID: s.id, Algorithm: "ES256", Use: "sig"}}})
	if err != nil {
		t.Fatal(err)
	}
	return raw
}

// sign gives a token of the claims that ends in an hour, unless they say otherwise.
func (s signer) sign(t testing.TB, claims map[string]any) federation.Secret {
	t.Helper()
	all := map[string]any{"exp": time.Now().Add(time.Hour).Unix()}
	for k, v := range claims {
		all[k] = v
	}
	payload, err := json.Marshal(all)
	if err != nil {
		t.Fatal(err)
	}
	by, err := jose.NewSigner(jose.SigningKey{Algorithm: jose.ES256, Key: jose.JSONWebKey{Key: s.key, KeyID: s.id}}, nil)
	if err != nil {
		t.Fatal(err)
	}
	signed, err := by.Sign(payload)
	if err != nil {
		t.Fatal(err)
	}
	raw, err := signed.CompactSerialize()
	if err != nil {
		t.Fatal(err)
	}
	return federation.Secret(raw)
}

func codesOf(list []finding.Finding) []string {
	codes := []string{}
	for _, f := range list {
		codes = append(codes, f.Code)
	}
	return codes
}

// document parses a configuration that must be a good one.
func document(t testing.TB, text string) *Document {
	t.Helper()
	d, found := Parse([]byte(text), Options{})
	if d == nil {
		t.Fatalf("the configuration is refused: %v", found)
	}
	return d
}
