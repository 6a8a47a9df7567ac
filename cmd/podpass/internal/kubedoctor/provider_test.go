package kubedoctor

import (
	"crypto"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"encoding/pem"
	"io"
	"log"
	"math/big"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"
	"time"
)

// provider is an OpenID provider that signs what it is told to.
type provider struct {
	URL string
	ca  string
	key *rsa.PrivateKey
	// down: its keys are not to be had.
	down atomic.Bool
}

func startProvider(t *testing.T) *provider {
	t.Helper()
	key, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		t.Fatal(err)
	}
	p := &provider{key: key}
	server := httptest.NewUnstartedServer(p)
	server.Config.ErrorLog = log.New(io.Discard, "", 0) // set-ups that do not trust it end handshakes
	server.StartTLS()
	t.Cleanup(server.Close)
	p.URL = server.URL
	p.ca = string(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: server.Certificate().Raw}))
	return p
}

// ServeHTTP serves issuers by the first part of the path: sound, and broken in one way each.
func (p *provider) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	realm, rest, _ := strings.Cut(strings.TrimPrefix(r.URL.Path, "/"), "/")
	document := map[string]any{"issuer": p.URL + "/" + realm, "jwks_uri": p.URL + "/" + realm + "/keys", "response_types_supported": []string{"id_token"}, "subject_types_supported": []string{"public"}, "id_token_signing_alg_values_supported": []string{"RS256"}}
	w.Header().Set("Content-Type", "application/json")
	switch {
	case realm == "nothing", p.down.Load() && rest == "keys", realm == "keyless" && rest == "keys":
		http.NotFound(w, r)
	case rest == "keys":
		_ = json.NewEncoder(w).Encode(map[string]any{"keys": []any{map[string]string{
			"kty": "RSA", "use": "sig", "alg": "RS256", "kid": "k", "n": encode(p.key.N.Bytes()), "e": encode(big.NewInt(int64(p.key.E)).Bytes()),
		}}})
	case realm == "moved":
		http.Redirect(w, r, "/sound/"+rest, http.StatusFound)
	case realm == "elsewhere":
		document["issuer"] = elsewhere
		_ = json.NewEncoder(w).Encode(document)
	case realm == "renamed":
		document["issuer"] = p.URL + "/former"
		_ = json.NewEncoder(w).Encode(document)
	default:
		_ = json.NewEncoder(w).Encode(document)
	}
}

func encode(b []byte) string { return base64.RawURLEncoding.EncodeToString(b) }

// token is one of Ada, of the sound realm, but for what is changed.
func (p *provider) token(t *testing.T, change map[string]any) string {
	t.Helper()
	header := map[string]any{"alg": "RS256", "kid": "k", "typ": "JWT"}
	claims := map[string]any{"iss": p.URL + "/sound", "aud": "kubernetes", "sub": "ada", "hd": "example.com", "groups": []string{"developers"}, "exp": time.Now().Add(time.Hour).Unix()}
	key := p.key
	for name, value := range change {
		switch name {
		case "kid", "alg":
			header[name] = value
		case "forged":
			var err error
			if key, err = rsa.GenerateKey(rand.Reader, 2048); err != nil {
				t.Fatal(err)
			}
		default:
			if claims[name] = value; value == nil {
				delete(claims, name)
			}
		}
	}
	var parts []string
	for _, part := range []any{header, claims} {
		raw, err := json.Marshal(part)
		if err != nil {
			t.Fatal(err)
		}
		parts = append(parts, encode(raw))
	}
	sum := sha256.Sum256([]byte(strings.Join(parts, ".")))
	signature, err := rsa.SignPKCS1v15(rand.Reader, key, crypto.SHA256, sum[:])
	if err != nil {
		t.Fatal(err)
	}
	return strings.Join(append(parts, encode(signature)), ".")
}
