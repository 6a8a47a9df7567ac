package webhook

import (
	"bytes"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"log/slog"
	"math/big"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"
)

// clientCA signs the certificates of clients.
type clientCA struct {
	certificate *x509.Certificate
	key         *ecdsa.PrivateKey
	pem         []byte
}

func newClientCA(t *testing.T) clientCA {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "clients"}, NotBefore: time.Now().Add(-time.Minute), NotAfter: time.Now().Add(time.Hour),
		IsCA: true, BasicConstraintsValid: true, KeyUsage: x509.KeyUsageCertSign,
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, key.Public(), key)
	if err != nil {
		t.Fatal(err)
	}
	certificate, err := x509.ParseCertificate(der)
	if err != nil {
		t.Fatal(err)
	}
	return clientCA{certificate, key, pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der})}
}

func (ca clientCA) sign(t *testing.T, change func(*x509.Certificate)) []tls.Certificate {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{
		SerialNumber: big.NewInt(2), Subject: pkix.Name{CommonName: "kube-apiserver"}, NotBefore: time.Now().Add(-time.Minute), NotAfter: time.Now().Add(time.Hour),
		ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageClientAuth},
	}
	if change != nil {
		change(template)
	}
	der, err := x509.CreateCertificate(rand.Reader, template, ca.certificate, key.Public(), ca.key)
	if err != nil {
		t.Fatal(err)
	}
	return []tls.Certificate{{Certificate: [][]byte{der}, PrivateKey: key}}
}

// serveClients runs a server that demands certificates, and gives what calls it with one.
func serveClients(t *testing.T, auth *ClientAuth) func(certificates []tls.Certificate) error {
	t.Helper()
	config, err := TLS(newCertificate(t), auth)
	if err != nil {
		t.Fatal(err)
	}
	s := httptest.NewUnstartedServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) {}))
	s.Config.ErrorLog = slog.NewLogLogger(slog.DiscardHandler, slog.LevelError)
	s.TLS = config
	s.StartTLS()
	t.Cleanup(s.Close)
	return func(certificates []tls.Certificate) error {
		client := &http.Client{Transport: &http.Transport{DisableKeepAlives: true, TLSClientConfig: &tls.Config{
			InsecureSkipVerify: true, ClientSessionCache: tls.NewLRUClientSessionCache(8),
			// Whatever the server asks for: an attacker would not be put off.
			GetClientCertificate: func(*tls.CertificateRequestInfo) (*tls.Certificate, error) {
				if len(certificates) == 0 {
					return new(tls.Certificate), nil
				}
				return &certificates[0], nil
			},
		}}}
		resp, err := client.Get(s.URL)
		if err != nil {
			return err
		}
		return resp.Body.Close()
	}
}

func newClientAuth(t *testing.T, ca clientCA, names ...string) *ClientAuth {
	t.Helper()
	file := filepath.Join(t.TempDir(), "ca.crt")
	if err := os.WriteFile(file, ca.pem, 0o600); err != nil {
		t.Fatal(err)
	}
	return &ClientAuth{CAFile: file, Names: names, Log: slog.New(slog.DiscardHandler)}
}

// TestClientAuth: who has no certificate of the administrator's CA, or one that is not
// the API server's, gets no answer, in which roles and external IDs are.
func TestClientAuth(t *testing.T) {
	ca, other := newClientCA(t), newClientCA(t)
	named := func(c *x509.Certificate) { c.Subject.CommonName = "kubelet" }
	for name, test := range map[string]struct {
		names  []string
		client []tls.Certificate
		in     bool
	}{
		"no certificate":         {nil, nil, false},
		"another CA's":           {nil, other.sign(t, nil), false},
		"the CA's":               {nil, ca.sign(t, nil), true},
		"the common name":        {[]string{"a", "kube-apiserver"}, ca.sign(t, nil), true},
		"another name":           {[]string{"kube-apiserver"}, ca.sign(t, named), false},
		"the DNS name":           {[]string{"api.example.com"}, ca.sign(t, func(c *x509.Certificate) { c.DNSNames = []string{"api.example.com"} }), true},
		"has expired":            {nil, ca.sign(t, func(c *x509.Certificate) { c.NotAfter = time.Now().Add(-time.Second) }), false},
		"for servers":            {nil, ca.sign(t, func(c *x509.Certificate) { c.ExtKeyUsage = []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth} }), false},
		"the name, another CA's": {[]string{"kube-apiserver"}, other.sign(t, nil), false},
	} {
		t.Run(name, func(t *testing.T) {
			call := serveClients(t, newClientAuth(t, ca, test.names...))
			if err := call(test.client); (err == nil) != test.in {
				t.Errorf("let in: %t, want %t (%v)", err == nil, test.in, err)
			}
		})
	}
}

// TestClientCAIsReplaced: without a restart, and what cannot be read changes nothing.
func TestClientCAIsReplaced(t *testing.T) {
	before, after := newClientCA(t), newClientCA(t)
	auth := newClientAuth(t, before)
	var log syncBuffer
	auth.Log = slog.New(slog.NewTextHandler(&log, nil))
	complains := func() bool {
		defer log.Reset()
		return strings.Contains(log.String(), `level=ERROR msg="The CAs of clients cannot be read again; those before are kept"`)
	}
	call := serveClients(t, auth)
	old, renewed := before.sign(t, nil), after.sign(t, nil)
	if err := call(old); err != nil || complains() {
		t.Fatalf("%v; log: %s", err, log.String())
	}
	if err := os.WriteFile(auth.CAFile, []byte("half a certi"), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := call(old); err != nil {
		t.Errorf("a file that cannot be read: %v", err)
	}
	if !complains() {
		t.Error("the log does not say that it cannot be read")
	}
	if err := os.WriteFile(auth.CAFile, after.pem, 0o600); err != nil {
		t.Fatal(err)
	}
	if err := call(renewed); err != nil {
		t.Errorf("the new CA's: %v", err)
	}
	if call(old) == nil {
		t.Error("a certificate of the CA before is let in")
	}
	if complains() {
		t.Error("complains of a file that is all right")
	}
	if err := os.Remove(auth.CAFile); err != nil {
		t.Fatal(err)
	}
	if err := call(renewed); err != nil {
		t.Errorf("without the file: %v", err)
	}
	if call(nil) == nil {
		t.Error("without the file anybody is let in")
	}
}

// TestClientCAIsRequired: a process that is to demand certificates and cannot does not
// start.
func TestClientCAIsRequired(t *testing.T) {
	empty := filepath.Join(t.TempDir(), "ca.crt")
	if err := os.WriteFile(empty, []byte("no PEM"), 0o600); err != nil {
		t.Fatal(err)
	}
	for _, file := range []string{empty, filepath.Join(t.TempDir(), "none")} {
		if _, err := TLS(nil, &ClientAuth{CAFile: file}); err == nil {
			t.Errorf("%s: no error", file)
		}
	}
}

// syncBuffer is a log that is read while a server writes to it.
type syncBuffer struct {
	mu     sync.Mutex
	buffer bytes.Buffer
}

func (b *syncBuffer) Write(p []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.buffer.Write(p)
}

func (b *syncBuffer) String() string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.buffer.String()
}

func (b *syncBuffer) Reset() {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.buffer.Reset()
}
