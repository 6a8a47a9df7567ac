package issuer

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/rsa"
	"crypto/sha256"
	"crypto/x509"
	"encoding/base64"
	"errors"
	"fmt"
)

// Key is a public key that verifies tokens.
type Key struct {
	// ID is the kid of the tokens that it verifies.
	ID string
	// Algorithm is the JWS algorithm ("RS256"); Use is "sig". A JWKS of somebody else's
	// may leave either empty.
	Algorithm, Use string
	// Public is an *rsa.PublicKey or an *ecdsa.PublicKey.
	Public crypto.PublicKey
	// Extra are the JWK's members beyond those that Google takes in an upload.
	Extra []string
}

// ErrPrivateKey: a private key is where only public ones belong.
var ErrPrivateKey = errors.New("is a private key, which must never leave the control plane")

// NewKey gives public, an *rsa.PublicKey or *ecdsa.PublicKey, the key ID and the algorithm
// that an API server gives it: the base64url of the SHA-256 of its PKIX form, and what
// fits its kind (k8s.io/kubernetes/pkg/serviceaccount). A signer outside of the API server
// (KEP-740) may name it otherwise.
func NewKey(public crypto.PublicKey) (Key, error) {
	algorithm, err := algorithmOf(public)
	if err != nil {
		return Key{}, err
	}
	der, err := x509.MarshalPKIXPublicKey(public)
	if err != nil {
		return Key{}, err
	}
	sum := sha256.Sum256(der)
	return Key{ID: base64.RawURLEncoding.EncodeToString(sum[:]), Algorithm: algorithm, Use: "sig", Public: public}, nil
}

func algorithmOf(public crypto.PublicKey) (string, error) {
	switch k := public.(type) {
	case *rsa.PublicKey:
		return "RS256", nil
	case *ecdsa.PublicKey:
		switch bits := k.Curve.Params().BitSize; bits {
		case 256:
			return "ES256", nil
		case 384:
			return "ES384", nil
		case 521:
			return "ES512", nil
		default:
			return "", fmt.Errorf("an EC key of %d bits signs no token of an API server", bits)
		}
	}
	return "", fmt.Errorf("a key of kind %T signs no token of an API server: want RSA or EC", public)
}

// String names the key and its kind: "RS256 2048 bits kid Ab3...".
func (k Key) String() string {
	return fmt.Sprintf("%s %d bits kid %s", k.Algorithm, k.bits(), k.ID)
}

func (k Key) bits() int {
	switch p := k.Public.(type) {
	case *rsa.PublicKey:
		return p.N.BitLen()
	case *ecdsa.PublicKey:
		return p.Curve.Params().BitSize
	}
	return 0
}

// Same reports whether both are the same key, whatever they are called.
func (k Key) Same(other Key) bool {
	p, ok := k.Public.(interface{ Equal(crypto.PublicKey) bool })
	return ok && p.Equal(other.Public)
}
