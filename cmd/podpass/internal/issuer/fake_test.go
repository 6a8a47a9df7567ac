package issuer

import (
	"bytes"
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"encoding/base64"
	"encoding/json"
	"encoding/pem"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/podpass-io/podpass/federation/issuer"
)

// standIn stands in for a cluster of API servers behind one address, which takes them in
// turn, and for the web server that shows a folder as its issuer.
type standIn struct {
	api, web           *httptest.Server
	dir                string // of the web server
	kubeconfig, caFile string

	mu      sync.Mutex
	servers []*apiServer
	next    int
}

// apiServer is one: what it verifies by, and the kid that it signs with.
type apiServer struct {
	trusts issuer.Keys
	signs  string
}

func startCluster(t *testing.T, servers ...*apiServer) *standIn {
	t.Helper()
	c := &standIn{dir: t.TempDir(), servers: servers}
	c.web = httptest.NewTLSServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Cache-Control", issuer.CacheControl)
		w.Header().Set("Content-Type", "application/json")
		http.ServeFile(w, r, filepath.Join(c.dir, filepath.FromSlash(r.URL.Path)))
	}))
	t.Cleanup(c.web.Close)
	mux := http.NewServeMux()
	mux.HandleFunc("GET /.well-known/openid-configuration", func(w http.ResponseWriter, _ *http.Request) {
		answer(w, map[string]any{"issuer": c.web.URL, "jwks_uri": c.web.URL + "/openid/v1/jwks"})
	})
	mux.HandleFunc("GET /openid/v1/jwks", func(w http.ResponseWriter, _ *http.Request) {
		text, err := c.turn().trusts.JWKS()
		if err != nil {
			http.Error(w, err.Error(), http.StatusInternalServerError)
			return
		}
		_, _ = w.Write(text)
	})
	mux.HandleFunc("POST /api/v1/namespaces/default/serviceaccounts/default/token", func(w http.ResponseWriter, _ *http.Request) {
		answer(w, map[string]any{"kind": "TokenRequest", "apiVersion": "authentication.k8s.io/v1", "status": map[string]any{"token": c.token(c.turn().signs)}})
	})
	mux.HandleFunc("GET /apis/discovery.k8s.io/v1/namespaces/default/endpointslices", func(w http.ResponseWriter, _ *http.Request) {
		var endpoints []any
		for i := range c.servers {
			endpoints = append(endpoints, map[string]any{"addresses": []string{fmt.Sprintf("192.0.2.%d", i+1)}})
		}
		answer(w, map[string]any{"kind": "EndpointSliceList", "apiVersion": "discovery.k8s.io/v1", "items": []any{map[string]any{
			"metadata": map[string]any{"name": "kubernetes"}, "addressType": "IPv4", "endpoints": endpoints,
		}}})
	})
	c.api = httptest.NewTLSServer(mux)
	t.Cleanup(c.api.Close)
	c.caFile, c.kubeconfig = filepath.Join(t.TempDir(), "ca.crt"), filepath.Join(t.TempDir(), "kubeconfig")
	ca := pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: c.api.Certificate().Raw}) // httptest has one for all
	config := fmt.Sprintf("apiVersion: v1\nkind: Config\ncurrent-context: test\nclusters: [{name: test, cluster: {server: %q, certificate-authority: %q}}]\ncontexts: [{name: test, context: {cluster: test, user: test}}]\nusers: [{name: test, user: {token: test}}]\n",
		c.api.URL, c.caFile)
	for file, content := range map[string][]byte{c.caFile: ca, c.kubeconfig: []byte(config)} {
		if err := os.WriteFile(file, content, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return c
}

func answer(w http.ResponseWriter, v any) {
	w.Header().Set("Content-Type", "application/json")
	_ = json.NewEncoder(w).Encode(v) // an error means that the client has gone
}

// turn gives each API server twice: a look asks each for its keys and a token.
func (c *standIn) turn() apiServer {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.next++
	return *c.servers[c.next/2%len(c.servers)]
}

func (c *standIn) set(do func()) {
	c.mu.Lock()
	defer c.mu.Unlock()
	do()
}

func (c *standIn) token(kid string) string {
	part := func(v any) string {
		raw, err := json.Marshal(v)
		if err != nil {
			panic(err)
		}
		return base64.RawURLEncoding.EncodeToString(raw)
	}
	return part(map[string]string{"alg": "RS256", "kid": kid}) + "." + part(map[string]any{
		"iss": c.web.URL, "sub": "system:serviceaccount:default:default", "aud": []string{audience}, "exp": time.Now().Add(time.Hour).Unix(),
	}) + ".hunter2"
}

// podpass runs podpass issuer.
func (c *standIn) podpass(t *testing.T, args ...string) (stdout, stderr string, err error) {
	t.Helper()
	cmd := Command("test")
	var out, errs bytes.Buffer
	cmd.SetOut(&out)
	cmd.SetErr(&errs)
	cmd.SilenceErrors, cmd.SilenceUsage = true, true
	cmd.SetArgs(append(args, "--kubeconfig", c.kubeconfig, "--issuer-ca", c.caFile))
	err = cmd.ExecuteContext(t.Context())
	if text := out.String() + errs.String() + fmt.Sprint(err); strings.Contains(text, "hunter2") {
		t.Errorf("%v: a token is shown: %s", args, text)
	}
	return out.String(), errs.String(), err
}

// newKey writes a public key of its own into dir.
func newKey(t *testing.T, dir, name string) (issuer.Keys, string) {
	t.Helper()
	private, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		t.Fatal(err)
	}
	der, err := x509.MarshalPKIXPublicKey(&private.PublicKey)
	if err != nil {
		t.Fatal(err)
	}
	content := pem.EncodeToMemory(&pem.Block{Type: "PUBLIC KEY", Bytes: der})
	file := filepath.Join(dir, name)
	if err := os.WriteFile(file, content, 0o600); err != nil {
		t.Fatal(err)
	}
	keys, err := issuer.ParsePublicKeys(content)
	if err != nil {
		t.Fatal(err)
	}
	return keys, file
}
