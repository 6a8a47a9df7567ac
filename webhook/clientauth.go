package webhook

import (
	"bytes"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"slices"
	"sync"
)

// ClientAuth demands a certificate of whoever calls admission. It is safe for
// concurrent use.
type ClientAuth struct {
	// CAFile holds the CAs, in PEM. It is read at each handshake, of which API servers
	// make few: a CA that was replaced there counts at once.
	CAFile string
	// Names are the common or DNS names that are let in; empty: each that a CA signed.
	Names []string
	Log   *slog.Logger

	mu    sync.Mutex
	pem   []byte
	roots *x509.CertPool
}

// apply makes a configuration demand the certificate. It returns an error if the
// file cannot be read or holds no certificate.
func (a *ClientAuth) apply(config *tls.Config) error {
	if err := a.load(); err != nil {
		return err
	}
	config.ClientAuth = tls.RequireAndVerifyClientCert
	config.VerifyConnection = a.verify
	config.SessionTicketsDisabled = true // a resumed session would not ask the CAs of now
	base := config.Clone()
	config.GetConfigForClient = func(*tls.ClientHelloInfo) (*tls.Config, error) {
		if err := a.load(); err != nil {
			a.Log.Error("The CAs of clients cannot be read again; those before are kept", "error", err)
		}
		current := base.Clone()
		a.mu.Lock()
		defer a.mu.Unlock()
		current.ClientCAs = a.roots
		return current, nil
	}
	return nil
}

// load takes the file into use, if it has changed.
func (a *ClientAuth) load() error {
	pem, err := os.ReadFile(a.CAFile)
	if err != nil {
		return fmt.Errorf("CAs of clients: %w", err)
	}
	a.mu.Lock()
	defer a.mu.Unlock()
	if bytes.Equal(pem, a.pem) {
		return nil
	}
	roots := x509.NewCertPool()
	if !roots.AppendCertsFromPEM(pem) {
		return fmt.Errorf("CAs of clients: no certificate in %s: it must hold PEM", a.CAFile)
	}
	a.pem, a.roots = pem, roots
	return nil
}

// verify holds a certificate that a CA signed to the names.
func (a *ClientAuth) verify(state tls.ConnectionState) error {
	if len(a.Names) == 0 {
		return nil
	}
	leaf := state.PeerCertificates[0]
	for _, name := range append([]string{leaf.Subject.CommonName}, leaf.DNSNames...) {
		if slices.Contains(a.Names, name) {
			return nil
		}
	}
	return errors.New("the client's certificate has none of the names that are let in")
}
