package servingcert

import (
	"context"
	"crypto/tls"
	"fmt"
	"log/slog"
	"sync/atomic"
	"time"
)

// Files is a certificate that somebody else keeps in files: cert-manager, or a
// person. It is read again when it has changed.
type Files struct {
	CertFile, KeyFile string
	Log               *slog.Logger

	leaf atomic.Pointer[tls.Certificate]
}

// Load reads the files once.
func (f *Files) Load() error {
	c, err := tls.LoadX509KeyPair(f.CertFile, f.KeyFile)
	if err != nil {
		return fmt.Errorf("serving certificate: %w", err)
	}
	if old := f.leaf.Load(); old == nil || !old.Leaf.Equal(c.Leaf) {
		f.leaf.Store(&c)
		f.Log.Info("Loaded the serving certificate", "file", f.CertFile, "notAfter", c.Leaf.NotAfter)
	}
	return nil
}

// Run reads the files again and again until ctx ends. A pair that does not fit
// together, half written perhaps, leaves the old one in place.
func (f *Files) Run(ctx context.Context) error {
	for {
		select {
		case <-ctx.Done():
			return nil
		case <-time.After(checkEvery):
		}
		if err := f.Load(); err != nil {
			f.Log.Error("Serving certificate cannot be read again; the old one is kept", "error", err)
		}
	}
}

// Certificate is for tls.Config.GetCertificate.
func (f *Files) Certificate(*tls.ClientHelloInfo) (*tls.Certificate, error) {
	return f.leaf.Load(), nil
}

// Ready reports whether a certificate is loaded.
func (f *Files) Ready() bool { return f.leaf.Load() != nil }

// NotAfter is when the certificate ends.
func (f *Files) NotAfter() time.Time { return f.leaf.Load().Leaf.NotAfter }
