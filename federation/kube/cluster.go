// Package kube is for the APIs of other clusters that trust this one's tokens, as an
// API server does by its AuthenticationConfiguration.
//
// Nothing is exchanged there: the bound token is itself the credential, and the API
// server that it is for verifies it. So there is no client here, only what a cluster is
// and the kubeconfig by which unmodified clients find it, its CA and the token's file.
package kube

import (
	"errors"
	"fmt"
	"regexp"
	"strings"
	"sync"

	"github.com/podpass-io/podpass/federation"
	"github.com/podpass-io/podpass/federation/endpoint"
	"github.com/podpass-io/podpass/federation/oidc"
)

// InCluster is the name by which the pod's own cluster is asked for. No cluster of an
// installation may have it.
const InCluster = "in-cluster"

// Cluster is another cluster's API, as the administrator describes it.
type Cluster struct {
	// Name by which ServiceAccounts ask for it, and that of its context. It is the key
	// of the settings.
	Name string `json:"-"`
	// Server is the URL of the API server: https.
	Server string `json:"server"`
	// CABundle, in PEM, is what the server's certificate is verified by; empty: the
	// system's roots.
	CABundle string `json:"caBundle,omitempty"`
	// Audience of the tokens, as the API server expects it. It should be this cluster's
	// alone: who runs one cluster could else use its callers' tokens at another.
	Audience string `json:"audience"`
	// Namespace of the context; empty: the pod's own.
	Namespace string `json:"namespace,omitempty"`
}

// Bounds of what an administrator may set. The kubeconfig is handed to an init container
// in one environment variable, of which Linux takes 128 KiB (MAX_ARG_STRLEN): five
// clusters, the most that a ServiceAccount may list, fit with CAs in base64.
const (
	MaxClusters = 50
	MaxCABundle = 16 << 10 // in its plain form: a dozen certificates
	MaxServer   = 2 << 10

	// NamespacePattern is the name of a namespace.
	NamespacePattern = `^[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?$`
	// OwnAudience is in what API servers take for their own audience unless they are
	// configured otherwise.
	OwnAudience = "kubernetes.default.svc"
)

// Compiled when it is first used: a pod's broker has no use for it.
var namespacePattern = sync.OnceValue(func() *regexp.Regexp { return regexp.MustCompile(NamespacePattern) })

// Validate reports all that is wrong with a cluster. It shows nothing that may be a
// password, or a key.
func (c Cluster) Validate() error {
	var errs []error
	bad := func(ok bool, format string, args ...any) {
		if !ok {
			errs = append(errs, fmt.Errorf(format, args...))
		}
	}
	bad(federation.ValidName(c.Name), "the name %.80q is not 1 to 32 lower case letters, digits and -", c.Name)
	bad(c.Name != InCluster, "the name is reserved for the pod's own cluster")
	switch err := endpoint.Check(c.Server); {
	case err != nil:
		errs = append(errs, fmt.Errorf("server: %w", err))
	case !strings.HasPrefix(c.Server, "https://"):
		errs = append(errs, errors.New("server: must be https"))
	case len(c.Server) > MaxServer:
		errs = append(errs, fmt.Errorf("server: longer than %d characters", MaxServer))
	}
	if _, err := c.PlainCABundle(); err != nil {
		errs = append(errs, fmt.Errorf("caBundle: %w", err))
	}
	bad(oidc.ValidAudience(c.Audience), "audience: %.80q: want the audience that the API server expects in the token", c.Audience)
	bad(!strings.Contains(c.Audience, OwnAudience), "audience: %q is what this cluster's own API server takes, so that whoever runs the other could use the token here: want one that names the other cluster", c.Audience)
	bad(c.Namespace == "" || namespacePattern().MatchString(c.Namespace), "namespace: %.80q is not the name of a namespace", c.Namespace)
	return errors.Join(errs...)
}

// PlainCABundle is CABundle without the comments between its certificates.
func (c Cluster) PlainCABundle() (string, error) {
	if c.CABundle == "" {
		return "", nil
	}
	plain, err := endpoint.ParseCABundle([]byte(c.CABundle))
	if err == nil && len(plain) > MaxCABundle {
		err = fmt.Errorf("%d bytes of certificates, of which a kubeconfig takes %d: keep only the CA that signs the API server's certificate", len(plain), MaxCABundle)
	}
	if err != nil {
		return "", err
	}
	return string(plain), nil
}
