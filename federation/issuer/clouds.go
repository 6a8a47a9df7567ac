package issuer

import (
	"fmt"
	"slices"
	"strings"
)

// cloud is what a cloud takes of an issuer.
type cloud struct {
	name       string
	algorithms []string
}

// clouds by what they say that they take:
//   - AWS: RS256/384/512 and, since November 2024, ES256/384/512 (IAM, OIDC federation);
//   - Google: RS256 and ES256 (workload identity federation, "prepare your provider");
//   - Azure: RS256 (Entra, "workload identity federation considerations").
var clouds = []cloud{
	{"AWS", []string{"RS256", "RS384", "RS512", "ES256", "ES384", "ES512"}},
	{"Google Cloud", []string{"RS256", "ES256"}},
	{"Azure", []string{"RS256"}},
}

// minRSABits: NIST SP 800-57's floor, and that of the clouds.
const minRSABits = 2048

// maxKeysOfAKind is AWS's: tokens of a kind with more are refused as InvalidIdentityToken.
const maxKeysOfAKind = 100

// refusing are the clouds that do not take an algorithm.
func refusing(algorithm string) (names []string) {
	for _, c := range clouds {
		if !slices.Contains(c.algorithms, algorithm) {
			names = append(names, c.name)
		}
	}
	return names
}

func takenBy(names []string) string {
	if len(names) == len(clouds) {
		return "no cloud takes it"
	}
	return fmt.Sprintf("not taken by %s", strings.Join(names, ", "))
}
