package cloud

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"io"
	"log"
	"math/big"
	"net"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/podpass-io/podpass/test/cloud/trust"
)

// SelfSigned makes a certificate for hosts that is its own CA, and writes it, in
// PEM, to caFile.
func SelfSigned(caFile string, hosts ...string) (tls.Certificate, error) {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return tls.Certificate{}, err
	}
	now := time.Now()
	template := &x509.Certificate{
		SerialNumber: big.NewInt(now.UnixNano()), Subject: pkix.Name{CommonName: "podpass test clouds"},
		NotBefore: now.Add(-time.Hour), NotAfter: now.Add(7 * 24 * time.Hour),
		KeyUsage: x509.KeyUsageDigitalSignature | x509.KeyUsageCertSign, ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth},
		IsCA: true, BasicConstraintsValid: true,
	}
	for _, h := range hosts {
		if ip := net.ParseIP(h); ip != nil {
			template.IPAddresses = append(template.IPAddresses, ip)
		} else {
			template.DNSNames = append(template.DNSNames, h)
		}
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, &key.PublicKey, key)
	if err != nil {
		return tls.Certificate{}, err
	}
	err = os.WriteFile(caFile, pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der}), 0o644)
	return tls.Certificate{Certificate: [][]byte{der}, PrivateKey: key}, err
}

// Start starts the clouds for a test, on loopback.
func Start(t testing.TB, config trust.Config) *Clouds {
	t.Helper()
	caFile := filepath.Join(t.TempDir(), "clouds-ca.crt")
	certificate, err := SelfSigned(caFile, "127.0.0.1", "localhost")
	if err != nil {
		t.Fatal(err)
	}
	c, err := Serve("127.0.0.1", certificate, config)
	if err != nil {
		t.Fatal(err)
	}
	c.CAFile = caFile
	t.Cleanup(func() {
		if err := c.Close(); err != nil {
			t.Errorf("stop the clouds: %v", err)
		}
	})
	return c
}

// quiet drops net/http's remarks about clients that left.
func quiet() *log.Logger { return log.New(io.Discard, "", 0) }
