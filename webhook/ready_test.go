package webhook

import (
	"crypto/tls"
	"crypto/x509"
	"errors"
	"strings"
	"testing"
	"time"
)

type syncedStore bool

func (s syncedStore) Synced() bool { return bool(s) }

// ending is a certificate that ends after d.
func ending(d time.Duration) Certificate {
	return func(*tls.ClientHelloInfo) (*tls.Certificate, error) {
		return &tls.Certificate{Leaf: &x509.Certificate{NotAfter: time.Now().Add(d)}}, nil
	}
}

// TestReady: a replica that cannot answer reviews is not sent any, and says why.
func TestReady(t *testing.T) {
	serving := func(s *Server) { s.started.Store(true) }
	none := func(*tls.ClientHelloInfo) (*tls.Certificate, error) { return nil, nil }
	failing := func(*tls.ClientHelloInfo) (*tls.Certificate, error) { return nil, errors.New("not yet") }
	for name, test := range map[string]struct {
		server      func(*Server)
		store       syncedStore
		certificate Certificate
		ahead       time.Duration // the API server's clock, of this one
		want        string
	}{
		"ready":                            {serving, true, ending(time.Hour), 0, ""},
		"not listening yet":                {func(*Server) {}, true, ending(time.Hour), 0, "waiting for the admission server"},
		"stopping":                         {func(s *Server) { s.started.Store(true); s.stopping.Store(true) }, true, ending(time.Hour), 0, "stopping"},
		"ServiceAccounts not known yet":    {serving, false, ending(time.Hour), 0, "first list of ServiceAccounts"},
		"no certificate":                   {serving, true, none, 0, "waiting for the serving certificate"},
		"no certificate yet":               {serving, true, failing, 0, "waiting for the serving certificate"},
		"certificate has expired":          {serving, true, ending(-time.Second), 0, "has expired"},
		"expired by a clock that is ahead": {serving, true, ending(-6 * 24 * time.Hour), -7 * 24 * time.Hour, ""},
		"expired, and the clock is behind": {serving, true, ending(6 * 24 * time.Hour), 7 * 24 * time.Hour, "has expired"},
	} {
		t.Run(name, func(t *testing.T) {
			s := new(Server)
			test.server(s)
			err := Ready(s, test.store, test.certificate, func() time.Time { return time.Now().Add(test.ahead) })(nil)
			if (err == nil) != (test.want == "") || err != nil && !strings.Contains(err.Error(), test.want) {
				t.Errorf("got %v, want %q", err, test.want)
			}
		})
	}
}
