package issuer

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptrace"
	"net/netip"
	"net/url"
	"strings"
)

// Response is what an address answered.
type Response struct {
	URL          string
	Status       int
	ContentType  string
	CacheControl string
	// Age in seconds, as a cache on the way tells it.
	Age  string
	Body []byte
	// Remote is the address that answered; zero: unknown, as behind a proxy.
	Remote netip.Addr
	// Err says why there is no usable answer: of the network, of TLS, a status that is not
	// 200, too large, or not what should be there.
	Err error
}

// Published is what an issuer shows the world. What could not be had says why in its Err.
type Published struct {
	// Issuer is the URL that was asked for.
	Issuer    string
	Discovery Response
	Document  Document
	// JWKS is zero where no discovery document told its address.
	JWKS Response
	Keys Keys
}

// Err is the first thing that keeps the keys from being read; nil: they were.
func (p Published) Err() error {
	if p.Discovery.Err != nil {
		return fmt.Errorf("discovery: %w", p.Discovery.Err)
	}
	if p.JWKS.Err != nil {
		return fmt.Errorf("JWKS: %w", p.JWKS.Err)
	}
	return nil
}

// Fetch reads the discovery document of an issuer and the keys that it points to, as a
// cloud does: without credentials, over https alone, following no redirect, at most
// [MaxSize] each. client says whom to trust: with the system's roots, the answer is what
// an outsider sees from here. It is safe for concurrent use.
func Fetch(ctx context.Context, client *http.Client, issuer string) Published {
	return FetchAt(ctx, client, issuer, strings.TrimSuffix(issuer, "/")+DiscoveryPath)
}

// FetchAt is [Fetch] for whoever was told to look for the discovery document elsewhere.
func FetchAt(ctx context.Context, client *http.Client, issuer, discovery string) Published {
	p := Published{Issuer: issuer}
	p.Discovery.URL = discovery
	if err := CheckURL(issuer); err != nil {
		p.Discovery.Err = fmt.Errorf("issuer %q is %w", issuer, err)
		return p
	}
	p.Discovery = get(ctx, client, p.Discovery.URL)
	if p.Discovery.Err != nil {
		return p
	}
	if p.Document, p.Discovery.Err = ParseDocument(p.Discovery.Body); p.Discovery.Err != nil {
		return p
	}
	p.JWKS = get(ctx, client, p.Document.JWKSURI)
	if p.JWKS.Err == nil {
		p.Keys, p.JWKS.Err = ParseKeys(p.JWKS.Body)
	}
	return p
}

// StatusError is an answer other than 200.
type StatusError struct {
	Status int
	// Location is where a redirect points to.
	Location string
}

func (e *StatusError) Error() string {
	s := fmt.Sprintf("status %d %s", e.Status, http.StatusText(e.Status))
	if e.Location != "" {
		s += " to " + e.Location
	}
	return s
}

func get(ctx context.Context, client *http.Client, address string) (r Response) {
	r.URL = address
	u, err := url.Parse(address)
	if err != nil || u.Scheme != "https" || u.Host == "" {
		r.Err = fmt.Errorf("%q is no https URL", address)
		return r
	}
	direct := *client
	direct.CheckRedirect = func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }
	trace := &httptrace.ClientTrace{GotConn: func(c httptrace.GotConnInfo) { r.Remote = remote(c.Conn) }}
	if t, ok := client.Transport.(*http.Transport); !ok || t.Proxy != nil {
		trace = &httptrace.ClientTrace{} // the address may be a proxy's
	}
	req, err := http.NewRequestWithContext(httptrace.WithClientTrace(ctx, trace), http.MethodGet, address, nil)
	if err != nil {
		r.Err = err
		return r
	}
	// No Accept: an API server refuses whoever wants application/json of its keys, which
	// are application/jwk-set+json, by 406.
	resp, err := direct.Do(req)
	if err != nil {
		if e, ok := errors.AsType[*url.Error](err); ok {
			err = e.Err // the URL is told beside it
		}
		r.Err = err
		return r
	}
	defer resp.Body.Close()
	r.Status, r.ContentType = resp.StatusCode, resp.Header.Get("Content-Type")
	r.CacheControl, r.Age = resp.Header.Get("Cache-Control"), resp.Header.Get("Age")
	if resp.StatusCode != http.StatusOK {
		r.Err = &StatusError{resp.StatusCode, resp.Header.Get("Location")}
		return r
	}
	r.Body, r.Err = io.ReadAll(io.LimitReader(resp.Body, MaxSize+1))
	if r.Err == nil && len(r.Body) > MaxSize {
		r.Err = fmt.Errorf("larger than %d bytes", MaxSize)
	}
	return r
}

func remote(c net.Conn) netip.Addr {
	a, err := netip.ParseAddrPort(c.RemoteAddr().String())
	if err != nil {
		return netip.Addr{}
	}
	return a.Addr().Unmap()
}
