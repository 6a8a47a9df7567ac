// Package azureapi serves Entra access tokens in the two protocols of managed
// identities: App Service's (IDENTITY_ENDPOINT), which all five SDKs speak, and
// the instance metadata service's, for what speaks only that.
//
// https://learn.microsoft.com/azure/app-service/overview-managed-identity#rest-endpoint-reference
package azureapi

import (
	"context"
	"log/slog"
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/podpass-io/podpass/broker/answer"
	"github.com/podpass-io/podpass/broker/failure"
	"github.com/podpass-io/podpass/broker/guard"
	"github.com/podpass-io/podpass/federation"
)

// Path of the App Service shape.
const Path = "/azure/v1/token"

// hold is how long a request waits for an exchange. SDKs ask four to six times, with
// pauses of their own: with a cloud that hangs, their patience adds up to some 20 s.
const hold = 2 * time.Second

// Source gives an application's token for a resource; it may wait until its context
// ends. claims is a claims challenge to pass on; usually empty.
type Source func(ctx context.Context, resource, claims string) (federation.Credential, error)

// Handler serves the tokens of one Entra identity.
type Handler struct {
	// AccessToken is for requests that name no application, or this one.
	AccessToken Source
	ClientID    string
	// Others are the pod's further applications, by client ID.
	Others map[string]Source
	// Any, where ClientID is empty, gives the source of whichever application a request
	// names; false: it is no client ID. A request has to name one.
	Any    func(clientID string) (Source, bool)
	Secret federation.Secret
	Log    *slog.Logger

	kept     answer.Kept[body]
	reporter failure.Reporter
}

// body's fields are strings, and expires_in stands before expires_on: one SDK maps
// both onto one field, and the later wins.
type body struct {
	AccessToken string `json:"access_token"`
	ClientID    string `json:"client_id"`
	ExpiresIn   string `json:"expires_in"`
	ExpiresOn   string `json:"expires_on"`
	NotBefore   string `json:"not_before"`
	Resource    string `json:"resource"`
	TokenType   string `json:"token_type"`
}

// ServeHTTP serves the App Service shape.
func (h *Handler) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if refused := guard.Check(r); refused != nil {
		writeError(w, refused.Status, "refused", refused.Message, "")
		return
	}
	if !guard.Secret(r.Header.Get("X-Identity-Header"), h.Secret) {
		writeError(w, http.StatusUnauthorized, "unauthorized", "the X-IDENTITY-HEADER header must hold IDENTITY_HEADER", "")
		return
	}
	h.serve(w, r)
}

// IMDS gives the handler of the metadata service's shape below /metadata/identity.
// Its clients know no secret: the header "Metadata: true" is what a forged request
// cannot set.
func (h *Handler) IMDS() http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if refused := guard.Check(r); refused != nil {
			writeError(w, refused.Status, "refused", refused.Message, "")
			return
		}
		if !strings.EqualFold(r.Header.Get("Metadata"), "true") {
			writeError(w, http.StatusBadRequest, "bad_request", "the header Metadata: true is required", "")
			return
		}
		// JS ends the path with a slash, Java begins it with two, and the first
		// segment's letter case differs: none of them follows a redirect.
		path := strings.ToLower(strings.Trim(r.URL.Path, "/"))
		if path != "metadata/identity/oauth2/token" {
			writeError(w, http.StatusNotFound, "not_found", "no such path", "")
			return
		}
		h.serve(w, r)
	})
}

// IsIMDS reports whether a path is the metadata service's.
func IsIMDS(path string) bool {
	const prefix = "metadata/identity"
	path = strings.TrimLeft(path, "/")
	return len(path) >= len(prefix) && strings.EqualFold(path[:len(prefix)], prefix)
}

func (h *Handler) serve(w http.ResponseWriter, r *http.Request) {
	asked, problem := h.parse(r.URL.RawQuery)
	if problem != "" {
		writeError(w, http.StatusBadRequest, "invalid_request", problem, "")
		return
	}
	ctx, cancel := context.WithTimeout(r.Context(), hold)
	defer cancel()
	c, err := asked.source(ctx, asked.resource, asked.claims)
	if err != nil {
		h.reporter.Report(h.Log, r, err)
		writeFailure(w, err)
		return
	}
	now := time.Now()
	answer.Write(w, http.StatusOK, answer.JSONType, h.kept.Encode(body{
		AccessToken: c.Token.Reveal(), ClientID: asked.clientID,
		ExpiresIn: strconv.FormatInt(int64(c.Expiry.Remaining(now).Seconds()), 10),
		ExpiresOn: strconv.FormatInt(c.Expiry.Time().Unix(), 10),
		NotBefore: strconv.FormatInt(c.Expiry.Issued().Unix(), 10),
		Resource:  asked.resource, TokenType: "Bearer",
	}))
}
