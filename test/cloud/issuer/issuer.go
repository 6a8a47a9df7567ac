// Package issuer is an OIDC issuer that mints tokens of the shape of Kubernetes'
// bound ServiceAccount tokens, good ones and bad ones.
package issuer

import (
	"encoding/json"
	"encoding/pem"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/podpass-io/podpass/test/cloud/signer"
	"github.com/podpass-io/podpass/test/cloud/trust"
)

// Issuer serves discovery and keys over TLS.
type Issuer struct {
	URL    string
	CAFile string
	Signer *signer.Signer
}

// Start starts an issuer that ends with the test.
func Start(t testing.TB) *Issuer {
	t.Helper()
	s, err := signer.New()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(s.Close)
	i := &Issuer{Signer: s}
	mux := http.NewServeMux()
	mux.HandleFunc("/.well-known/openid-configuration", func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "application/json")
		_ = json.NewEncoder(w).Encode(map[string]any{"issuer": i.URL, "jwks_uri": i.URL + "/openid/v1/jwks"})
	})
	mux.Handle("/openid/v1/jwks", s)
	server := httptest.NewTLSServer(mux)
	t.Cleanup(server.Close)
	i.URL = server.URL
	i.CAFile = filepath.Join(t.TempDir(), "issuer-ca.crt")
	if err := os.WriteFile(i.CAFile, pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: server.Certificate().Raw}), 0o600); err != nil {
		t.Fatal(err)
	}
	return i
}

// Trust is how the clouds reach the issuer.
func (i *Issuer) Trust() trust.Issuer { return trust.Issuer{URL: i.URL, CAFile: i.CAFile} }

// Claims of a token; what is empty is filled in.
type Claims struct {
	Namespace, ServiceAccount, Pod string
	Audience                       string
	// Issuer in the token; default: the issuer's own.
	Issuer string
	// Life from IssuedAt; default one hour.
	Life     time.Duration
	IssuedAt time.Time
}

// Subject is the token's sub.
func (c Claims) Subject() string {
	return "system:serviceaccount:" + c.Namespace + ":" + c.ServiceAccount
}

// Token mints a token.
func (i *Issuer) Token(t testing.TB, c Claims) string {
	t.Helper()
	if c.Issuer == "" {
		c.Issuer = i.URL
	}
	if c.Life == 0 {
		c.Life = time.Hour
	}
	if c.IssuedAt.IsZero() {
		c.IssuedAt = time.Now()
	}
	token, err := i.Signer.Sign(map[string]any{
		"iss": c.Issuer, "sub": c.Subject(), "aud": []string{c.Audience},
		"iat": c.IssuedAt.Unix(), "nbf": c.IssuedAt.Unix(), "exp": c.IssuedAt.Add(c.Life).Unix(),
		"kubernetes.io": map[string]any{
			"namespace":      c.Namespace,
			"serviceaccount": map[string]string{"name": c.ServiceAccount, "uid": "5d2c1f1e-0000-4000-8000-000000000001"},
			"pod":            map[string]string{"name": c.Pod, "uid": "5d2c1f1e-0000-4000-8000-000000000002"},
		},
	})
	if err != nil {
		t.Fatal(err)
	}
	return token
}

// Write mints a token into a file, as kubelet does.
func (i *Issuer) Write(t testing.TB, path string, c Claims) {
	t.Helper()
	if err := os.WriteFile(path, []byte(i.Token(t, c)), 0o600); err != nil {
		t.Fatal(err)
	}
}
