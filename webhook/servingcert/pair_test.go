package servingcert

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"encoding/pem"
	"math/big"
	"strings"
	"testing"
	"time"
)

// keyed makes a certificate that signs itself by key.
func keyed(t *testing.T, key crypto.Signer, isCA bool) (certPEM, keyPEM []byte) {
	t.Helper()
	template := &x509.Certificate{SerialNumber: big.NewInt(1), NotAfter: time.Now().Add(time.Hour), IsCA: isCA, BasicConstraintsValid: true}
	der, err := x509.CreateCertificate(rand.Reader, template, template, key.Public(), key)
	if err != nil {
		t.Fatal(err)
	}
	keyDER, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		t.Fatal(err)
	}
	return pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der}), pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: keyDER})
}

// TestParsePair: what somebody else may have put into the Secret signs only if it is a
// CA with an ECDSA key.
func TestParsePair(t *testing.T) {
	ec, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	_, ed, err := ed25519.GenerateKey(rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	for name, test := range map[string]struct {
		key  crypto.Signer
		isCA bool
		says string
	}{
		"a CA":              {ec, true, ""},
		"no CA":             {ec, false, "not a CA certificate with an ECDSA key"},
		"a CA by EdDSA":     {ed, true, "not a CA certificate with an ECDSA key"},
		"neither":           {ed, false, "not a CA certificate with an ECDSA key"},
		"a key of somebody": {nil, true, "no CA certificate with its key"},
	} {
		t.Run(name, func(t *testing.T) {
			var certPEM, keyPEM []byte
			if test.key != nil {
				certPEM, keyPEM = keyed(t, test.key, test.isCA)
			} else {
				certPEM, _ = keyed(t, ec, true)
				_, keyPEM = keyed(t, ed, true)
			}
			p, err := parsePair(certPEM, keyPEM)
			if test.says == "" && (err != nil || p.cert == nil || !ec.Equal(p.key)) {
				t.Errorf("%v", err)
			}
			if test.says != "" && (err == nil || !strings.Contains(err.Error(), test.says) || p.cert != nil) {
				t.Errorf("%v, want %s", err, test.says)
			}
		})
	}
}
