// Package gcpapi serves Google Cloud tokens in the protocol of the GCE metadata
// server, which every Google client library and gcloud speak.
//
// The server is a tree of values: what it knows of the instance, the project, and
// the service accounts, of which a pod has one, under two names. Most of the tree
// that a virtual machine has is missing, since a pod has no disks and no zone;
// clients take a 404 for "not known".
//
// https://cloud.google.com/compute/docs/metadata/querying-metadata
package gcpapi

import (
	"context"
	"log/slog"
	"net/http"
	"net/url"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/podpass-io/podpass/broker/answer"
	"github.com/podpass-io/podpass/broker/failure"
	"github.com/podpass-io/podpass/broker/guard"
	"github.com/podpass-io/podpass/federation"
	"github.com/podpass-io/podpass/federation/gcp"
)

// Prefix of all paths but "/".
const Prefix = "/computeMetadata/"

// IsMetadata reports whether a path is the metadata server's: that of a probe, of the
// tree, or of the tree's old versions, which get a 404 with the headers that clients
// know the server by.
func IsMetadata(path string) bool {
	return path == "/" || path == strings.TrimSuffix(Prefix, "/") || strings.HasPrefix(path, Prefix) || strings.HasPrefix(path, "/0.1/")
}

// hold is how long a request waits for an exchange: clients give up after three
// seconds.
const hold = 2500 * time.Millisecond

// maxQuery bounds a request's parameters: they become part of a cache key.
const maxQuery = 8 << 10

// Handler serves one Google Cloud identity.
type Handler struct {
	// AccessToken and IDToken give tokens; they may wait until the context ends.
	AccessToken func(ctx context.Context, scopes []string) (federation.Credential, error)
	IDToken     func(ctx context.Context, audience string) (federation.Credential, error)
	// Identity that is served.
	Identity gcp.Identity
	// Principal is the federated principal, for clients that ask who they are.
	Principal func(ctx context.Context) string
	// Universe is the domain of Google's APIs; "": the public one.
	Universe string
	// Instance is the machine, as far as it is known.
	Instance Instance
	// Done ends requests that wait for a change: closed when the server begins to stop,
	// and nil where none does.
	Done <-chan struct{}
	Log  *slog.Logger

	once     sync.Once
	grown    *node        // the tree
	waiting  atomic.Int32 // requests that wait for a change
	kept     answer.Kept[token]
	reporter failure.Reporter
}

// Headers of every answer, as values that are shared.
var (
	flavor = []string{"Google"}
	server = []string{"Metadata Server for VM"}
)

// ServeHTTP implements http.Handler.
func (h *Handler) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	// On every answer, errors too: clients take anything else for another server.
	w.Header()["Metadata-Flavor"], w.Header()["Server"] = flavor, server
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
	query, err := url.ParseQuery(r.URL.RawQuery)
	if err != nil || len(r.URL.RawQuery) > maxQuery {
		// A parameter that cannot be read might be the one that narrows the scopes.
		text(w, http.StatusBadRequest, "the query cannot be read")
		return
	}
	const root = Prefix + "v1"
	path, ok := strings.CutPrefix(r.URL.Path, root+"/")
	switch {
	case r.URL.Path == Prefix:
		text(w, http.StatusOK, "v1/\n")
	case r.URL.Path == root:
		redirect(w, r)
	case !ok:
		text(w, http.StatusNotFound, "not found")
	default:
		h.metadata(w, r, query, path)
	}
}

func (h *Handler) metadata(w http.ResponseWriter, r *http.Request, query url.Values, path string) {
	n, isDirectory := h.tree(r.Context()).find(path)
	recursive := strings.EqualFold(query.Get("recursive"), "true")
	switch {
	case n == nil:
		text(w, http.StatusNotFound, notFound(path))
	case n.serve != nil:
		n.serve(w, r, query)
	case n.children != nil && !isDirectory && !recursive:
		redirect(w, r)
	case recursive && query.Get("alt") == "text":
		h.value(w, r, query, answer.TextType, n.lines(""))
	case recursive || query.Get("alt") == "json":
		h.value(w, r, query, answer.JSONType, string(answer.Encode(n.json(recursive))))
	default:
		h.value(w, r, query, answer.TextType, n.text())
	}
}

// notFound is why there is nothing at path, where the pod's owner can change that.
func notFound(path string) string {
	switch {
	case path == "project/project-id":
		return "not configured: annotate the ServiceAccount with podpass.io/gcp-project"
	case strings.HasPrefix(path, accountsPath):
		return "not found: this pod has one account, which " + Prefix + "v1/" + accountsPath + " lists"
	}
	return "not found"
}
