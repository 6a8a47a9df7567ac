package servingcert

import (
	"crypto/tls"
	"errors"
	"fmt"
	"time"
)

// Certificate is for tls.Config.GetCertificate.
func (s *Source) Certificate(*tls.ClientHelloInfo) (*tls.Certificate, error) {
	if leaf := s.leaf.Load(); leaf != nil {
		return leaf, nil
	}
	return nil, errors.New("no serving certificate yet")
}

// renew gives this replica a leaf by the Secret's CA if it has none, or by another
// CA, or half of its life has gone. It does not change a leaf that is trusted for one
// that an API server may not trust yet.
func (s *Source) renew(now time.Time) error {
	ca := s.last.current
	if leaf := s.leaf.Load(); leaf != nil && now.Before(leaf.Leaf.NotAfter) {
		if !s.signer.Equal(ca.cert) && !s.settled(ca.cert) {
			return nil
		}
		signed := leaf.Leaf.NotBefore.Add(backdate)
		if s.signer.Equal(ca.cert) && now.Before(signed.Add(leaf.Leaf.NotAfter.Sub(signed)/2)) {
			return nil
		}
	}
	leaf, err := ca.sign(now, s.names()...)
	if err != nil {
		return fmt.Errorf("sign the serving certificate: %w", err)
	}
	s.leaf.Store(leaf)
	s.signer = ca.cert
	s.Log.Info("Signed a serving certificate", "notAfter", leaf.Leaf.NotAfter, "ca", ca.cert.Subject.CommonName)
	return nil
}

// names are the Services' as the API server asks for them.
func (s *Source) names() []string {
	var names []string
	for _, service := range s.Services {
		names = append(names, service+"."+s.Namespace+".svc")
	}
	return names
}
