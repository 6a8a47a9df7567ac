package kubeconfig

import (
	"cmp"
	"context"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"net/url"

	clientcmdapi "k8s.io/client-go/tools/clientcmd/api"

	"github.com/podpass-io/podpass/cmd/podpass/internal/hint"
	"github.com/podpass-io/podpass/cmd/podpass/internal/manifest"
)

// place is an API server as the flags describe it.
type place struct {
	server, caFile, tlsServerName string
}

// target is an API server, whoever described it: flags, a context, or an installation.
type target struct {
	server, tlsServerName, proxy string
	// ca in PEM; empty: the machine's own roots.
	ca        []byte
	namespace string
	// audience by which it knows tokens of the installation's cluster; installed: it is
	// that one's.
	audience  string
	installed bool
}

const maxCA = 1 << 20

// find gives the API server that the flags say, or that the installation has by the name.
func (o *options) find(ctx context.Context, name string, stdin io.Reader, stderr io.Writer) (target, error) {
	given := o.cluster.GivenContext()
	t := target{namespace: o.cluster.GivenNamespace()}
	switch {
	case o.place.server != "" && given != "":
		return t, errors.New("--server and --context exclude one another")
	case o.place.server == "" && (o.place.caFile != "" || o.place.tlsServerName != ""):
		return t, errors.New("--certificate-authority and --tls-server-name go with --server")
	case o.place.server != "":
		t.server, t.tlsServerName = o.place.server, o.place.tlsServerName
		if o.place.caFile != "" {
			ca, err := manifest.ReadFile(stdin, o.place.caFile, maxCA)
			if err != nil {
				return t, fmt.Errorf("--certificate-authority: %w", err)
			}
			t.ca = ca
		}
	case given != "":
		c, err := o.cluster.ContextCluster(given)
		if err != nil {
			return t, err
		}
		if err := t.of(c); err != nil {
			return t, fmt.Errorf("context %q: %w", given, err)
		}
	default:
		c, err := o.installed(ctx, name, stderr)
		if err != nil {
			return t, err
		}
		t.server, t.ca, t.audience, t.installed = c.Server, []byte(c.CABundle), c.Audience, true
		t.namespace = cmp.Or(t.namespace, c.Namespace)
	}
	return t, t.check()
}

// of takes over what a kubeconfig says of a cluster.
func (t *target) of(c *clientcmdapi.Cluster) error {
	if c.InsecureSkipTLSVerify {
		return hint.New(errors.New("it has insecure-skip-tls-verify: a token would be sent to whoever answers"), "describe the cluster by --server and --certificate-authority")
	}
	t.server, t.tlsServerName, t.proxy, t.ca = c.Server, c.TLSServerName, c.ProxyURL, c.CertificateAuthorityData
	if len(t.ca) > 0 || c.CertificateAuthority == "" {
		return nil
	}
	var err error
	t.ca, err = manifest.ReadFile(nil, c.CertificateAuthority, maxCA) // a whole path, never "-"
	return err
}

func (t *target) check() error {
	u, err := url.Parse(t.server)
	if err != nil || u.Scheme != "https" || u.Host == "" || u.User != nil || u.RawQuery != "" || u.Fragment != "" {
		return hint.New(errors.New("the API server's URL: want https://host[:port][/path], since tokens are sent there"), "set --server")
	}
	if len(t.ca) > 0 && !x509.NewCertPool().AppendCertsFromPEM(t.ca) {
		return errors.New("the API server's CA: no PEM certificate in it")
	}
	return nil
}

// config is the kubeconfig for the API server: one cluster, and a context for each user.
func (t *target) config(name string, users map[string]*clientcmdapi.ExecConfig) *clientcmdapi.Config {
	c := clientcmdapi.NewConfig()
	c.Clusters[name] = &clientcmdapi.Cluster{Server: t.server, CertificateAuthorityData: t.ca, TLSServerName: t.tlsServerName, ProxyURL: t.proxy}
	for user, plugin := range users {
		c.AuthInfos[user] = &clientcmdapi.AuthInfo{Exec: plugin}
		c.Contexts[user] = &clientcmdapi.Context{Cluster: name, AuthInfo: user, Namespace: t.namespace}
	}
	c.CurrentContext = name
	return c
}
