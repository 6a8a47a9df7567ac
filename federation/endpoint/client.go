package endpoint

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"fmt"
	"net"
	"net/http"
	"net/url"
	"time"
)

// timeout is an upper bound; callers set shorter ones by context.
const timeout = 30 * time.Second

// NewClient is the client for talking to clouds. caBundle, in PEM, is trusted in
// addition to the system's roots; it may be empty. Every wait is bounded, and a proxy
// is taken from the environment.
func NewClient(caBundle []byte) (*http.Client, error) {
	config := &tls.Config{MinVersion: tls.VersionTLS12}
	if len(caBundle) > 0 {
		bundle, err := ParseCABundle(caBundle)
		if err != nil {
			return nil, err
		}
		pool, err := x509.SystemCertPool()
		if err != nil {
			pool = x509.NewCertPool() // an image without roots: the bundle is all there is
		}
		pool.AppendCertsFromPEM(bundle)
		config.RootCAs = pool
	}
	return &http.Client{
		Timeout: timeout,
		Transport: &http.Transport{
			Proxy:                  http.ProxyFromEnvironment,
			OnProxyConnectResponse: connected,
			DialContext:            (&net.Dialer{Timeout: 5 * time.Second}).DialContext,
			TLSClientConfig:        config,
			TLSHandshakeTimeout:    5 * time.Second,
			ResponseHeaderTimeout:  15 * time.Second,
			MaxResponseHeaderBytes: 64 << 10,
			MaxIdleConns:           4,
			// One exchange an hour: an idle connection is only worth keeping for the
			// second request of the same exchange.
			IdleConnTimeout:   10 * time.Second,
			ForceAttemptHTTP2: false,
		},
	}, nil
}

// proxyError is a proxy's refusal to connect to the cloud.
type proxyError struct {
	host   string
	status int
}

func (e *proxyError) Error() string {
	return fmt.Sprintf("proxy %s refused to connect: %d %s", e.host, e.status, http.StatusText(e.status))
}

func connected(_ context.Context, proxy *url.URL, _ *http.Request, answer *http.Response) error {
	if answer.StatusCode != http.StatusOK {
		return &proxyError{proxy.Host, answer.StatusCode}
	}
	return nil
}
