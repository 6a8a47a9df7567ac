package endpoint

import (
	"fmt"
	"net/netip"
	"net/url"
)

// Check reports why tokens must not be sent to an endpoint that an administrator
// sets: it has to be https, or plain http on this machine's loopback. Each request
// is held to the same rule when it is sent.
func Check(endpoint string) error {
	u, err := url.Parse(endpoint)
	switch {
	case err != nil:
		return fmt.Errorf("endpoint %q is not a URL", endpoint)
	case u.Host == "" || u.User != nil || u.RawQuery != "" || u.Fragment != "":
		return fmt.Errorf("endpoint %q: want https://host[:port][/path]", endpoint)
	}
	return checkScheme(u)
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
