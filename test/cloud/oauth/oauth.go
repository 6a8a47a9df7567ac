// Package oauth is a strict stand-in for an OAuth 2.0 server that trusts other
// issuers' tokens: token exchange (RFC 8693) and both uses of a JWT of RFC 7523. Its
// token endpoint is /token, and it says who a token of its own is at /userinfo.
package oauth

import (
	"encoding/json"
	"errors"
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/podpass-io/podpass/test/cloud/signer"
	"github.com/podpass-io/podpass/test/cloud/trust"
)

// Server is the stand-in. It is safe for concurrent use.
type Server struct {
	Trust    trust.OAuth
	Verifier *trust.Verifier
	// Signer signs access tokens.
	Signer *signer.Signer
}

const (
	maxBody   = 64 << 10
	tokenLife = time.Hour

	grants        = "urn:ietf:params:oauth:grant-type:"
	clientType    = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"
	tokenExchange = grants + "token-exchange"
	jwtBearer     = grants + "jwt-bearer"
)

type refusal struct {
	status     int
	code, text string
}

// ServeHTTP implements http.Handler.
func (s *Server) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	switch {
	case r.Method == http.MethodPost && r.URL.Path == "/token":
		if refused := s.token(w, r); refused != nil {
			writeJSON(w, refused.status, map[string]string{"error": refused.code, "error_description": refused.text})
		}
	case r.Method == http.MethodGet && r.URL.Path == "/userinfo":
		s.userinfo(w, r)
	default:
		http.NotFound(w, r)
	}
}

func bad(code, text string) *refusal { return &refusal{http.StatusBadRequest, code, text} }

func (s *Server) token(w http.ResponseWriter, r *http.Request) *refusal {
	r.Body = http.MaxBytesReader(w, r.Body, maxBody)
	if err := r.ParseForm(); err != nil {
		return bad("invalid_request", "the body is not a form")
	}
	f := r.PostForm
	for name, values := range f {
		if len(values) > 1 {
			return bad("invalid_request", "the field "+name+" is there more than once")
		}
	}
	if r.Header.Get("Authorization") != "" {
		return &refusal{http.StatusUnauthorized, "invalid_client", "clients have no password here"}
	}
	// What is wrong with the token is the client's fault where it stands for the client.
	field, code, status := "", "invalid_grant", http.StatusBadRequest
	switch f.Get("grant_type") {
	case tokenExchange:
		field, code = "subject_token", "invalid_request" // RFC 8693, section 2.2.2
		if !slices.Contains([]string{"urn:ietf:params:oauth:token-type:jwt", "urn:ietf:params:oauth:token-type:id_token"}, f.Get("subject_token_type")) {
			return bad("invalid_request", "subject_token_type is not that of a JWT")
		}
	case jwtBearer:
		field = "assertion"
	case "client_credentials":
		field, code, status = "client_assertion", "invalid_client", http.StatusUnauthorized
		if f.Get("client_assertion_type") != clientType {
			return &refusal{status, code, "client_assertion_type is missing"}
		}
	default:
		return bad("unsupported_grant_type", "no grant "+f.Get("grant_type"))
	}
	if refused := s.check(r, f.Get(field)); refused != "" {
		return &refusal{status, code, refused}
	}
	switch scope := f.Get("scope"); {
	case f.Get("client_id") != s.Trust.ClientID:
		return &refusal{http.StatusUnauthorized, "invalid_client", "no client " + f.Get("client_id")}
	case scope != "" && !slices.Contains(s.Trust.Scopes, scope):
		return bad("invalid_scope", "no scope "+scope)
	}
	for name, want := range s.Trust.Require {
		if f.Get(name) != want {
			return bad("invalid_target", "the field "+name+" must be "+want)
		}
	}
	return s.issue(w, f.Get("scope"))
}

// check verifies a token; "": it is good.
func (s *Server) check(r *http.Request, token string) string {
	c, err := s.Verifier.Verify(r.Context(), token)
	switch {
	case errors.Is(err, trust.ErrMalformed):
		return "not a JWT"
	case c.Issuer != s.Trust.Issuer:
		return "issuer " + c.Issuer + " is not trusted"
	case err != nil:
		return err.Error()
	case !slices.Contains(c.Audiences, s.Trust.Audience):
		return "the audience " + strings.Join(c.Audiences, ",") + " is another server's"
	case !trust.Glob(s.Trust.Subjects, c.Subject):
		return "subject " + c.Subject + " is not mapped to anybody"
	}
	return ""
}

func (s *Server) issue(w http.ResponseWriter, scope string) *refusal {
	now, life := time.Now(), s.Trust.Life.Of(tokenLife)
	token, err := s.Signer.Sign(map[string]any{"sub": s.Trust.User, "scope": scope, "iat": now.Unix(), "exp": now.Add(life).Unix()})
	if err != nil {
		return &refusal{http.StatusInternalServerError, "server_error", "sign the token"}
	}
	w.Header().Set("Cache-Control", "no-store")
	writeJSON(w, http.StatusOK, map[string]any{
		"access_token": token, "issued_token_type": "urn:ietf:params:oauth:token-type:access_token", "token_type": "Bearer", "expires_in": int(life.Seconds()),
	})
	return nil
}

func (s *Server) userinfo(w http.ResponseWriter, r *http.Request) {
	claims, err := s.Signer.Verify(strings.TrimPrefix(r.Header.Get("Authorization"), "Bearer "))
	if err != nil {
		http.Error(w, "not a token of this server", http.StatusUnauthorized)
		return
	}
	writeJSON(w, http.StatusOK, map[string]any{"sub": claims["sub"]})
}

func writeJSON(w http.ResponseWriter, status int, v any) {
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	_ = json.NewEncoder(w).Encode(v) // an error means that the client has gone
}
