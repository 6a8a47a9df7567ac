package issuer

import (
	"bytes"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"fmt"
	"strings"
)

// ParsePublicKeys reads what holds public keys: PEM with public keys or certificates, in
// any number, or a JWKS. A private key is refused with an error that is [ErrPrivateKey]
// and quotes nothing of it, wherever in the file it stands.
func ParsePublicKeys(content []byte) (Keys, error) {
	if len(content) > MaxSize {
		return nil, fmt.Errorf("larger than %d bytes", MaxSize)
	}
	if bytes.HasPrefix(bytes.TrimSpace(content), []byte("{")) {
		return ParseKeys(content)
	}
	var keys Keys
	for rest := content; ; {
		var block *pem.Block
		if block, rest = pem.Decode(rest); block == nil {
			break
		}
		k, err := publicKey(block)
		if err != nil {
			return nil, fmt.Errorf("PEM block %q %w", block.Type, err)
		}
		keys = append(keys, k)
	}
	if len(keys) == 0 {
		return nil, errors.New("no PEM with a public key or certificate, and no JWKS")
	}
	return keys, nil
}

func publicKey(block *pem.Block) (Key, error) {
	if strings.Contains(block.Type, "PRIVATE KEY") {
		return Key{}, ErrPrivateKey
	}
	switch block.Type {
	case "PUBLIC KEY":
		public, err := x509.ParsePKIXPublicKey(block.Bytes)
		if err != nil {
			return Key{}, errors.New("is not a public key")
		}
		return NewKey(public)
	case "RSA PUBLIC KEY":
		public, err := x509.ParsePKCS1PublicKey(block.Bytes)
		if err != nil {
			return Key{}, errors.New("is not an RSA public key")
		}
		return NewKey(public)
	case "CERTIFICATE":
		cert, err := x509.ParseCertificate(block.Bytes)
		if err != nil {
			return Key{}, errors.New("is not a certificate")
		}
		return NewKey(cert.PublicKey)
	}
	return Key{}, errors.New("is neither a public key nor a certificate")
}
