// Package azureapi serves Entra access tokens in the two protocols of managed
// identities: App Service's (IDENTITY_ENDPOINT), which all five SDKs speak, and
// the instance metadata service's, for what speaks only that.
//
// https://learn.microsoft.com/azure/app-service/overview-managed-identity#rest-endpoint-reference
package azureapi

import (
	"context"
	"encoding/json"
	"errors"
	"log/slog"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"

	"github.com/podpass-io/podpass/broker/guard"
	"github.com/podpass-io/podpass/federation"
)

// Path of the App Service shape.
const Path = "/azure/v1/token"

// hold is how long a request waits for an exchange. SDKs ask four to six times, with
// pauses of their own: with a cloud that hangs, their patience adds up to some 20 s.
const hold = 2 * time.Second

// maxResource bounds the resource that an application asks for: it is part of a
// cache key and of a request to Entra.
const maxResource = 1024

// Handler serves the tokens of one Entra identity.
type Handler struct {
	// AccessToken gives a token for a resource; it may wait until its context ends.
	AccessToken func(ctx context.Context, resource, claims string) (federation.Credential, error)
	ClientID    string
	Secret      federation.Secret
	Log         *slog.Logger
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
	return strings.HasPrefix(strings.ToLower(strings.TrimLeft(path, "/")), "metadata/identity")
}

func (h *Handler) serve(w http.ResponseWriter, r *http.Request) {
	q := r.URL.Query()
	resource := q.Get("resource")
	if resource == "" || len(resource) > maxResource || len(q.Get("claims")) > 4*maxResource {
		writeError(w, http.StatusBadRequest, "invalid_request", "the parameter resource is required, of at most 1024 characters", "")
		return
	}
	if other := otherIdentity(q, h.ClientID); other != "" {
		// Never this pod's token under another's name.
		writeError(w, http.StatusBadRequest, "invalid_request", other+" asks for another identity than this pod's, whose client_id is "+h.ClientID, "")
		return
	}
	ctx, cancel := context.WithTimeout(r.Context(), hold)
	defer cancel()
	c, err := h.AccessToken(ctx, resource, q.Get("claims"))
	if err != nil {
		h.Log.Warn("No Azure token for the application", "kind", federation.KindOf(err), "userAgent", r.UserAgent(), "error", err)
		writeFailure(w, err)
		return
	}
	now := time.Now()
	write(w, http.StatusOK, body{
		AccessToken: c.Token.Reveal(), ClientID: h.ClientID,
		ExpiresIn: strconv.FormatInt(int64(c.Expiry.Remaining(now).Seconds()), 10),
		ExpiresOn: strconv.FormatInt(c.Expiry.Time().Unix(), 10),
		NotBefore: strconv.FormatInt(c.Expiry.Issued().Unix(), 10),
		Resource:  resource, TokenType: "Bearer",
	})
}

func otherIdentity(q url.Values, clientID string) string {
	if id := q.Get("client_id"); id != "" && !strings.EqualFold(id, clientID) {
		return "client_id"
	}
	for _, p := range []string{"mi_res_id", "msi_res_id", "object_id", "principal_id"} {
		if q.Get(p) != "" {
			return p
		}
	}
	return ""
}

// writeFailure answers 4xx JSON for what retrying does not mend: SDKs then show
// Entra's text at once. 5xx and 429 are retried for seconds.
func writeFailure(w http.ResponseWriter, err error) {
	code, correlation, kind := "", "", federation.KindOf(err)
	if e, ok := errors.AsType[*federation.Error](err); ok {
		code, correlation = e.Code, e.RequestID
		if kind.Transient() {
			w.Header().Set("Retry-After", strconv.Itoa(max(1, int(e.RetryAfter.Seconds()))))
		}
	}
	if code == "" {
		code = string(kind)
	}
	status := http.StatusBadRequest
	switch kind {
	case federation.KindDenied:
		status = http.StatusForbidden
	case federation.KindThrottled:
		status = http.StatusTooManyRequests
	case federation.KindUnavailable, federation.KindCanceled:
		status = http.StatusServiceUnavailable
	default:
	}
	writeError(w, status, code, err.Error(), correlation)
}

// writeError has both shapes of error, the metadata service's and App Service's.
func writeError(w http.ResponseWriter, status int, code, text, correlation string) {
	write(w, status, struct {
		Error         string `json:"error"`
		Description   string `json:"error_description"`
		StatusCode    int    `json:"statusCode"`
		Message       string `json:"message"`
		CorrelationID string `json:"correlationId"`
	}{code, text, status, text, correlation})
}

func write(w http.ResponseWriter, status int, v any) {
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	_ = json.NewEncoder(w).Encode(v) // an error means that the client has gone
}
