package trustkube

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"encoding/base64"
	"encoding/json"
	"encoding/pem"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"

	jose "gopkg.in/go-jose/go-jose.v2"
)

// issuer stands in for every issuer of the cases: they differ in their URLs alone.
type issuer struct {
	server *httptest.Server
	ca     string
	keys   map[string]crypto.Signer // by kid
	forged crypto.Signer

	mu        sync.Mutex
	documents map[string]string // URL of the issuer by path
}

func newIssuer(t testing.TB) *issuer {
	t.Helper()
	i := &issuer{keys: map[string]crypto.Signer{}, documents: map[string]string{}}
	var err error
	if i.keys["rsa"], err = rsa.GenerateKey(rand.Reader, 2048); err != nil {
		t.Fatal(err)
	}
	if i.forged, err = rsa.GenerateKey(rand.Reader, 2048); err != nil {
		t.Fatal(err)
	}
	if i.keys["ec"], err = ecdsa.GenerateKey(elliptic.P256(), rand.Reader); err != nil {
		t.Fatal(err)
	}
	if _, i.keys["ed"], err = ed25519.GenerateKey(rand.Reader); err != nil {
		t.Fatal(err)
	}
	i.server = httptest.NewTLSServer(i)
	t.Cleanup(i.server.Close)
	i.ca = string(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: i.server.Certificate().Raw}))
	return i
}

func (i *issuer) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	w.Header().Set("Content-Type", "application/json")
	if r.URL.Path == "/keys" {
		_, _ = w.Write(i.jwks())
		return
	}
	i.mu.Lock()
	url, ok := i.documents[r.URL.Path]
	i.mu.Unlock()
	if !ok {
		http.NotFound(w, r)
		return
	}
	_ = json.NewEncoder(w).Encode(map[string]any{
		"issuer": url, "jwks_uri": i.server.URL + "/keys", "response_types_supported": []string{"id_token"},
		"subject_types_supported": []string{"public"}, "id_token_signing_alg_values_supported": []string{"RS256"},
	})
}

// discovery is where the document of an issuer is.
func (i *issuer) discovery(url string) string {
	i.mu.Lock()
	defer i.mu.Unlock()
	i.documents[place(url)] = url
	return i.server.URL + place(url)
}

// at is an issuer whose URL is this server's: its document is where the URL says.
func (i *issuer) at(path string) string {
	url := i.server.URL + path
	i.mu.Lock()
	defer i.mu.Unlock()
	i.documents[strings.TrimSuffix(path, "/")+"/.well-known/openid-configuration"] = url
	return url
}

func (i *issuer) jwks() []byte {
	var set jose.JSONWebKeySet
	for id, key := range i.keys {
		set.Keys = append(set.Keys, jose.JSONWebKey{Key: key.Public(), KeyID: id, Use: "sig"})
	}
	raw, err := json.Marshal(set)
	if err != nil {
		panic(err) // keys of our own making
	}
	return raw
}

func (i *issuer) sign(t testing.TB, claims map[string]any, algorithm, which string) string {
	t.Helper()
	payload, err := json.Marshal(claims)
	if err != nil {
		t.Fatal(err)
	}
	if algorithm == "" {
		algorithm = "RS256"
	}
	var key any
	id := "rsa"
	switch algorithm {
	case "none":
		encode := base64.RawURLEncoding.EncodeToString
		return encode([]byte(`{"alg":"none"}`)) + "." + encode(payload) + "."
	case "HS256":
		key = []byte("a secret that the client and the provider share")
	case "ES256":
		id, key = "ec", i.keys["ec"]
	case "EdDSA":
		id, key = "ed", i.keys["ed"]
	default:
		key = i.keys["rsa"]
	}
	switch which {
	case "forged":
		key = i.forged
	case "unknown":
		id, key = "next", i.forged
	}
	signer, err := jose.NewSigner(jose.SigningKey{Algorithm: jose.SignatureAlgorithm(algorithm), Key: jose.JSONWebKey{Key: key, KeyID: id}}, nil)
	if err != nil {
		t.Fatal(err)
	}
	signed, err := signer.Sign(payload)
	if err != nil {
		t.Fatal(err)
	}
	raw, err := signed.CompactSerialize()
	if err != nil {
		t.Fatal(err)
	}
	return raw
}
