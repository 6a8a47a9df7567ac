package rotate

import (
	"time"

	"github.com/podpass-io/podpass/federation"
	"github.com/podpass-io/podpass/federation/issuer"
)

// Look is the world at one moment.
type Look struct {
	Now time.Time
	// Published is what the issuer shows outside.
	Published issuer.Published
	// Servers are the API servers' own JWKS, one of each look at them: by these keys they
	// verify tokens themselves.
	Servers []issuer.Keys
	// Tokens are the claims of tokens that were minted just now, one of each look. With
	// several API servers behind one address, several looks meet all of them.
	Tokens []federation.Claims
}

// trusting is of how many looks the API server verifies by the key.
func (l Look) trusting(k issuer.Key) (n int) {
	for _, keys := range l.Servers {
		if have, ok := keys.Find(k.ID); ok && have.Same(k) {
			n++
		}
	}
	return n
}

// signing counts the tokens by who signed them.
func (l Look) signing(s State) (old, fresh, other int, foreign string) {
	for _, t := range l.Tokens {
		_, isOld := s.Old.Find(t.KeyID)
		switch {
		case isOld:
			old++
		case t.KeyID == s.New.Keys[0].ID:
			fresh++
		default:
			other++
			foreign = t.KeyID
		}
	}
	return old, fresh, other, foreign
}

// shows reports whether what is published has a key.
func (l Look) shows(k issuer.Key) bool {
	have, ok := l.Published.Keys.Find(k.ID)
	return ok && have.Same(k)
}
