package gcpsts

import (
	"encoding/json"
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/lestrrat-go/jwx/v3/jwa"
	"github.com/lestrrat-go/jwx/v3/jwk"
	"github.com/lestrrat-go/jwx/v3/jws"

	"github.com/podpass-io/podpass/test/cloud/trust"
)

// What a key file's token_uri names, and the longest life of what is sent there.
const (
	tokenPath       = "/token"
	maxAssertion    = time.Hour
	accessTokenLife = time.Hour
)

// assertion are the claims that a key of a service account signs.
type assertion struct {
	Issuer   string `json:"iss"`
	Audience string `json:"aud"`
	Scope    string `json:"scope"`
	IssuedAt int64  `json:"iat"`
	Expiry   int64  `json:"exp"`
}

// bearerGrant gives an access token for a JWT that a key of a service account has signed.
// https://developers.google.com/identity/protocols/oauth2/service-account#httprest
func (s *Server) bearerGrant(w http.ResponseWriter, r *http.Request) {
	r.Body = http.MaxBytesReader(w, r.Body, maxBody)
	if err := r.ParseForm(); err != nil {
		oauthError(w, "invalid_request", "The request body cannot be read.")
		return
	}
	if grant := r.PostForm.Get("grant_type"); grant != "urn:ietf:params:oauth:grant-type:jwt-bearer" {
		oauthError(w, "unsupported_grant_type", "Invalid grant_type: "+grant)
		return
	}
	claims, key, refused := s.verifyAssertion(r.PostForm.Get("assertion"), "https://"+r.Host+tokenPath)
	if refused != nil {
		oauthError(w, refused.code, refused.text)
		return
	}
	s.Uses.Add(key.ID)
	life := s.Trust.Life.Of(accessTokenLife)
	token := s.issue(issued{principal: claims.Issuer, key: key.ID, scopes: strings.Fields(claims.Scope)}, life)
	writeJSON(w, http.StatusOK, map[string]any{"access_token": token, "token_type": "Bearer", "expires_in": int(life.Seconds())})
}

// verifyAssertion gives what a JWT claims, and the key that has signed it.
func (s *Server) verifyAssertion(token, audience string) (assertion, trust.GCPKey, *refusal) {
	var claims assertion
	refuse := func(code, text string) (assertion, trust.GCPKey, *refusal) {
		return claims, trust.GCPKey{}, &refusal{code, text}
	}
	message, err := jws.Parse([]byte(token))
	if err != nil || json.Unmarshal(message.Payload(), &claims) != nil {
		return refuse("invalid_grant", "Bad Request")
	}
	i := slices.IndexFunc(s.Trust.ServiceAccounts, func(a trust.GCPServiceAccount) bool { return a.Email == claims.Issuer })
	if i < 0 {
		return refuse("invalid_grant", "Invalid grant: account not found")
	}
	key, ok := signedBy(token, message, s.Trust.ServiceAccounts[i].Keys)
	now, issuedAt, end := time.Now(), time.Unix(claims.IssuedAt, 0), time.Unix(claims.Expiry, 0)
	const skew = 5 * time.Minute
	switch {
	case !ok:
		return refuse("invalid_grant", "Invalid JWT Signature.")
	case claims.Audience != audience:
		return refuse("invalid_grant", "Invalid JWT: Failed audience check. The right audience is "+audience)
	case !end.After(now.Add(-skew)), issuedAt.After(now.Add(skew)), end.Sub(issuedAt) > maxAssertion+skew:
		return refuse("invalid_grant", "Invalid JWT: Token must be a short-lived token (60 minutes) and in a reasonable timeframe. Check your iat and exp values in the JWT claim.")
	case strings.TrimSpace(claims.Scope) == "":
		return refuse("invalid_scope", "Invalid OAuth scope or ID token audience provided.")
	}
	return claims, key, nil
}

// signedBy finds the key that has signed a JWT: that which it names or, since it need not
// name any, one of all. A disabled one is as good as none.
func signedBy(token string, message *jws.Message, keys []trust.GCPKey) (trust.GCPKey, bool) {
	if len(message.Signatures()) != 1 {
		return trust.GCPKey{}, false
	}
	named, _ := message.Signatures()[0].ProtectedHeaders().KeyID()
	for _, k := range keys {
		if k.Disabled || named != "" && named != k.ID {
			continue
		}
		public, err := jwk.ParseKey([]byte(k.PublicKey), jwk.WithPEM(true))
		if err != nil {
			continue
		}
		if _, err := jws.Verify([]byte(token), jws.WithKey(jwa.RS256(), public)); err == nil {
			return k, true
		}
	}
	return trust.GCPKey{}, false
}
