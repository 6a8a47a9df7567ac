package gcptrust

import (
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"slices"
)

const (
	// maxKeys is far above what a cluster has: the key that signs, and those before it.
	maxKeys = 20
	// maxJWKS bounds what is read; twenty RSA keys of 4096 bits take 16 KiB.
	maxJWKS = 64 << 10
)

// taken are the fields of a key that Google takes in an upload, and no others.
// https://cloud.google.com/iam/docs/workload-identity-federation-with-kubernetes
var taken = []string{"kty", "alg", "use", "kid", "n", "e", "x", "y", "crv"}

// private are fields that only a private or a symmetric key has (RFC 7518).
var private = []string{"d", "p", "q", "dp", "dq", "qi", "oth", "k"}

// uploadable is a cluster's JWKS with nothing in it but what Google takes. Its errors
// quote no key.
func uploadable(jwks []byte) (string, error) {
	if len(jwks) > maxJWKS {
		return "", fmt.Errorf("they take more than %d KiB", maxJWKS>>10)
	}
	var in struct {
		Keys []map[string]any `json:"keys"`
	}
	if json.Unmarshal(jwks, &in) != nil {
		return "", errors.New("they are not a JWKS")
	}
	if n := len(in.Keys); n == 0 || n > maxKeys {
		return "", fmt.Errorf("there are %d of them", n)
	}
	for n, key := range in.Keys {
		for _, field := range private {
			if _, ok := key[field]; ok {
				return "", fmt.Errorf("key %d is a private one", n+1)
			}
		}
		if kty := key["kty"]; kty != "RSA" && kty != "EC" {
			return "", fmt.Errorf("key %d is neither an RSA nor an EC key", n+1)
		}
		maps.DeleteFunc(key, func(field string, _ any) bool { return !slices.Contains(taken, field) })
	}
	out, err := json.Marshal(in)
	return string(out), err
}
