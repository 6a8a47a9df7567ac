package trust

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"strings"
	"sync"
	"time"

	"github.com/lestrrat-go/jwx/v3/jwk"
	"github.com/lestrrat-go/jwx/v3/jws"

	"github.com/podpass-io/podpass/federation"
)

// Why a token is refused.
var (
	ErrMalformed   = errors.New("not a JWT")
	ErrUnreachable = errors.New("the issuer's keys cannot be fetched")
	ErrKey         = errors.New("no key of the issuer has the token's key ID")
	ErrSignature   = errors.New("the signature is not the issuer's")
	ErrExpired     = errors.New("the token has expired")
)

// Verifier verifies tokens by their issuers' published keys. It is safe for
// concurrent use.
type Verifier struct {
	issuers []Issuer

	mu      sync.Mutex
	keys    map[string]jwk.Set // by issuer
	fetched map[string]time.Time
}

// NewVerifier gives a Verifier for issuers, and for any other that the system's
// roots vouch for.
func NewVerifier(issuers []Issuer) *Verifier {
	return &Verifier{issuers: issuers, keys: map[string]jwk.Set{}, fetched: map[string]time.Time{}}
}

// Verify checks signature and expiry. The claims are the token's also when it has
// expired; whether issuer, audience and subject fit is the cloud's question.
func (v *Verifier) Verify(ctx context.Context, token string) (federation.Claims, error) {
	t, err := federation.ParseSubjectToken([]byte(token))
	if err != nil {
		return federation.Claims{}, ErrMalformed
	}
	set, err := v.keySet(ctx, t.Issuer, t.KeyID)
	if err != nil {
		return t.Claims, err
	}
	return verify(t, set)
}

// VerifyWith is Verify by keys that somebody has uploaded, whatever the issuer publishes.
func (*Verifier) VerifyWith(token string, keys []byte) (federation.Claims, error) {
	t, err := federation.ParseSubjectToken([]byte(token))
	if err != nil {
		return federation.Claims{}, ErrMalformed
	}
	set, err := jwk.Parse(keys)
	if err != nil {
		return t.Claims, fmt.Errorf("%w: %w", ErrKey, err)
	}
	if _, ok := set.LookupKeyID(t.KeyID); !ok {
		return t.Claims, ErrKey
	}
	return verify(t, set)
}

func verify(t federation.SubjectToken, set jwk.Set) (federation.Claims, error) {
	// The key's own algorithm counts, never the token's word for it.
	if _, err := jws.Verify([]byte(t.Reveal()), jws.WithKeySet(set, jws.WithInferAlgorithmFromKey(true))); err != nil {
		return t.Claims, ErrSignature
	}
	if !t.Expiry.After(time.Now()) {
		return t.Claims, ErrExpired
	}
	return t.Claims, nil
}

// keySet gives the issuer's keys, fetched anew if there is none with that ID.
func (v *Verifier) keySet(ctx context.Context, issuer, keyID string) (jwk.Set, error) {
	v.mu.Lock()
	defer v.mu.Unlock()
	if set, ok := v.keys[issuer]; ok {
		_, known := set.LookupKeyID(keyID)
		life, bounded := v.cache(issuer)
		switch fresh := time.Since(v.fetched[issuer]) < life; {
		case known && (fresh || !bounded):
			return set, nil
		case fresh:
			return nil, ErrKey
		}
	}
	set, err := v.fetch(ctx, issuer)
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrUnreachable, err)
	}
	v.keys[issuer], v.fetched[issuer] = set, time.Now()
	if _, ok := set.LookupKeyID(keyID); !ok {
		return nil, ErrKey
	}
	return set, nil
}

// cache is how long an issuer's keys are kept whatever comes; bounded: and no longer.
func (v *Verifier) cache(issuer string) (life time.Duration, bounded bool) {
	for _, i := range v.issuers {
		if i.URL == issuer {
			life = max(life, time.Duration(i.CacheSeconds)*time.Second)
		}
	}
	return life, life > 0
}

func (v *Verifier) fetch(ctx context.Context, issuer string) (jwk.Set, error) {
	for _, i := range v.issuers {
		if i.URL == issuer && i.JWKS != nil {
			return jwk.Parse(i.JWKS)
		}
	}
	client, err := v.client(issuer)
	if err != nil {
		return nil, err
	}
	defer client.CloseIdleConnections()
	raw, err := get(ctx, client, strings.TrimSuffix(issuer, "/")+"/.well-known/openid-configuration")
	if err != nil {
		return nil, err
	}
	var discovery struct {
		Issuer string `json:"issuer"`
		JWKS   string `json:"jwks_uri"`
	}
	if err := json.Unmarshal(raw, &discovery); err != nil {
		return nil, fmt.Errorf("discovery document: %w", err)
	}
	if discovery.Issuer != issuer {
		return nil, fmt.Errorf("discovery document of %q is for issuer %q", issuer, discovery.Issuer)
	}
	raw, err = get(ctx, client, discovery.JWKS)
	if err != nil {
		return nil, err
	}
	return jwk.Parse(raw)
}

func (v *Verifier) client(issuer string) (*http.Client, error) {
	transport := &http.Transport{}
	for _, i := range v.issuers {
		if i.URL == issuer && i.CAFile != "" {
			pem, err := os.ReadFile(i.CAFile)
			if err != nil {
				return nil, err
			}
			pool := x509.NewCertPool()
			if !pool.AppendCertsFromPEM(pem) {
				return nil, fmt.Errorf("%s holds no certificate", i.CAFile)
			}
			transport.TLSClientConfig = &tls.Config{RootCAs: pool}
		}
	}
	return &http.Client{Timeout: 5 * time.Second, Transport: transport}, nil
}

func get(ctx context.Context, client *http.Client, url string) ([]byte, error) {
	if !strings.HasPrefix(url, "https://") {
		return nil, fmt.Errorf("%q is not https", url)
	}
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, url, nil)
	if err != nil {
		return nil, err
	}
	resp, err := client.Do(req)
	if err != nil {
		return nil, err
	}
	defer resp.Body.Close()
	if resp.StatusCode != http.StatusOK {
		return nil, fmt.Errorf("%s: status %s", url, resp.Status)
	}
	return io.ReadAll(io.LimitReader(resp.Body, 1<<20))
}
