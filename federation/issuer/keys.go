package issuer

import (
	"bytes"
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/lestrrat-go/jwx/v3/jwk"
)

// Keys are those of a JWKS, in its order.
type Keys []Key

// MaxSize of a discovery document or a JWKS, in bytes: 200 keys, the most that AWS takes,
// are about 80 KiB.
const MaxSize = 128 << 10

// googles are the members that Google takes in an uploaded JWKS, and no others:
// https://cloud.google.com/iam/docs/reference/rest/v1/projects.locations.workloadIdentityPools.providers.
var googles = []string{"kty", "alg", "use", "kid", "n", "e", "x", "y", "crv"}

// private are the members that make a JWK a secret (RFC 7518, 6.2.2, 6.3.2, 6.4).
var private = []string{"d", "p", "q", "dp", "dq", "qi", "oth", "k"}

// ParseKeys reads a JWKS. A private key in it is an error that is [ErrPrivateKey] and
// tells its kid; a key that is neither RSA nor EC, which no cloud takes, is one too. Keys
// of one kid are all kept: [Verify] tells of them.
func ParseKeys(jwks []byte) (Keys, error) {
	if len(jwks) > MaxSize {
		return nil, fmt.Errorf("larger than %d bytes", MaxSize)
	}
	var set struct {
		Keys []json.RawMessage `json:"keys"`
	}
	if err := json.Unmarshal(jwks, &set); err != nil {
		return nil, errors.New("not the JSON of a JWKS") // the decoder's text may quote a key
	}
	if len(set.Keys) == 0 {
		return nil, errors.New("a JWKS without keys")
	}
	keys := make(Keys, 0, len(set.Keys))
	for i, raw := range set.Keys {
		k, err := parseKey(raw)
		if err != nil {
			return nil, fmt.Errorf("keys[%d]: %w", i, err)
		}
		keys = append(keys, k)
	}
	return keys, nil
}

func parseKey(raw []byte) (Key, error) {
	var members map[string]json.RawMessage
	if err := json.Unmarshal(raw, &members); err != nil {
		return Key{}, errors.New("not an object")
	}
	var k Key
	for name := range members {
		if slices.Contains(private, name) {
			var kid string
			_ = json.Unmarshal(members["kid"], &kid) // a key without a name is refused all the same
			return Key{}, fmt.Errorf("kid %q %w", kid, ErrPrivateKey)
		}
		if !slices.Contains(googles, name) {
			k.Extra = append(k.Extra, name)
		}
	}
	slices.Sort(k.Extra)
	parsed, err := jwk.ParseKey(raw)
	if err != nil {
		return Key{}, errors.New("not a JWK of a known kind")
	}
	k.ID, _ = parsed.KeyID()
	k.Use, _ = parsed.KeyUsage()
	if alg, ok := parsed.Algorithm(); ok {
		k.Algorithm = alg.String()
	}
	var public any
	if err := jwk.Export(parsed, &public); err != nil {
		return Key{}, fmt.Errorf("kid %q: not a public key: %w", k.ID, err)
	}
	k.Public = public
	if _, err := algorithmOf(k.Public); err != nil {
		return Key{}, fmt.Errorf("kid %q: %w", k.ID, err)
	}
	return k, nil
}

// JWKS is what is published, indented, ordered by kid, so that equal keys give equal
// bytes. Each key has kty, alg, use, kid and its numbers: what Google takes in an upload.
func (keys Keys) JWKS() ([]byte, error) {
	set := jwk.NewSet()
	for _, k := range slices.SortedFunc(slices.Values(keys), func(a, b Key) int { return strings.Compare(a.ID, b.ID) }) {
		imported, err := jwk.Import(k.Public)
		if err != nil {
			return nil, fmt.Errorf("kid %s: %w", k.ID, err)
		}
		fits, err := algorithmOf(k.Public)
		if err != nil {
			return nil, fmt.Errorf("kid %s: %w", k.ID, err)
		}
		for member, value := range map[string]string{jwk.KeyIDKey: k.ID, jwk.AlgorithmKey: cmp.Or(k.Algorithm, fits), jwk.KeyUsageKey: "sig"} {
			if err := imported.Set(member, value); err != nil {
				return nil, fmt.Errorf("kid %s: %w", k.ID, err)
			}
		}
		if err := set.AddKey(imported); err != nil {
			return nil, fmt.Errorf("kid %s: %w", k.ID, err)
		}
	}
	raw, err := json.Marshal(set)
	if err != nil {
		return nil, err
	}
	var out bytes.Buffer
	if err := json.Indent(&out, raw, "", "  "); err != nil {
		return nil, err
	}
	out.WriteByte('\n')
	return out.Bytes(), nil
}

// Find gives the key of a kid.
func (keys Keys) Find(kid string) (Key, bool) {
	i := slices.IndexFunc(keys, func(k Key) bool { return k.ID == kid })
	if i < 0 {
		return Key{}, false
	}
	return keys[i], true
}

// IDs are the kids, in order.
func (keys Keys) IDs() []string {
	ids := make([]string, len(keys))
	for i, k := range keys {
		ids[i] = k.ID
	}
	return ids
}

// Without gives the keys whose kid is none of ids.
func (keys Keys) Without(ids ...string) Keys {
	return slices.DeleteFunc(slices.Clone(keys), func(k Key) bool { return slices.Contains(ids, k.ID) })
}

// Algorithms are those of the keys, each once, sorted.
func (keys Keys) Algorithms() []string {
	var list []string
	for _, k := range keys {
		fits, _ := algorithmOf(k.Public) // an unknown kind has none
		if a := cmp.Or(k.Algorithm, fits); a != "" && !slices.Contains(list, a) {
			list = append(list, a)
		}
	}
	slices.Sort(list)
	return list
}
