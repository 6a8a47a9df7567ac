package people

import (
	"bufio"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/sha256"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/base64"
	"encoding/json"
	"encoding/pem"
	"math/big"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"
)

// account is what the provider says of a person.
type account struct {
	Name     string   `json:"name"`
	Email    string   `json:"email"`
	Verified bool     `json:"email_verified"`
	Tenant   string   `json:"tid"`
	Domain   string   `json:"hd"`
	Groups   []string `json:"groups"`
}

// provider is a running identity provider.
type provider struct {
	url string // without a realm
	ca  string // file
	key string // the server key's digest, as Chromium takes it

	node, script string
	config       file
	dir          string
	process      *exec.Cmd // nil: it is down

	stateFile string
	state     struct {
		Accounts            map[string]account `json:"accounts"`
		IDTokenSeconds      int                `json:"idTokenSeconds"`
		RefreshTokenSeconds int                `json:"refreshTokenSeconds"`
	}

	mu    sync.Mutex
	lines []string
}

type file struct {
	Port      int              `json:"port"`
	Cert      string           `json:"cert"`
	Key       string           `json:"key"`
	State     string           `json:"state"`
	CookieKey string           `json:"cookieKey"`
	Realms    map[string]realm `json:"realms"`
}

type realm struct {
	Clients []client `json:"clients"`
}

type client struct {
	ID string `json:"id"`
}

// startProvider starts one with a realm for each environment, and in it a client for each
// cluster.
func startProvider(t *testing.T, dir string, accounts map[string]account) *provider {
	t.Helper()
	node, script := installProvider(t)
	p := &provider{stateFile: filepath.Join(dir, "state.json"), ca: filepath.Join(dir, "login-ca.crt")}
	p.state.Accounts = accounts
	p.state.IDTokenSeconds, p.state.RefreshTokenSeconds = 3600, 43200
	p.save(t)
	p.certify(t, dir)
	p.node, p.script, p.dir = node, script, dir
	p.config = file{
		Cert: filepath.Join(dir, "login.crt"), Key: filepath.Join(dir, "login.key"), State: p.stateFile, CookieKey: rand.Text(),
		Realms: map[string]realm{
			"prod":    {Clients: []client{{"kubernetes-prod-eu"}, {"kubernetes-prod-us"}}},
			"staging": {Clients: []client{{"kubernetes-prod-eu"}, {"kubernetes-staging"}}},
		},
	}
	t.Cleanup(func() {
		p.stop()
		if t.Failed() {
			t.Logf("the provider said:\n%s", strings.Join(p.said(""), "\n"))
		}
	})
	p.start(t)
	return p
}

// start starts it, at the address that it had before.
func (p *provider) start(t *testing.T) {
	t.Helper()
	raw, err := json.Marshal(p.config)
	if err != nil {
		t.Fatal(err)
	}
	config := filepath.Join(p.dir, "provider.json")
	replace(t, config, raw)
	p.process = exec.Command(p.node, p.script, config) //nolint:noctx // ended by stop
	out, err := p.process.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	p.process.Stderr = os.Stderr
	if err := p.process.Start(); err != nil {
		t.Fatal(err)
	}
	ready := make(chan string, 1)
	go func() {
		defer close(ready)
		for s := bufio.NewScanner(out); s.Scan(); {
			if url, ok := strings.CutPrefix(s.Text(), "ready "); ok {
				ready <- url
			}
			p.mu.Lock()
			p.lines = append(p.lines, s.Text())
			p.mu.Unlock()
		}
	}()
	if p.url = <-ready; p.url == "" {
		t.Fatal("the provider ended before it listened")
	}
	address, err := url.Parse(p.url)
	if err != nil {
		t.Fatal(err)
	}
	if p.config.Port, err = strconv.Atoi(address.Port()); err != nil {
		t.Fatal(err)
	}
}

// stop ends it without a word, as when its machine is gone.
func (p *provider) stop() {
	if p.process == nil {
		return
	}
	_ = p.process.Process.Kill()
	_ = p.process.Wait() // how it ended says nothing here
	p.process = nil
}

// said are the provider's lines that begin with a word.
func (p *provider) said(word string) []string {
	p.mu.Lock()
	defer p.mu.Unlock()
	var found []string
	for _, line := range p.lines {
		if strings.HasPrefix(line, word) {
			found = append(found, line)
		}
	}
	return found
}

// save lets the provider know the accounts and lifetimes as they are now.
func (p *provider) save(t *testing.T) {
	t.Helper()
	raw, err := json.Marshal(p.state)
	if err != nil {
		t.Fatal(err)
	}
	replace(t, p.stateFile, raw)
}

// replace puts a whole file in the place of another, at once.
func replace(t *testing.T, name string, content []byte) {
	t.Helper()
	if err := os.WriteFile(name+".new", content, 0o600); err != nil {
		t.Fatal(err)
	}
	if err := os.Rename(name+".new", name); err != nil {
		t.Fatal(err)
	}
}

// certify makes the provider's certificate, and the CA that nobody else trusts.
func (p *provider) certify(t *testing.T, dir string) {
	t.Helper()
	make := func(template, parent *x509.Certificate, by *ecdsa.PrivateKey) ([]byte, *x509.Certificate, *ecdsa.PrivateKey) {
		key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
		if err != nil {
			t.Fatal(err)
		}
		if by == nil {
			parent, by = template, key
		}
		template.NotBefore, template.NotAfter = time.Now().Add(-time.Hour), time.Now().Add(24*time.Hour)
		der, err := x509.CreateCertificate(rand.Reader, template, parent, &key.PublicKey, by)
		if err != nil {
			t.Fatal(err)
		}
		cert, err := x509.ParseCertificate(der)
		if err != nil {
			t.Fatal(err)
		}
		return pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der}), cert, key
	}
	caPEM, ca, caKey := make(&x509.Certificate{
		SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "Acme CA"},
		IsCA: true, BasicConstraintsValid: true, KeyUsage: x509.KeyUsageCertSign,
	}, nil, nil)
	leafPEM, leaf, key := make(&x509.Certificate{
		SerialNumber: big.NewInt(2), DNSNames: []string{"localhost"},
		KeyUsage: x509.KeyUsageDigitalSignature, ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth},
	}, ca, caKey)
	der, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		t.Fatal(err)
	}
	replace(t, p.ca, caPEM)
	replace(t, filepath.Join(dir, "login.crt"), leafPEM)
	replace(t, filepath.Join(dir, "login.key"), pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: der}))
	digest := sha256.Sum256(leaf.RawSubjectPublicKeyInfo)
	p.key = base64.StdEncoding.EncodeToString(digest[:])
}
