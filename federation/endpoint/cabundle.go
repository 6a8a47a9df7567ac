package endpoint

import (
	"bytes"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"fmt"
)

// MaxCABundle is how many bytes the plain form of a bundle may have: the webhook hands
// it to the broker in one environment variable, of which Linux takes 128 KiB with the
// name and the closing zero (MAX_ARG_STRLEN). A pod with a longer one could not start.
const MaxCABundle = 128<<10 - len("PODPASS_CA_BUNDLE=") - 1

// ParseCABundle reads certificates in PEM and gives them in their plain form: one
// block after the other, each once, without the comments that bundles have between
// them. Anything that is not a certificate is an error, which does not quote it: a
// key among them must not be copied to every pod. So is a plain form that is longer
// than [MaxCABundle].
func ParseCABundle(text []byte) ([]byte, error) {
	var plain []byte
	for n := 1; ; n++ {
		var block *pem.Block
		if block, text = pem.Decode(text); block == nil {
			break
		}
		if block.Type != "CERTIFICATE" {
			return nil, fmt.Errorf("block %d is a %.40q: want certificates only", n, block.Type)
		}
		if _, err := x509.ParseCertificate(block.Bytes); err != nil {
			return nil, fmt.Errorf("block %d is not a certificate: %w", n, err)
		}
		if b := pem.EncodeToMemory(&pem.Block{Type: block.Type, Bytes: block.Bytes}); !bytes.Contains(plain, b) {
			plain = append(plain, b...)
		}
	}
	switch {
	case bytes.Contains(text, []byte("-----BEGIN")):
		return nil, errors.New("a block in it is not PEM: is it cut off?")
	case plain == nil:
		return nil, errors.New("no PEM certificate in it")
	case len(plain) > MaxCABundle:
		return nil, fmt.Errorf("%d bytes of certificates, and the broker takes %d: keep only the CAs that sign its endpoints, since the system's roots are trusted anyway", len(plain), MaxCABundle)
	}
	return plain, nil
}
