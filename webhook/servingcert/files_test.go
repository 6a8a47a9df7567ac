package servingcert

import (
	"context"
	"crypto/x509"
	"encoding/pem"
	"log/slog"
	"os"
	"path/filepath"
	"testing"
	"testing/synctest"
	"time"
)

// TestFiles: a renewed certificate is served without a restart; a pair that is half
// written is not.
func TestFiles(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		dir := t.TempDir()
		f := &Files{CertFile: filepath.Join(dir, "tls.crt"), KeyFile: filepath.Join(dir, "tls.key"), Log: slog.New(slog.DiscardHandler)}
		if f.Load() == nil || f.Ready() {
			t.Error("ready without a certificate")
		}
		first := issueTo(t, f.CertFile, f.KeyFile)
		if err := f.Load(); err != nil || !f.Ready() {
			t.Fatal(err)
		}
		ctx, stop := context.WithCancel(t.Context())
		done := make(chan error, 1)
		go func() { done <- f.Run(ctx) }()
		serves := func(want *x509.Certificate) {
			t.Helper()
			time.Sleep(checkEvery + time.Second)
			if got, err := f.Certificate(nil); err != nil || !got.Leaf.Equal(want) {
				t.Errorf("serves %v, want %v: %v", got.Leaf.SerialNumber, want.SerialNumber, err)
			}
		}
		serves(first)
		issueTo(t, f.CertFile, filepath.Join(dir, "other.key"))
		serves(first)
		second := issueTo(t, f.CertFile, f.KeyFile)
		serves(second)
		if !f.NotAfter().Equal(second.NotAfter) {
			t.Errorf("ends %s, want %s", f.NotAfter(), second.NotAfter)
		}
		stop()
		if err := <-done; err != nil {
			t.Error(err)
		}
	})
}

// issueTo writes a new certificate and its key.
func issueTo(t *testing.T, certFile, keyFile string) *x509.Certificate {
	t.Helper()
	ca, err := newCA(time.Now())
	if err != nil {
		t.Fatal(err)
	}
	leaf, err := ca.sign(time.Now(), "podpass-webhook.podpass-system.svc")
	if err != nil {
		t.Fatal(err)
	}
	key, err := x509.MarshalPKCS8PrivateKey(leaf.PrivateKey)
	if err != nil {
		t.Fatal(err)
	}
	for file, block := range map[string]*pem.Block{certFile: {Type: "CERTIFICATE", Bytes: leaf.Certificate[0]}, keyFile: {Type: "PRIVATE KEY", Bytes: key}} {
		if err := os.WriteFile(file, pem.EncodeToMemory(block), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return leaf.Leaf
}
