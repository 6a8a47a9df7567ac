// Package guard refuses requests that do not come from the pod's own SDK.
//
// The endpoint is on the pod's loopback, where every process of the pod can reach
// it, and so can a proxy or a web application that is tricked into a request on
// somebody's behalf (SSRF). Such a request cannot set headers, carries the name
// of another host (DNS rebinding), or was forwarded.
package guard

import (
	"crypto/sha256"
	"crypto/subtle"
	"net"
	"net/http"
	"slices"
	"strings"

	"github.com/podpass-io/podpass/federation"
)

// Refusal is why a request is refused: the status, and a text for its sender.
type Refusal struct {
	Status  int
	Message string
}

// hosts are the names by which SDKs reach the endpoint; the metadata names are
// those that Google's clients use.
var hosts = []string{"127.0.0.1", "localhost", "::1", "[::1]", "169.254.169.254", "metadata", "metadata.google.internal"}

// Check applies the rules that hold for all protocols; nil: the request may pass.
func Check(r *http.Request) *Refusal { return CheckMethod(r, http.MethodGet) }

// CheckMethod is Check for a request that is not a GET: the PUT of IMDSv2.
func CheckMethod(r *http.Request, method string) *Refusal {
	host := r.Host
	if h, _, err := net.SplitHostPort(host); err == nil {
		host = h
	}
	// Node writes Google's name with the final dot of a name that is complete.
	host = strings.TrimSuffix(strings.ToLower(host), ".")
	switch {
	case !slices.Contains(hosts, host):
		return &Refusal{http.StatusForbidden, "the Host header names another host than this endpoint"}
	case len(r.Header.Values("X-Forwarded-For")) > 0 || len(r.Header.Values("Forwarded")) > 0:
		return &Refusal{http.StatusForbidden, "forwarded requests are refused"}
	case r.Method != method:
		return &Refusal{http.StatusMethodNotAllowed, "only " + method + " is allowed"}
	}
	return nil
}

// Secret compares what a request sent with the secret, in constant time whatever
// the lengths. An empty secret fits nothing.
func Secret(sent string, secret federation.Secret) bool {
	if secret == "" {
		return false
	}
	a, b := sha256.Sum256([]byte(sent)), sha256.Sum256([]byte(secret.Reveal()))
	return subtle.ConstantTimeCompare(a[:], b[:]) == 1
}
