package federation

import (
	"bytes"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/netip"
	"net/url"
	"strconv"
	"sync"
	"time"
)

// maxResponse bounds what is read of a cloud's answer. The largest real ones, STS
// credentials and ID tokens, take a few KiB.
const maxResponse = 256 << 10

// HTTPClient is the client for talking to clouds. caBundle, in PEM, is trusted in
// addition to the system's roots; it may be empty. Redirects are refused, since
// they would carry a token to where the administrator did not send it; every wait
// is bounded; a proxy is taken from the environment.
func HTTPClient(caBundle []byte) (*http.Client, error) {
	config := &tls.Config{MinVersion: tls.VersionTLS12}
	if len(bytes.TrimSpace(caBundle)) > 0 {
		pool, err := x509.SystemCertPool()
		if err != nil {
			pool = x509.NewCertPool() // an image without roots: the bundle is all there is
		}
		if !pool.AppendCertsFromPEM(caBundle) {
			return nil, errors.New("the CA bundle holds no PEM certificate")
		}
		config.RootCAs = pool
	}
	return &http.Client{
		Timeout: 30 * time.Second, // an upper bound; callers set shorter ones by context
		CheckRedirect: func(*http.Request, []*http.Request) error {
			return errRedirect
		},
		Transport: &http.Transport{
			Proxy:                  http.ProxyFromEnvironment,
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

var errRedirect = errors.New("the endpoint redirects, which is refused: a token must only go where the administrator sends it")

// CheckEndpoint reports why a token must not be sent to a URL: it has to be https,
// or plain http on this machine's loopback.
func CheckEndpoint(endpoint string) error {
	u, err := url.Parse(endpoint)
	switch {
	case err != nil:
		return fmt.Errorf("endpoint %q is not a URL", endpoint)
	case u.Host == "" || u.User != nil || u.RawQuery != "" || u.Fragment != "":
		return fmt.Errorf("endpoint %q: want https://host[:port][/path]", endpoint)
	case u.Scheme == "https", u.Scheme == "http" && loopback(u.Hostname()):
		return nil
	}
	return fmt.Errorf("endpoint %q must be https: a token is sent there", endpoint)
}

func loopback(host string) bool {
	if host == "localhost" {
		return true
	}
	a, err := netip.ParseAddr(host)
	return err == nil && a.IsLoopback()
}

// Recorder is a RoundTripper that keeps the last answer of a cloud: the libraries
// that make some of the requests reduce errors to text, and [Error] wants the
// status, headers and body. One Recorder serves one exchange.
type Recorder struct {
	Next http.RoundTripper

	mu   sync.Mutex
	last *Response
}

// Response is what a cloud answered, its body cut to a bounded length.
type Response struct {
	Status int
	Header http.Header
	Body   []byte
}

// Record gives a copy of client, which may be nil, that records.
func Record(client *http.Client) (*http.Client, *Recorder) {
	if client == nil {
		client = &http.Client{Timeout: 30 * time.Second}
	}
	r := &Recorder{Next: client.Transport}
	if r.Next == nil {
		r.Next = http.DefaultTransport
	}
	copied := *client
	copied.Transport = r
	return &copied, r
}

// RoundTrip implements http.RoundTripper.
func (r *Recorder) RoundTrip(req *http.Request) (*http.Response, error) {
	r.mu.Lock()
	r.last = nil // a failure to connect must not show the answer before it
	r.mu.Unlock()
	resp, err := r.Next.RoundTrip(req)
	if err != nil {
		return nil, err
	}
	body, err := io.ReadAll(io.LimitReader(resp.Body, maxResponse+1))
	closeErr := resp.Body.Close()
	if err = errors.Join(err, closeErr); err != nil {
		return nil, err
	}
	if len(body) > maxResponse {
		return nil, fmt.Errorf("answer of %s is larger than %d bytes", req.URL.Host, maxResponse)
	}
	resp.Body = io.NopCloser(bytes.NewReader(body))
	r.mu.Lock()
	r.last = &Response{Status: resp.StatusCode, Header: resp.Header, Body: body}
	r.mu.Unlock()
	return resp, nil
}

// Last is the last answer; nil if the last request got none.
func (r *Recorder) Last() *Response {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.last
}

// RetryAfter reads the Retry-After header: seconds or a date; 0 if there is none.
func RetryAfter(h http.Header) time.Duration {
	v := h.Get("Retry-After")
	if s, err := strconv.Atoi(v); err == nil {
		return max(0, time.Duration(s)*time.Second)
	}
	if t, err := http.ParseTime(v); err == nil {
		return max(0, time.Until(t))
	}
	return 0
}
