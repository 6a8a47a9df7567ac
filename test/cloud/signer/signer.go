// Package signer signs JWTs and publishes the keys: an issuer's, and those of the
// stand-ins that issue tokens themselves.
package signer

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"sync"
	"time"

	"github.com/lestrrat-go/jwx/v3/jwa"
	"github.com/lestrrat-go/jwx/v3/jwk"
	"github.com/lestrrat-go/jwx/v3/jws"
)

// Signer signs with its newest key and publishes all. It is safe for concurrent use.
type Signer struct {
	mu     sync.Mutex
	key    jwk.Key
	public jwk.Set
	own    []*rsa.PrivateKey
}

// spare are the RSA keys of Signers that have been closed: making them is most of what
// a test of the clouds costs.
var spare sync.Pool

// New gives a Signer with one RS256 key.
func New() (*Signer, error) {
	s := &Signer{public: jwk.NewSet()}
	return s, s.Rotate("RS256")
}

// Rotate makes a new key, for RS256 or ES256, and keeps publishing the old ones.
func (s *Signer) Rotate(algorithm string) error {
	alg, ok := jwa.LookupSignatureAlgorithm(algorithm)
	if !ok {
		return fmt.Errorf("no algorithm %q", algorithm)
	}
	var raw any
	var err error
	switch algorithm {
	case "RS256":
		raw, err = s.rsaKey()
	case "ES256":
		raw, err = ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	default:
		return fmt.Errorf("algorithm %q is neither RS256 nor ES256", algorithm)
	}
	if err != nil {
		return err
	}
	key, err := jwk.Import(raw)
	if err != nil {
		return err
	}
	for k, v := range map[string]any{jwk.KeyIDKey: rand.Text()[:12], jwk.AlgorithmKey: alg, jwk.KeyUsageKey: "sig"} {
		if err := key.Set(k, v); err != nil {
			return err
		}
	}
	public, err := key.PublicKey()
	if err != nil {
		return err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.key = key
	return s.public.AddKey(public)
}

func (s *Signer) rsaKey() (*rsa.PrivateKey, error) {
	key, ok := spare.Get().(*rsa.PrivateKey)
	if !ok {
		var err error
		if key, err = rsa.GenerateKey(rand.Reader, 2048); err != nil {
			return nil, err
		}
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.own = append(s.own, key)
	return key, nil
}

// Close leaves the RSA keys to other Signers: whoever trusts this one has ended.
func (s *Signer) Close() {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, key := range s.own {
		spare.Put(key)
	}
	s.own = nil
}

// Withdraw publishes the newest key only.
func (s *Signer) Withdraw() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	public, err := s.key.PublicKey()
	if err != nil {
		return err
	}
	s.public = jwk.NewSet()
	return s.public.AddKey(public)
}

// Sign gives a JWT with the claims.
func (s *Signer) Sign(claims map[string]any) (string, error) {
	payload, err := json.Marshal(claims)
	if err != nil {
		return "", err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	alg, _ := s.key.Algorithm()
	signed, err := jws.Sign(payload, jws.WithKey(alg, s.key))
	return string(signed), err
}

// Verify gives the claims of a JWT that it has signed and that has not ended.
func (s *Signer) Verify(token string) (map[string]any, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	payload, err := jws.Verify([]byte(token), jws.WithKeySet(s.public, jws.WithInferAlgorithmFromKey(true)))
	if err != nil {
		return nil, err
	}
	var claims map[string]any
	if err := json.Unmarshal(payload, &claims); err != nil {
		return nil, err
	}
	if end, ok := claims["exp"].(float64); !ok || time.Now().Unix() >= int64(end) {
		return nil, errors.New("the token has ended")
	}
	return claims, nil
}

// JWKS are the keys that are published.
func (s *Signer) JWKS() ([]byte, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return json.Marshal(s.public)
}

// ServeHTTP serves the JWKS.
func (s *Signer) ServeHTTP(w http.ResponseWriter, _ *http.Request) {
	b, err := s.JWKS()
	if err != nil {
		http.Error(w, "encode the keys", http.StatusInternalServerError)
		return
	}
	w.Header().Set("Content-Type", "application/json")
	_, _ = w.Write(b) // an error means that the client has gone
}
