// Package tokenapi serves the access tokens of OAuth 2.0 servers that are none of the
// clouds, each by the name of its source, in the shape in which a token endpoint
// answers: RFC 6749, section 5.
package tokenapi

import (
	"context"
	"log/slog"
	"net/http"
	"strings"
	"time"

	"github.com/podpass-io/podpass/broker/answer"
	"github.com/podpass-io/podpass/broker/failure"
	"github.com/podpass-io/podpass/broker/guard"
	"github.com/podpass-io/podpass/federation"
)

// Path of the endpoint; a source's name follows it, behind a slash.
const Path = "/oidc/v1/token"

// hold is how long a request waits for an exchange.
const hold = 2 * time.Second

// Handler serves the tokens of one source.
type Handler struct {
	// AccessToken gives them; it may wait until its context ends.
	AccessToken func(context.Context) (federation.Credential, error)
	Secret      federation.Secret
	Log         *slog.Logger

	kept     answer.Kept[body]
	reporter failure.Reporter
}

type body struct {
	AccessToken string `json:"access_token"`
	TokenType   string `json:"token_type"`
	ExpiresIn   int    `json:"expires_in"`
}

// ServeHTTP implements http.Handler.
func (h *Handler) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if refused := guard.Check(r); refused != nil {
		writeError(w, refused.Status, "invalid_request", refused.Message)
		return
	}
	sent := r.Header.Get("Authorization")
	if scheme, rest, _ := strings.Cut(sent, " "); strings.EqualFold(scheme, "Bearer") {
		sent = rest
	}
	if !guard.Secret(sent, h.Secret) {
		writeError(w, http.StatusUnauthorized, "invalid_client", "the Authorization header must hold PODPASS_TOKEN_SECRET")
		return
	}
	ctx, cancel := context.WithTimeout(r.Context(), hold)
	defer cancel()
	c, err := h.AccessToken(ctx)
	if err != nil {
		h.reporter.Report(h.Log, r, err)
		status, code := failure.JSON.Answer(w, err)
		writeError(w, status, code, err.Error())
		return
	}
	answer.Write(w, http.StatusOK, answer.JSONType, h.kept.Encode(body{
		AccessToken: c.Token.Reveal(), TokenType: "Bearer", ExpiresIn: int(c.Expiry.Remaining(time.Now()).Seconds()),
	}))
}

// NotFound answers for a path below Path that no source has.
func NotFound(w http.ResponseWriter, _ *http.Request) {
	writeError(w, http.StatusNotFound, "invalid_request", "this pod's ServiceAccount has no token source of that name: its annotation podpass.io/oidc-token-sources lists them")
}

func writeError(w http.ResponseWriter, status int, code, text string) {
	answer.JSON(w, status, struct {
		Error       string `json:"error"`
		Description string `json:"error_description"`
	}{code, text})
}
