package kubetrust

import (
	"encoding/base64"
	"encoding/json"
	"errors"
	"strings"
	"time"

	"github.com/podpass-io/podpass/federation"
)

// Token is what somebody sends to the API server.
type Token struct {
	// Raw is the encoded JWT.
	Raw federation.Secret
	// Claims are those of a token that is not at hand, instead of Raw.
	Claims map[string]any
	// JWKS are the public keys of its issuer; without them the signature is not looked at.
	JWKS []byte
}

// seen is what is read of a token, to explain; nothing is decided by it.
type seen struct {
	raw                string
	algorithm, keyID   string
	issuer, subject    string
	audiences          []string
	expiry, notBefore  time.Time
	claims             map[string]any
	described, endless bool // by claims; without exp
}

var errNoToken = errors.New("not a JWT: want three parts, the first two of them JSON in base64url")

func (t Token) read() (seen, error) {
	s := seen{raw: strings.TrimSpace(t.Raw.Reveal()), claims: t.Claims}
	if t.Claims != nil {
		s.described = true
		s.algorithm = "RS256"
		payload, err := s.payload()
		if err != nil {
			return seen{}, err
		}
		encode := base64.RawURLEncoding.EncodeToString
		s.raw = encode([]byte(`{"alg":"RS256"}`)) + "." + encode(payload) + "." + encode([]byte("none"))
	} else if err := s.decode(); err != nil {
		return seen{}, err
	}
	s.issuer, _ = s.claims["iss"].(string)
	s.subject, _ = s.claims["sub"].(string)
	switch aud := s.claims["aud"].(type) {
	case string:
		s.audiences = []string{aud}
	case []any:
		for _, a := range aud {
			if text, ok := a.(string); ok {
				s.audiences = append(s.audiences, text)
			}
		}
	}
	s.expiry, s.notBefore = date(s.claims["exp"]), date(s.claims["nbf"])
	return s, nil
}

// payload of claims; where they say no end, they stand for a token that has not come to it.
func (s *seen) payload() ([]byte, error) {
	all := s.claims
	if _, ok := all["exp"]; !ok {
		s.endless = true
		all = map[string]any{"exp": time.Now().Add(time.Hour).Unix()}
		for k, v := range s.claims {
			all[k] = v
		}
	}
	return json.Marshal(all)
}

func (s *seen) decode() error {
	parts := strings.Split(s.raw, ".")
	if len(parts) != 3 {
		return errNoToken
	}
	var header struct {
		Algorithm string `json:"alg"`
		KeyID     string `json:"kid"`
	}
	for n, into := range []any{&header, &s.claims} {
		part, err := base64.RawURLEncoding.DecodeString(parts[n])
		if err != nil || json.Unmarshal(part, into) != nil {
			return errNoToken // the decoder's own text may quote the token
		}
	}
	s.algorithm, s.keyID = header.Algorithm, header.KeyID
	return nil
}

// date is a NumericDate, of JSON or as a caller writes it in Go.
func date(v any) time.Time {
	switch n := v.(type) {
	case float64:
		return time.Unix(int64(n), 0)
	case int64:
		return time.Unix(n, 0)
	case int:
		return time.Unix(int64(n), 0)
	case json.Number:
		if f, err := n.Float64(); err == nil {
			return time.Unix(int64(f), 0)
		}
	}
	return time.Time{}
}

func (s seen) text(claim string) string {
	v, ok := s.claims[claim]
	if !ok {
		return ""
	}
	if text, ok := v.(string); ok {
		return text
	}
	raw, err := json.Marshal(v)
	if err != nil {
		return ""
	}
	return string(raw)
}

func (s seen) has(claim string) bool { _, ok := s.claims[claim]; return ok }

// elsewhere reports whether the token only says where a claim is to be had
// (OpenID Connect Core 1.0, section 5.6.2).
func (s seen) elsewhere(claim string) bool {
	names, _ := s.claims["_claim_names"].(map[string]any)
	_, ok := names[claim]
	return ok && !s.has(claim)
}
