package statickeys

import (
	"crypto"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/base64"
	"encoding/json"
	"encoding/pem"
	"math/big"
	"strings"
	"time"
)

// privateKey is an RSA key of 2048 bits, as Google and Entra ID use, in PKCS #8.
type privateKey struct {
	*rsa.PrivateKey
	pem string
}

func newPrivateKey() privateKey {
	key := must(rsa.GenerateKey(rand.Reader, 2048))
	return privateKey{key, encodePEM("PRIVATE KEY", must(x509.MarshalPKCS8PrivateKey(key)))}
}

// certificate is one of the key's own, in PEM.
func (k privateKey) certificate(name string) string {
	template := &x509.Certificate{
		SerialNumber: new(big.Int).SetBytes(random(16)), Subject: pkix.Name{CommonName: name}, DNSNames: []string{name},
		NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().AddDate(1, 0, 0),
	}
	return encodePEM("CERTIFICATE", must(x509.CreateCertificate(rand.Reader, template, template, k.Public(), k.PrivateKey)))
}

func (k privateKey) publicPEM() string {
	return encodePEM("PUBLIC KEY", must(x509.MarshalPKIXPublicKey(k.Public())))
}

// sign makes a JWT of the claims, signed by RS256 of RFC 7518.
func (k privateKey) sign(claims any) string {
	encode := base64.RawURLEncoding.EncodeToString
	signed := encode([]byte(`{"alg":"RS256","kid":"`+encode(random(32))+`"}`)) + "." + encode(must(json.Marshal(claims)))
	hash := sha256.Sum256([]byte(signed))
	return signed + "." + encode(must(rsa.SignPKCS1v15(rand.Reader, k.PrivateKey, crypto.SHA256, hash[:])))
}

func encodePEM(kind string, der []byte) string {
	return string(pem.EncodeToMemory(&pem.Block{Type: kind, Bytes: der}))
}

// pemLines are the first two lines of a PEM's body. Much of the first is the same for all RSA
// keys, and nothing of the second.
func pemLines(block string) []string { return strings.Split(block, "\n")[1:3] }
