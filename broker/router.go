package broker

import (
	"net/http"
	"strings"

	"github.com/podpass-io/podpass/broker/awsapi"
	"github.com/podpass-io/podpass/broker/azureapi"
	"github.com/podpass-io/podpass/broker/gcpapi"
	"github.com/podpass-io/podpass/broker/imdsapi"
	"github.com/podpass-io/podpass/broker/tokenapi"
)

// Paths of the probes. They tell nothing that an attacker wants, and need no secret.
const (
	HealthPath = "/healthz"
	ReadyPath  = "/readyz"
)

// ExplainPath tells what the broker knows; it needs the secret.
const ExplainPath = "/debug/explain"

// router sends a request to its protocol. It is not a http.ServeMux, which answers
// odd but legal paths (a doubled or missing slash) with a redirect that SDKs do not
// follow.
type router struct {
	aws     *awsapi.Handler
	named   map[string]http.Handler // further AWS roles, and token sources, by path
	imds    *imdsapi.Handler        // nil: off
	gcp     *gcpapi.Handler
	azure   *azureapi.Handler
	oidc    bool // there are token sources
	explain http.Handler
	pending func() []string // clouds whose first credential is still awaited
}

var noStore = []string{"no-store"}

func (r *router) ServeHTTP(w http.ResponseWriter, req *http.Request) {
	w.Header()["Cache-Control"] = noStore
	path := req.URL.Path
	switch {
	case path == HealthPath: // 200, which is said without a word
	case path == ReadyPath:
		r.ready(w)
	case path == ExplainPath:
		r.explain.ServeHTTP(w, req)
	case path == awsapi.Path && r.aws != nil:
		r.aws.ServeHTTP(w, req)
	case r.imds != nil && imdsapi.IsIMDS(path):
		r.imds.ServeHTTP(w, req)
	case path == azureapi.Path && r.azure != nil:
		r.azure.ServeHTTP(w, req)
	case azureapi.IsIMDS(path) && r.azure != nil:
		r.azure.IMDS().ServeHTTP(w, req)
	case r.named[path] != nil:
		r.named[path].ServeHTTP(w, req)
	case r.aws != nil && strings.HasPrefix(path, awsapi.Path+"/"):
		awsapi.NotFound(w, req)
	case r.oidc && strings.HasPrefix(path, tokenapi.Path):
		tokenapi.NotFound(w, req)
	case r.gcp != nil && gcpapi.IsMetadata(path):
		r.gcp.ServeHTTP(w, req)
	default:
		http.Error(w, "podpass-broker: this pod has no identity for that path", http.StatusNotFound)
	}
}

// ready answers 200 once each identity has a credential, or has been refused: a
// broken trust must not keep the pod from starting, and then explaining itself.
func (r *router) ready(w http.ResponseWriter) {
	if pending := r.pending(); len(pending) > 0 {
		http.Error(w, "waiting for the first answer of: "+strings.Join(pending, ", "), http.StatusServiceUnavailable)
	}
}
