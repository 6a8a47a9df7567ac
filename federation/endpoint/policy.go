package endpoint

import (
	"errors"
	"fmt"
	"net/netip"
	"net/url"
	"strings"
)

// Check reports why tokens must not be sent to an endpoint that an administrator
// sets: it has to be https, or plain http on this machine's loopback. Each request
// is held to the same rule when it is sent. The error shows nothing that may be a
// password.
func Check(endpoint string) error {
	u, err := url.Parse(endpoint)
	switch {
	case strings.Contains(endpoint, "@"):
		return errors.New("has a user name or a password, which everybody who may read pods would see: want https://host[:port][/path]")
	case err == nil && u.Host != "" && u.Scheme == "http" && !loopback(u.Hostname()):
		return &insecureError{shown(endpoint)}
	case err != nil || !pattern().MatchString(endpoint):
		return fmt.Errorf("%q is no endpoint: want https://host[:port][/path]", shown(endpoint))
	}
	return nil
}

// CheckProxy reports why a proxy of the installation cannot be one. Nor does its error
// show what may be a password.
func CheckProxy(proxy string) error {
	switch {
	case strings.Contains(proxy, "@"):
		return errors.New("has a user name or a password, which everybody who may read pods would see in each of them: use a proxy that lets the pods' network in")
	case !proxyPattern().MatchString(proxy):
		return fmt.Errorf("%q is no proxy: want http://host:port", shown(proxy))
	}
	return nil
}

// shown is what a message may have of a URL without a user: queries and fragments have
// keys in them.
func shown(text string) string {
	if i := strings.IndexAny(text, "?#"); i >= 0 {
		return text[:i+1] + "..."
	}
	return text
}

// insecureError is why a request was not sent.
type insecureError struct{ endpoint string }

func (e *insecureError) Error() string {
	return fmt.Sprintf("endpoint %q must be https: a token is sent there", e.endpoint)
}

func checkScheme(u *url.URL) error {
	if u.Scheme == "https" || u.Scheme == "http" && loopback(u.Hostname()) {
		return nil
	}
	return &insecureError{u.Scheme + "://" + u.Host}
}

func loopback(host string) bool {
	if host == "localhost" {
		return true
	}
	a, _ := netip.ParseAddr(host) // the zero Addr, of what is none, is no loopback
	return a.IsLoopback()
}
