package gcpapi

import (
	"context"
	"errors"
	"net/http"
	"net/url"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"github.com/podpass-io/podpass/broker/answer"
	"github.com/podpass-io/podpass/federation"
	"github.com/podpass-io/podpass/federation/gcp"
)

// Bounds of what an application may ask for.
const (
	maxScopes   = 64
	maxAudience = 1024
)

// token is the answer that holds one.
type token struct {
	AccessToken string `json:"access_token"`
	ExpiresIn   int    `json:"expires_in"`
	TokenType   string `json:"token_type"`
}

func (h *Handler) accessToken(w http.ResponseWriter, r *http.Request, query url.Values) {
	scopes := strings.FieldsFunc(strings.Join(query["scopes"], ","), func(c rune) bool { return c == ',' || c == ' ' })
	if len(scopes) > maxScopes {
		text(w, http.StatusBadRequest, "too many scopes")
		return
	}
	for _, s := range scopes {
		if !validScope(s) {
			text(w, http.StatusBadRequest, "a scope holds characters that no scope has")
			return
		}
	}
	c, err, goOn := h.credential(w, r, query, func(ctx context.Context) (federation.Credential, error) { return h.AccessToken(ctx, scopes) })
	switch {
	case !goOn:
	case err != nil:
		h.fail(w, r, err)
	default:
		body := h.kept.Encode(token{c.Token.Reveal(), int(c.Expiry.Remaining(time.Now()).Seconds()), "Bearer"})
		answer.Write(w, http.StatusOK, answer.JSONType, body)
	}
}

// validScope follows RFC 6749, section 3.3.
func validScope(s string) bool {
	return !strings.ContainsFunc(s, func(c rune) bool {
		return c <= ' ' || c > '~' || c == '"' || c == '\\'
	})
}

func (h *Handler) identity(w http.ResponseWriter, r *http.Request, query url.Values) {
	audience := query.Get("audience")
	if audience == "" || len(audience) > maxAudience || !utf8.ValidString(audience) || strings.ContainsFunc(audience, unicode.IsControl) {
		text(w, http.StatusBadRequest, "the parameter audience is required: text of at most 1024 bytes")
		return
	}
	if h.Identity.ServiceAccount == "" {
		// Known without asking anybody; gcloud asks with each command.
		text(w, http.StatusNotFound, gcp.ErrNoIDToken.Error())
		return
	}
	c, err, goOn := h.credential(w, r, query, func(ctx context.Context) (federation.Credential, error) { return h.IDToken(ctx, audience) })
	switch {
	case !goOn:
	case err == nil:
		text(w, http.StatusOK, c.Token.Reveal())
	case noIDToken(err):
		// Anything but 404 makes each gcloud command crash, since it always asks.
		h.reporter.Report(h.Log, r, err)
		text(w, http.StatusNotFound, err.Error())
	default:
		h.fail(w, r, err)
	}
}

// noIDToken reports that the identity can have none, by whatever rule of IAM: a
// missing permission, or its API switched off, both of which are 403.
func noIDToken(err error) bool {
	if errors.Is(err, gcp.ErrNoIDToken) || federation.KindOf(err) == federation.KindDenied {
		return true
	}
	e, ok := errors.AsType[*federation.Error](err)
	return ok && e.Status == http.StatusForbidden && !e.Kind.Transient()
}
