// Package entra is a strict stand-in for Microsoft Entra: the client credentials
// grant with a federated assertion or a client secret, with Entra's own errors, and the
// discovery that Microsoft's libraries do first.
package entra

import (
	"crypto/rand"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/podpass-io/podpass/federation"
	"github.com/podpass-io/podpass/federation/azure"
	"github.com/podpass-io/podpass/test/cloud/signer"
	"github.com/podpass-io/podpass/test/cloud/trust"
)

// Server is the stand-in. It is safe for concurrent use.
type Server struct {
	Trust    trust.Azure
	Verifier *trust.Verifier
	// Signer signs access tokens.
	Signer *signer.Signer
	// Uses counts the tokens that were given for client secrets.
	Uses trust.Uses
}

const (
	maxBody   = 64 << 10
	tokenLife = time.Hour
)

// ServeHTTP implements http.Handler.
func (s *Server) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	segment, rest, _ := strings.Cut(strings.TrimPrefix(r.URL.Path, "/"), "/")
	switch {
	case r.Method == http.MethodGet && r.URL.Path == "/common/discovery/instance":
		s.instance(w, r)
	case r.Method == http.MethodGet && rest == "v2.0/.well-known/openid-configuration":
		s.discovery(w, r, segment)
	case r.Method == http.MethodGet && rest == "discovery/v2.0/keys":
		s.Signer.ServeHTTP(w, r)
	case r.Method == http.MethodPost && rest == "oauth2/v2.0/token":
		s.token(w, r, segment)
	default:
		http.NotFound(w, r)
	}
}

func (s *Server) instance(w http.ResponseWriter, r *http.Request) {
	writeJSON(w, http.StatusOK, map[string]any{
		"tenant_discovery_endpoint": "https://" + r.Host + "/common/v2.0/.well-known/openid-configuration",
		"api-version":               "1.1",
		"metadata": []any{map[string]any{
			"preferred_network": r.Host, "preferred_cache": r.Host, "aliases": []string{r.Host},
		}},
	})
}

func (s *Server) discovery(w http.ResponseWriter, r *http.Request, tenant string) {
	if _, ok := s.tenant(tenant); !ok {
		s.fail(w, http.StatusBadRequest, "invalid_tenant", 90002, tenantNotFound(tenant))
		return
	}
	base := "https://" + r.Host + "/" + tenant
	writeJSON(w, http.StatusOK, map[string]any{
		"issuer": base + "/v2.0", "token_endpoint": base + "/oauth2/v2.0/token",
		"authorization_endpoint": base + "/oauth2/v2.0/authorize", "jwks_uri": base + "/discovery/v2.0/keys",
		"token_endpoint_auth_methods_supported": []string{"client_secret_post", "private_key_jwt"},
		"response_types_supported":              []string{"code"}, "subject_types_supported": []string{"pairwise"},
		"id_token_signing_alg_values_supported": []string{"RS256"}, "tenant_region_scope": "EU",
	})
}

func tenantNotFound(tenant string) string {
	return fmt.Sprintf("Tenant '%s' not found. Check to make sure you have the correct tenant ID and are signing into the correct cloud.", tenant)
}

func (s *Server) tenant(id string) (trust.Tenant, bool) {
	i := slices.IndexFunc(s.Trust.Tenants, func(t trust.Tenant) bool { return strings.EqualFold(t.ID, id) })
	if i < 0 {
		return trust.Tenant{}, false
	}
	return s.Trust.Tenants[i], true
}

func (s *Server) token(w http.ResponseWriter, r *http.Request, tenantID string) {
	r.Body = http.MaxBytesReader(w, r.Body, maxBody)
	if err := r.ParseForm(); err != nil {
		s.fail(w, http.StatusBadRequest, "invalid_request", 900144, "The request body cannot be read.")
		return
	}
	f := r.PostForm
	tenant, ok := s.tenant(tenantID)
	if !ok {
		s.fail(w, http.StatusBadRequest, "invalid_request", 90002, tenantNotFound(tenantID))
		return
	}
	if f.Get("grant_type") != "client_credentials" {
		s.fail(w, http.StatusBadRequest, "unsupported_grant_type", 70003, "The app requested an unsupported grant type.")
		return
	}
	i := slices.IndexFunc(tenant.Applications, func(a trust.Application) bool { return strings.EqualFold(a.ClientID, f.Get("client_id")) })
	if i < 0 {
		s.fail(w, http.StatusBadRequest, "unauthorized_client", 700016, fmt.Sprintf("Application with identifier '%s' was not found in the directory '%s'.", f.Get("client_id"), tenant.ID))
		return
	}
	app := tenant.Applications[i]
	secret := f.Get("client_secret")
	if secret == "" && f.Get("client_assertion_type") != "urn:ietf:params:oauth:client-assertion-type:jwt-bearer" {
		s.fail(w, http.StatusUnauthorized, "invalid_client", 7000218, "The request body must contain the following parameter: 'client_assertion' or 'client_secret'.")
		return
	}
	resource, ok := strings.CutSuffix(scopeOf(f.Get("scope")), "/.default")
	if !ok || !strings.Contains(resource, ":") && !azure.ValidClientID(resource) {
		s.fail(w, http.StatusBadRequest, "invalid_scope", 70011, fmt.Sprintf("The provided value for the input parameter 'scope' is not valid. The scope '%s' is not valid.", f.Get("scope")))
		return
	}
	if claims := f.Get("claims"); claims != "" && json.Unmarshal([]byte(claims), new(map[string]any)) != nil {
		s.fail(w, http.StatusBadRequest, "invalid_request", 9002313, "Invalid request. Request is malformed or invalid.")
		return
	}
	code, text := 0, ""
	if secret != "" {
		code, text = s.refuseSecret(app, secret)
	} else {
		code, text = s.refuse(r, app, f.Get("client_assertion"))
	}
	if code != 0 {
		s.fail(w, http.StatusUnauthorized, "invalid_client", code, text)
		return
	}
	s.issue(w, tenant, app, resource)
}

// scopeOf leaves out the scopes of OpenID Connect, which some clients add.
func scopeOf(s string) string {
	kept := slices.DeleteFunc(strings.Fields(s), func(scope string) bool {
		return slices.Contains([]string{"openid", "profile", "offline_access"}, scope)
	})
	return strings.Join(kept, " ")
}

// refuse says why an assertion does not authenticate app; 0: it does.
func (s *Server) refuse(r *http.Request, app trust.Application, assertion string) (int, string) {
	t, err := federation.ParseSubjectToken([]byte(assertion))
	if err != nil {
		return 50027, "JWT token is invalid or malformed."
	}
	if app.Listed != "" {
		if app.FederatedCredentials, err = listed(app.Listed); err != nil {
			return 70025, fmt.Sprintf("The client '%s' has federated identity credentials that cannot be read: %v", app.ClientID, err)
		}
	}
	if len(app.FederatedCredentials) == 0 {
		return 70025, fmt.Sprintf("The client '%s' has no configured federated identity credentials.", app.ClientID)
	}
	matching := func(f func(trust.FederatedCredential) bool) bool {
		return slices.ContainsFunc(app.FederatedCredentials, f)
	}
	switch c := t.Claims; {
	case !matching(func(f trust.FederatedCredential) bool { return f.Issuer == c.Issuer }):
		return 700211, fmt.Sprintf("No matching federated identity record found for presented assertion issuer '%s'.", c.Issuer)
	case !matching(func(f trust.FederatedCredential) bool { return f.Issuer == c.Issuer && f.Subject == c.Subject }):
		return 700213, fmt.Sprintf("No matching federated identity record found for presented assertion subject '%s'.", c.Subject)
	case !matching(func(f trust.FederatedCredential) bool {
		return f.Issuer == c.Issuer && f.Subject == c.Subject && slices.Contains(c.Audiences, f.Audience)
	}):
		return 700212, fmt.Sprintf("No matching federated identity record found for presented assertion audience '%s'.", strings.Join(c.Audiences, ","))
	case !strings.HasPrefix(c.Algorithm, "RS"):
		return 5002738, "Invalid JWT token. '" + c.Algorithm + "' is not a supported signature algorithm."
	}
	switch _, err := s.Verifier.Verify(r.Context(), assertion); {
	case errors.Is(err, trust.ErrUnreachable):
		return 50166, "Request to External OIDC endpoint failed."
	case errors.Is(err, trust.ErrKey), errors.Is(err, trust.ErrSignature):
		return 7000272, "The certificate or key that signed the assertion is not among the issuer's keys."
	case errors.Is(err, trust.ErrExpired):
		return 700024, "Client assertion is not within its valid time range."
	case err != nil:
		return 50027, "JWT token is invalid or malformed."
	}
	return 0, ""
}

func (s *Server) issue(w http.ResponseWriter, tenant trust.Tenant, app trust.Application, resource string) {
	now, life := time.Now(), s.Trust.Life.Of(tokenLife)
	token, err := s.Signer.Sign(map[string]any{
		"aud": resource, "iss": "https://sts.windows.net/" + tenant.ID + "/", "iat": now.Unix(), "nbf": now.Unix(), "exp": now.Add(life).Unix(),
		"appid": app.ClientID, "azp": app.ClientID, "tid": tenant.ID, "oid": app.ClientID, "sub": app.ClientID, "idtyp": "app", "ver": "2.0",
	})
	if err != nil {
		http.Error(w, "sign the token", http.StatusInternalServerError)
		return
	}
	writeJSON(w, http.StatusOK, map[string]any{
		"token_type": "Bearer", "expires_in": int(life.Seconds()), "ext_expires_in": int(life.Seconds()),
		"refresh_in": int(life.Seconds()) / 2, "access_token": token,
	})
}

// fail writes an error as Entra does: the number in the text and in error_codes.
func (s *Server) fail(w http.ResponseWriter, status int, code string, number int, text string) {
	trace, correlation, at := guid(), guid(), time.Now().UTC().Format("2006-01-02 15:04:05Z")
	writeJSON(w, status, map[string]any{
		"error":             code,
		"error_description": fmt.Sprintf("AADSTS%d: %s Trace ID: %s Correlation ID: %s Timestamp: %s", number, text, trace, correlation, at),
		"error_codes":       []int{number}, "timestamp": at, "trace_id": trace, "correlation_id": correlation,
		"error_uri": fmt.Sprintf("https://login.microsoftonline.com/error?code=%d", number),
	})
}

func guid() string {
	b := make([]byte, 16)
	_, _ = rand.Read(b) // never fails
	return fmt.Sprintf("%x-%x-%x-%x-%x", b[:4], b[4:6], b[6:8], b[8:10], b[10:])
}

func writeJSON(w http.ResponseWriter, status int, v any) {
	w.Header().Set("Content-Type", "application/json; charset=utf-8")
	w.WriteHeader(status)
	_ = json.NewEncoder(w).Encode(v) // an error means that the client has gone
}
