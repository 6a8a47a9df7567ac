// Package actions is a strict stand-in for the token endpoint of GitHub Actions: what a
// job with permissions: {id-token: write} asks for tokens, as GitHub describes it in
// https://docs.github.com/actions/reference/security/oidc. It is an issuer, too, so that
// whoever trusts it can verify them.
package actions

import (
	"crypto/rand"
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"sync"
	"testing"
	"time"

	"github.com/podpass-io/podpass/test/cloud/issuer"
)

// Actions is a job of a repository, and its token endpoint.
type Actions struct {
	// Issuer signs the tokens.
	Issuer *issuer.Issuer
	// URL is that of the server, and RequestURL and RequestToken what the job gets.
	URL, RequestURL, RequestToken string
	// Client trusts the server.
	Client *http.Client

	mu    sync.Mutex
	life  time.Duration
	asked int
	other http.HandlerFunc
}

// The job's own claims.
const (
	Subject    = "repo:shop/orders:ref:refs/heads/main"
	Repository = "shop/orders"
)

const path = "/42//idtoken/0f0e2b7e-plan/1c6f-job"

// Start starts it; it ends with the test.
func Start(t testing.TB) *Actions {
	t.Helper()
	a := &Actions{Issuer: issuer.Start(t), RequestToken: rand.Text() + rand.Text(), life: 5 * time.Minute}
	server := httptest.NewTLSServer(a)
	t.Cleanup(server.Close)
	a.URL, a.Client = server.URL, server.Client()
	a.RequestURL = server.URL + path + "?api-version=2.0"
	return a
}

// Getenv is the environment of a job.
func (a *Actions) Getenv(name string) string {
	return map[string]string{
		"GITHUB_SERVER_URL": a.URL, "ACTIONS_ID_TOKEN_REQUEST_URL": a.RequestURL, "ACTIONS_ID_TOKEN_REQUEST_TOKEN": a.RequestToken,
	}[name]
}

// Asked counts the tokens that were given.
func (a *Actions) Asked() int {
	a.mu.Lock()
	defer a.mu.Unlock()
	return a.asked
}

// Lives sets how long tokens live; GitHub's live for five minutes.
func (a *Actions) Lives(d time.Duration) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.life = d
}

// Answer answers in its place; nil: no longer.
func (a *Actions) Answer(f http.HandlerFunc) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.other = f
}

// ServeHTTP implements http.Handler.
func (a *Actions) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.other != nil {
		a.other(w, r)
		return
	}
	q := r.URL.Query()
	switch {
	case r.URL.Path != path:
		refuse(w, http.StatusNotFound, "no such plan or job")
	case r.Method != http.MethodGet:
		refuse(w, http.StatusMethodNotAllowed, "only GET")
	case len(r.Header.Values("Authorization")) != 1 || r.Header.Get("Authorization") != "Bearer "+a.RequestToken:
		refuse(w, http.StatusUnauthorized, "the token of the job is wrong")
	case len(q["api-version"]) != 1 || q.Get("api-version") != "2.0":
		refuse(w, http.StatusBadRequest, "no api-version")
	case len(q["audience"]) != 1 || q.Get("audience") == "" || len(q) != 2:
		refuse(w, http.StatusBadRequest, "want one audience")
	default:
		a.give(w, q.Get("audience"))
	}
}

func (a *Actions) give(w http.ResponseWriter, audience string) {
	now := time.Now()
	token, err := a.Issuer.Signer.Sign(map[string]any{
		"iss": a.Issuer.URL, "sub": Subject, "aud": audience, "jti": rand.Text(), "repository": Repository, "ref": "refs/heads/main",
		"iat": now.Unix(), "nbf": now.Add(-10 * time.Minute).Unix(), "exp": now.Add(a.life).Unix(),
	})
	if err != nil {
		refuse(w, http.StatusInternalServerError, "sign the token")
		return
	}
	a.asked++
	write(w, http.StatusOK, map[string]any{"count": len(token), "value": token})
}

func refuse(w http.ResponseWriter, status int, text string) {
	write(w, status, map[string]string{"message": text})
}

func write(w http.ResponseWriter, status int, v any) {
	w.Header().Set("Content-Type", "application/json; charset=utf-8")
	w.WriteHeader(status)
	_ = json.NewEncoder(w).Encode(v) // an error means that the client has gone
}
