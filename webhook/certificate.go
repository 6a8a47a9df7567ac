package webhook

import (
	"crypto/tls"
	"errors"
	"time"
)

// Certificate gives the serving certificate, as tls.Config.GetCertificate does: that
// of a servingcert.Source, or of a certwatcher.CertWatcher. It is safe for concurrent
// use. Before there is one it gives nil, or an error.
type Certificate func(*tls.ClientHelloInfo) (*tls.Certificate, error)

// check says why API servers, by whose clock it is now, cannot trust this replica.
func (c Certificate) check(now time.Time) error {
	switch end, ok := c.notAfter(); {
	case !ok:
		return errors.New("waiting for the serving certificate and its registration")
	case !now.Before(end):
		return errors.New("the serving certificate has expired")
	}
	return nil
}

// notAfter is when the certificate ends; false if there is none.
func (c Certificate) notAfter() (time.Time, bool) {
	leaf, err := c(nil)
	if err != nil || leaf == nil {
		return time.Time{}, false
	}
	return leaf.Leaf.NotAfter, true
}
