// Package gcpapi serves Google Cloud tokens in the protocol of the GCE metadata
// server, which every Google client library and gcloud speak.
//
// https://cloud.google.com/compute/docs/metadata/querying-metadata
package gcpapi

import (
	"context"
	"encoding/json"
	"errors"
	"io"
	"log/slog"
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/podpass-io/podpass/broker/guard"
	"github.com/podpass-io/podpass/federation"
	"github.com/podpass-io/podpass/federation/gcp"
)

// Prefix of all paths but "/".
const Prefix = "/computeMetadata/"

// hold is how long a request waits for an exchange: clients give up after three
// seconds.
const hold = 2500 * time.Millisecond

// Bounds of what an application may ask for: it becomes part of a cache key.
const (
	maxScopes   = 64
	maxAudience = 1024
)

// Handler serves one Google Cloud identity.
type Handler struct {
	// AccessToken and IDToken give tokens; they may wait until the context ends.
	AccessToken func(ctx context.Context, scopes []string) (federation.Credential, error)
	IDToken     func(ctx context.Context, audience string) (federation.Credential, error)
	// Identity that is served.
	Identity gcp.Identity
	// Principal is the federated principal, for clients that ask who they are.
	Principal func(ctx context.Context) string
	Log       *slog.Logger
}

// ServeHTTP implements http.Handler.
func (h *Handler) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	// On every answer, errors too: clients take anything else for another server.
	w.Header().Set("Metadata-Flavor", "Google")
	w.Header().Set("Server", "Metadata Server for VM")
	if refused := guard.Check(r); refused != nil {
		text(w, refused.Status, refused.Message)
		return
	}
	if r.URL.Path == "/" { // the probe of some clients; no header needed
		text(w, http.StatusOK, "computeMetadata/\n")
		return
	}
	if r.Header.Get("Metadata-Flavor") != "Google" {
		text(w, http.StatusForbidden, "the header Metadata-Flavor: Google is required")
		return
	}
	path, ok := strings.CutPrefix(r.URL.Path, Prefix+"v1/")
	switch {
	case r.URL.Path == Prefix:
		text(w, http.StatusOK, "v1/\n")
	case !ok:
		text(w, http.StatusNotFound, "not found")
	default:
		h.metadata(w, r, path)
	}
}

func (h *Handler) metadata(w http.ResponseWriter, r *http.Request, path string) {
	const accounts = "instance/service-accounts/"
	switch {
	case path == "" || path == "instance/" || path == "project/" || path == "universe/":
		text(w, http.StatusOK, listings[path])
	case path == "instance" || path == "project" || path == "universe" || path+"/" == accounts:
		w.Header().Set("Location", r.URL.Path+"/")
		text(w, http.StatusMovedPermanently, "")
	case path == accounts:
		h.accounts(w, r)
	case strings.HasPrefix(path, accounts):
		h.account(w, r, strings.TrimPrefix(path, accounts))
	case path == "project/project-id":
		h.configured(w, h.Identity.Project)
	case path == "project/numeric-project-id":
		h.configured(w, projectNumber(h.Identity.Provider))
	case path == "universe/universe-domain" || path == "universe/universe_domain":
		text(w, http.StatusOK, "googleapis.com")
	default:
		text(w, http.StatusNotFound, "not found")
	}
}

var listings = map[string]string{
	"":          "instance/\nproject/\nuniverse/\n",
	"instance/": "service-accounts/\n",
	"project/":  "numeric-project-id\nproject-id\n",
	"universe/": "universe-domain\nuniverse_domain\n",
}

func (h *Handler) configured(w http.ResponseWriter, value string) {
	if value == "" {
		text(w, http.StatusNotFound, "not configured: annotate the ServiceAccount with podpass.io/gcp-project")
		return
	}
	text(w, http.StatusOK, value)
}

// projectNumber is the number in the provider's name; gcloud wants digits to
// believe that it is on GCE.
func projectNumber(provider string) string {
	_, rest, _ := strings.Cut(provider, "/projects/")
	number, _, _ := strings.Cut(rest, "/")
	if _, err := strconv.ParseUint(number, 10, 64); err != nil {
		return "0"
	}
	return number
}

// email is the account's name: the service account's; under direct access the
// principal, if that was annotated, or a name like GKE's. Never "default", with
// which gcloud finds no account.
func (h *Handler) email(ctx context.Context) string {
	switch {
	case h.Identity.ServiceAccount != "":
		return h.Identity.ServiceAccount
	case h.Identity.PrincipalAsEmail:
		return h.Principal(ctx)
	case h.Identity.Project != "":
		return h.Identity.Project + ".svc.id.goog"
	}
	return projectNumber(h.Identity.Provider) + ".svc.id.goog"
}

type account struct {
	Aliases []string `json:"aliases"`
	Email   string   `json:"email"`
	Scopes  []string `json:"scopes"`
}

func (h *Handler) describe(ctx context.Context) account {
	return account{[]string{"default"}, h.email(ctx), []string{gcp.CloudPlatform}}
}

func (h *Handler) accounts(w http.ResponseWriter, r *http.Request) {
	a := h.describe(r.Context())
	if recursive(r) {
		writeJSON(w, map[string]account{"default": a, a.Email: a})
		return
	}
	text(w, http.StatusOK, "default/\n"+a.Email+"/\n")
}

func recursive(r *http.Request) bool {
	return strings.EqualFold(r.URL.Query().Get("recursive"), "true")
}

// account serves what lies below one account. The last segment is the property;
// what comes before may hold slashes, since a principal does.
func (h *Handler) account(w http.ResponseWriter, r *http.Request, path string) {
	a := h.describe(r.Context())
	i := strings.LastIndexByte(path, '/')
	if i < 0 || path == a.Email { // an account without the final slash
		if recursive(r) && (path == "default" || path == a.Email) {
			writeJSON(w, a)
			return
		}
		w.Header().Set("Location", r.URL.Path+"/")
		text(w, http.StatusMovedPermanently, "")
		return
	}
	name, property := path[:i], path[i+1:]
	// Python collapses the two slashes of "principal://".
	if name != "default" && name != a.Email && name != strings.Replace(a.Email, "://", ":/", 1) {
		text(w, http.StatusNotFound, "no such account: this pod's are default and "+a.Email)
		return
	}
	switch property {
	case "":
		if recursive(r) {
			writeJSON(w, a)
			return
		}
		text(w, http.StatusOK, "aliases\nemail\nidentity\nscopes\ntoken\n")
	case "aliases":
		text(w, http.StatusOK, "default\n")
	case "email":
		text(w, http.StatusOK, a.Email)
	case "scopes":
		text(w, http.StatusOK, strings.Join(a.Scopes, "\n")+"\n")
	case "token":
		h.token(w, r)
	case "identity":
		h.identity(w, r)
	default:
		text(w, http.StatusNotFound, "not found")
	}
}

func (h *Handler) token(w http.ResponseWriter, r *http.Request) {
	scopes := strings.FieldsFunc(r.URL.Query().Get("scopes"), func(c rune) bool { return c == ',' || c == ' ' })
	if len(scopes) > maxScopes || len(r.URL.RawQuery) > 8<<10 {
		text(w, http.StatusBadRequest, "too many scopes")
		return
	}
	ctx, cancel := context.WithTimeout(r.Context(), hold)
	defer cancel()
	c, err := h.AccessToken(ctx, scopes)
	if err != nil {
		h.fail(w, r, err)
		return
	}
	writeJSON(w, struct {
		AccessToken string `json:"access_token"`
		ExpiresIn   int    `json:"expires_in"`
		TokenType   string `json:"token_type"`
	}{c.Token.Reveal(), int(c.Expiry.Remaining(time.Now()).Seconds()), "Bearer"})
}

func (h *Handler) identity(w http.ResponseWriter, r *http.Request) {
	audience := r.URL.Query().Get("audience")
	if audience == "" || len(audience) > maxAudience {
		text(w, http.StatusBadRequest, "the parameter audience is required, of at most 1024 characters")
		return
	}
	ctx, cancel := context.WithTimeout(r.Context(), hold)
	defer cancel()
	c, err := h.IDToken(ctx, audience)
	switch {
	case err == nil:
		text(w, http.StatusOK, c.Token.Reveal())
	case errors.Is(err, gcp.ErrNoIDToken) || federation.KindOf(err) == federation.KindDenied:
		// Anything but 404 makes each gcloud command crash, since it always asks.
		h.Log.Info("No Google ID token for the application", "userAgent", r.UserAgent(), "error", err)
		text(w, http.StatusNotFound, err.Error())
	default:
		h.fail(w, r, err)
	}
}

// fail answers 400 for what retrying does not mend: the one status that Go, Python
// and Node neither retry nor hide.
func (h *Handler) fail(w http.ResponseWriter, r *http.Request, err error) {
	kind := federation.KindOf(err)
	h.Log.Warn("No Google token for the application", "path", r.URL.Path, "kind", kind, "userAgent", r.UserAgent(), "error", err)
	if kind.Transient() {
		w.Header().Set("Retry-After", "1")
		text(w, http.StatusServiceUnavailable, err.Error())
		return
	}
	text(w, http.StatusBadRequest, err.Error())
}

func text(w http.ResponseWriter, status int, body string) {
	w.Header().Set("Content-Type", "application/text")
	w.WriteHeader(status)
	_, _ = io.WriteString(w, body) // an error means that the client has gone
}

func writeJSON(w http.ResponseWriter, v any) {
	w.Header().Set("Content-Type", "application/json")
	_ = json.NewEncoder(w).Encode(v) // an error means that the client has gone
}
