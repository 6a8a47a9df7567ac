package kubetrust

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"

	jose "gopkg.in/go-jose/go-jose.v2"
)

// maxJWKS bounds what is read; twenty RSA keys of 4096 bits take 16 KiB.
const maxJWKS = 256 << 10

// keySet verifies by keys that are given, as the API server does by those that it fetched:
// by those of the token's kid, or by each if it has none.
type keySet struct{ keys []jose.JSONWebKey }

func newKeySet(jwks []byte) (keySet, error) {
	if len(jwks) > maxJWKS {
		return keySet{}, fmt.Errorf("the keys take more than %d KiB", maxJWKS>>10)
	}
	var set jose.JSONWebKeySet
	if json.Unmarshal(jwks, &set) != nil {
		return keySet{}, errors.New("the keys are not a JWKS") // the decoder's own text may quote a key
	}
	return keySet{set.Keys}, nil
}

func (k keySet) VerifySignature(_ context.Context, token string) ([]byte, error) {
	signed, err := jose.ParseSigned(token)
	if err != nil {
		return nil, errNoToken
	}
	id := ""
	if len(signed.Signatures) > 0 {
		id = signed.Signatures[0].Header.KeyID
	}
	for _, key := range k.keys {
		if id != "" && key.KeyID != id {
			continue
		}
		if payload, err := signed.Verify(&key); err == nil {
			return payload, nil
		}
	}
	return nil, errors.New("no key verifies the token")
}

// ids of the keys, for messages.
func (k keySet) ids() []string {
	var list []string
	for _, key := range k.keys {
		list = append(list, key.KeyID)
	}
	return list
}

// unchecked takes the payload as it is.
type unchecked struct{}

func (unchecked) VerifySignature(_ context.Context, token string) ([]byte, error) {
	signed, err := jose.ParseSigned(token)
	if err != nil {
		return nil, errNoToken
	}
	return signed.UnsafePayloadWithoutVerification(), nil
}
