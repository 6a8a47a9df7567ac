// Package gcpsts is a strict stand-in for Google's STS and IAM credentials APIs, for the
// OAuth 2.0 server that takes what keys of service accounts sign, with their own errors,
// and for the tokeninfo endpoint.
package gcpsts

import (
	"crypto/rand"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/podpass-io/podpass/federation"
	"github.com/podpass-io/podpass/federation/gcp"
	"github.com/podpass-io/podpass/test/cloud/signer"
	"github.com/podpass-io/podpass/test/cloud/trust"
)

// Server is the stand-in. It is safe for concurrent use.
type Server struct {
	Trust    trust.GCP
	Verifier *trust.Verifier
	// Signer signs ID tokens.
	Signer *signer.Signer
	// Uses counts the requests with keys of service accounts, and with access tokens that
	// were given for one.
	Uses trust.Uses

	mu     sync.Mutex
	tokens map[string]issued // by access token
}

// issued is an access token that was handed out.
type issued struct {
	principal string // principal://... or an email
	// sets are the other members of IAM policies that stand for the principal.
	sets []string
	// key is the ID of the service account's key that it was given for; "": for none.
	key     string
	scopes  []string
	expires time.Time
}

// ServeHTTP implements http.Handler.
func (s *Server) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	const accounts = "/v1/projects/-/serviceAccounts/"
	switch {
	case r.Method == http.MethodPost && r.URL.Path == "/v1/token":
		s.exchange(w, r)
	case r.Method == http.MethodPost && r.URL.Path == tokenPath:
		s.bearerGrant(w, r)
	case r.Method == http.MethodPost && strings.HasPrefix(r.URL.Path, accounts):
		email, method, _ := strings.Cut(strings.TrimPrefix(r.URL.Path, accounts), ":")
		s.iam(w, r, email, method)
	case r.Method == http.MethodGet && r.URL.Path == "/oauth2/v3/tokeninfo":
		s.tokenInfo(w, r)
	case r.Method == http.MethodGet && r.URL.Path == "/oauth2/v3/certs":
		s.Signer.ServeHTTP(w, r)
	default:
		writeStatus(w, http.StatusNotFound, "NOT_FOUND", "no such method", "")
	}
}

const (
	maxBody        = 64 << 10
	federatedLife  = time.Hour
	providerPrefix = "//iam.googleapis.com/"
	maxTokenAge    = 24 * time.Hour
	maxSubject     = 127
)

func (s *Server) exchange(w http.ResponseWriter, r *http.Request) {
	r.Body = http.MaxBytesReader(w, r.Body, maxBody)
	if err := r.ParseForm(); err != nil {
		oauthError(w, "invalid_request", "The request body cannot be read.")
		return
	}
	f := r.PostForm
	audience := f.Get("audience")
	switch {
	case r.Header.Get("Authorization") != "":
		oauthError(w, "invalid_request", "Client authentication is not allowed for this provider.")
		return
	case f.Get("grant_type") != "urn:ietf:params:oauth:grant-type:token-exchange":
		oauthError(w, "unsupported_grant_type", "Invalid grant type.")
		return
	case f.Get("requested_token_type") != "urn:ietf:params:oauth:token-type:access_token",
		f.Get("subject_token_type") != "urn:ietf:params:oauth:token-type:jwt":
		oauthError(w, "invalid_request", "Invalid token type.")
		return
	case !strings.HasPrefix(audience, providerPrefix) && !strings.HasPrefix(audience, "identitynamespace:"):
		oauthError(w, "invalid_request", `Invalid value for "audience". This value should be the full resource name of the Identity Provider.`)
		return
	case strings.TrimSpace(f.Get("scope")) == "":
		oauthError(w, "invalid_request", "Scope(s) must be provided.")
		return
	}
	i := slices.IndexFunc(s.Trust.Providers, func(p trust.GCPProvider) bool {
		return p.Name == strings.TrimPrefix(audience, providerPrefix) && !p.Disabled && !switchedOff(p)
	})
	if i < 0 {
		oauthError(w, "invalid_target", `The target service indicated by the "audience" parameters is invalid. This might either be because the pool or provider is disabled or deleted or because it doesn't exist.`)
		return
	}
	var bearer issued
	var refused *refusal
	if p := s.Trust.Providers[i]; p.Described != "" {
		bearer, refused = s.verifyDescribed(r, p, f.Get("subject_token"))
	} else {
		bearer.principal, refused = s.verify(r, p, f.Get("subject_token"))
	}
	if refused != nil {
		oauthError(w, refused.code, refused.text)
		return
	}
	bearer.scopes = strings.Fields(f.Get("scope"))
	token := s.issue(bearer, s.Trust.Life.Of(federatedLife))
	writeJSON(w, http.StatusOK, map[string]any{
		"access_token": token, "issued_token_type": "urn:ietf:params:oauth:token-type:access_token",
		"token_type": "Bearer", "expires_in": int(s.Trust.Life.Of(federatedLife).Seconds()),
	})
}

type refusal struct{ code, text string }

func (s *Server) verify(r *http.Request, p trust.GCPProvider, token string) (string, *refusal) {
	claims, err := s.Verifier.Verify(r.Context(), token)
	grant := func(text string) (string, *refusal) { return "", &refusal{"invalid_grant", text} }
	if refused := unverified(claims, err, p.Issuer); refused != nil {
		return "", refused
	}
	allowed := p.AllowedAudiences
	if len(allowed) == 0 {
		allowed = []string{providerPrefix + p.Name, "https:" + providerPrefix + p.Name}
		if pool, ok := strings.CutPrefix(p.Name, "identitynamespace:"); ok {
			name, _, _ := strings.Cut(pool, ":https://")
			allowed = []string{name}
		}
	}
	if !slices.ContainsFunc(allowed, func(a string) bool { return slices.Contains(claims.Audiences, a) }) {
		return grant("The audience in ID Token [" + strings.Join(claims.Audiences, ",") + "] does not match the expected audience.")
	}
	if strings.HasPrefix(p.Name, "identitynamespace:") && strings.Count(claims.Subject, ":") != 3 {
		return grant("The subject in ID Token is not that of a Kubernetes service account.")
	}
	if p.Condition != "" && !trust.Glob([]string{p.Condition}, claims.Subject) {
		return "", &refusal{"unauthorized_client", "The given credential is rejected by the attribute condition."}
	}
	if len(claims.Subject) > maxSubject {
		return grant("The size of mapped attribute google.subject exceeds the 127 bytes limit. Either modify your attribute mapping or the incoming assertion to produce a mapped attribute that is less than 127 bytes.")
	}
	return principal(p.Name, claims.Subject), nil
}

// unverified is why a token is not its issuer's, or not of the issuer that is expected.
func unverified(claims federation.Claims, err error, issuer string) *refusal {
	grant := func(text string) *refusal { return &refusal{"invalid_grant", text} }
	switch {
	case errors.Is(err, trust.ErrMalformed):
		return grant("Unable to parse the ID Token.")
	case claims.Issuer != issuer:
		return grant("The issuer in ID Token " + claims.Issuer + " does not match the expected one: " + issuer + ".")
	case errors.Is(err, trust.ErrUnreachable):
		return grant("Error connecting to the given credential's issuer.")
	case errors.Is(err, trust.ErrKey):
		return grant("Unable to verify the ID Token signature: key not found.")
	case errors.Is(err, trust.ErrExpired), time.Since(claims.IssuedAt) > maxTokenAge:
		return grant("ID Token issued at " + claims.IssuedAt.UTC().Format(time.RFC3339) + " is stale to sign-in.")
	case err != nil:
		return grant("Unable to verify the ID Token signature.")
	}
	return nil
}

// principal is whom IAM takes the bearer for. Of a GKE cluster or a fleet it is
// named after the pool, by namespace and name.
func principal(provider, subject string) string {
	if pool, ok := strings.CutPrefix(provider, "identitynamespace:"); ok {
		pool, _, _ = strings.Cut(pool, ":https://")
		parts := strings.Split(subject, ":") // system:serviceaccount:<namespace>:<name>
		return "serviceAccount:" + pool + "[" + strings.Join(parts[2:], "/") + "]"
	}
	pool, _, _ := strings.Cut(provider, "/providers/")
	return "principal://iam.googleapis.com/" + pool + "/subject/" + subject
}

func (s *Server) iam(w http.ResponseWriter, r *http.Request, email, method string) {
	from, ok := s.bearer(r)
	if !ok {
		writeStatus(w, http.StatusUnauthorized, "UNAUTHENTICATED", "Request had invalid authentication credentials. Expected OAuth 2 access token, login cookie or other valid authentication credential.", "")
		return
	}
	var in struct {
		Scope        []string `json:"scope"`
		Lifetime     string   `json:"lifetime"`
		Delegates    []string `json:"delegates"`
		Audience     string   `json:"audience"`
		IncludeEmail bool     `json:"includeEmail"`
	}
	body, err := io.ReadAll(io.LimitReader(r.Body, maxBody))
	if err != nil || json.Unmarshal(body, &in) != nil {
		writeStatus(w, http.StatusBadRequest, "INVALID_ARGUMENT", "Invalid JSON payload received.", "")
		return
	}
	permission := map[string]string{"generateAccessToken": "iam.serviceAccounts.getAccessToken", "generateIdToken": "iam.serviceAccounts.getOpenIdToken"}[method]
	if permission == "" {
		writeStatus(w, http.StatusNotFound, "NOT_FOUND", "no such method", "")
		return
	}
	if slices.ContainsFunc(in.Delegates, func(d string) bool { return !strings.HasPrefix(d, "projects/-/serviceAccounts/") }) {
		writeStatus(w, http.StatusBadRequest, "INVALID_ARGUMENT", "A delegate must have the form projects/-/serviceAccounts/{ACCOUNT_EMAIL_OR_UNIQUEID}.", "")
		return
	}
	account, problem := s.impersonate(append([]string{from.principal}, from.sets...), email, in.Delegates)
	switch {
	case problem == "disabled":
		writeStatus(w, http.StatusForbidden, "PERMISSION_DENIED", "IAM Service Account Credentials API has not been used in project before or it is disabled.", "SERVICE_DISABLED")
		return
	case problem != "" || !slices.Contains(from.scopes, gcp.CloudPlatform):
		// Google says the same for one that does not exist.
		writeStatus(w, http.StatusForbidden, "PERMISSION_DENIED", "Permission '"+permission+"' denied on resource (or it may not exist).", "IAM_PERMISSION_DENIED")
		return
	}
	if method == "generateIdToken" {
		s.generateIDToken(w, account.Email, in.Audience, in.IncludeEmail)
		return
	}
	life, err := time.ParseDuration(in.Lifetime)
	if len(in.Scope) == 0 || err != nil || life <= 0 || life > 12*time.Hour {
		writeStatus(w, http.StatusBadRequest, "INVALID_ARGUMENT", "The lifetime must be at most 43200s, and scopes must be given.", "")
		return
	}
	life = s.Trust.Life.Of(life)
	token := s.issue(issued{principal: account.Email, scopes: in.Scope}, life)
	writeJSON(w, http.StatusOK, map[string]string{"accessToken": token, "expireTime": time.Now().Add(life).UTC().Format(time.RFC3339)})
}

// impersonate walks the delegation chain: each must allow the one before, by any of the
// members that stand for it.
func (s *Server) impersonate(members []string, email string, delegates []string) (trust.GCPServiceAccount, string) {
	var account trust.GCPServiceAccount
	for _, next := range append(delegates, email) {
		next = strings.TrimPrefix(next, "projects/-/serviceAccounts/")
		i := slices.IndexFunc(s.Trust.ServiceAccounts, func(a trust.GCPServiceAccount) bool { return a.Email == next })
		if i < 0 || !allows(s.Trust.ServiceAccounts[i], members) {
			return account, "denied"
		}
		account = s.Trust.ServiceAccounts[i]
		if account.APIDisabled {
			return account, "disabled"
		}
		members = []string{"serviceAccount:" + next}
	}
	return account, ""
}

func (s *Server) generateIDToken(w http.ResponseWriter, email, audience string, includeEmail bool) {
	if audience == "" {
		writeStatus(w, http.StatusBadRequest, "INVALID_ARGUMENT", "The audience must be given.", "")
		return
	}
	now := time.Now()
	claims := map[string]any{"iss": "https://accounts.google.com", "aud": audience, "sub": "1" + email, "iat": now.Unix(), "exp": now.Add(time.Hour).Unix()}
	if includeEmail {
		claims["email"], claims["email_verified"] = email, true
	}
	token, err := s.Signer.Sign(claims)
	if err != nil {
		writeStatus(w, http.StatusInternalServerError, "INTERNAL", "sign the token", "")
		return
	}
	writeJSON(w, http.StatusOK, map[string]string{"token": token})
}

func (s *Server) tokenInfo(w http.ResponseWriter, r *http.Request) {
	t, ok := s.taken(r.URL.Query().Get("access_token"))
	if !ok {
		oauthError(w, "invalid_token", "Invalid Value")
		return
	}
	info := map[string]string{"scope": strings.Join(t.scopes, " "), "exp": "", "sub": t.principal}
	info["exp"] = t.expires.UTC().Format(time.RFC3339)
	if !strings.ContainsAny(t.principal, "/[") { // an email, not a federated principal
		info["email"] = t.principal
	}
	writeJSON(w, http.StatusOK, info)
}

func (s *Server) bearer(r *http.Request) (issued, bool) {
	token, ok := strings.CutPrefix(r.Header.Get("Authorization"), "Bearer ")
	if !ok {
		return issued{}, false
	}
	return s.taken(token)
}

// taken gives what an access token was issued for, and counts its use.
func (s *Server) taken(token string) (issued, bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	t, ok := s.tokens[token]
	if !ok || !time.Now().Before(t.expires) {
		return issued{}, false
	}
	s.Uses.Add(t.key)
	return t, true
}

const maxTokens = 100_000

func (s *Server) issue(t issued, life time.Duration) string {
	token := "ya29." + rand.Text() + rand.Text()
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.tokens == nil || len(s.tokens) >= maxTokens {
		s.tokens = map[string]issued{}
	}
	t.expires = time.Now().Add(life)
	s.tokens[token] = t
	return token
}

func oauthError(w http.ResponseWriter, code, text string) {
	writeJSON(w, http.StatusBadRequest, map[string]string{"error": code, "error_description": text})
}

// writeStatus writes Google's common error model.
func writeStatus(w http.ResponseWriter, status int, code, text, reason string) {
	e := map[string]any{"code": status, "message": text, "status": code}
	if reason != "" {
		e["details"] = []any{map[string]any{"@type": "type.googleapis.com/google.rpc.ErrorInfo", "reason": reason, "domain": "googleapis.com"}}
	}
	writeJSON(w, status, map[string]any{"error": e})
}

func writeJSON(w http.ResponseWriter, status int, v any) {
	w.Header().Set("Content-Type", "application/json; charset=UTF-8")
	w.WriteHeader(status)
	_ = json.NewEncoder(w).Encode(v) // an error means that the client has gone
}
