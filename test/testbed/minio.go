package testbed

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"errors"
	"fmt"
	"math/big"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strconv"
	"time"
)

// MinIO's role for the audience of AWS web identity: derived by MinIO from the
// client ID, so the same everywhere.
const minioRoleARN = "arn:minio:iam:::role/oxnUw3DAuQF1uggjXGxI2AmW8IA"

// MinIO is a real S3 with AssumeRoleWithWebIdentity. It verifies tokens by the
// cluster's own OIDC discovery, and nobody of this project wrote it: a referee.
type MinIO struct {
	URL    string
	CAFile string
}

// startMinIO starts MinIO on host:port, trusting issuer, whose CA is in issuerCA.
func startMinIO(ctx context.Context, dir, binary, host string, port int, issuer, issuerCA string) (MinIO, error) {
	cas := filepath.Join(dir, minioCerts, "CAs")
	if err := os.MkdirAll(cas, 0o700); err != nil {
		return MinIO{}, err
	}
	ca, err := os.ReadFile(issuerCA)
	if err != nil {
		return MinIO{}, err
	}
	if err := os.WriteFile(filepath.Join(cas, "issuer.crt"), ca, 0o600); err != nil {
		return MinIO{}, err
	}
	return serveMinIO(ctx, dir, binary, host, port, Bucket, []string{
		"MINIO_IDENTITY_OPENID_CONFIG_URL=" + issuer + "/.well-known/openid-configuration",
		"MINIO_IDENTITY_OPENID_CLIENT_ID=sts.amazonaws.com",
		"MINIO_IDENTITY_OPENID_CLIENT_SECRET=x",
		"MINIO_IDENTITY_OPENID_ROLE_POLICY=readwrite",
		"MINIO_ROOT_USER=root-" + rand.Text()[:8],
		"MINIO_ROOT_PASSWORD=" + rand.Text(),
	})
}

const minioCerts, minioData = "minio-certs", "minio-data"

// serveMinIO starts MinIO with one bucket and the variables of env.
func serveMinIO(ctx context.Context, dir, binary, host string, port int, bucket string, env []string) (MinIO, error) {
	certs := filepath.Join(dir, minioCerts)
	m := MinIO{
		URL:    "https://" + net.JoinHostPort(host, strconv.Itoa(port)),
		CAFile: filepath.Join(certs, "public.crt"),
	}
	// The bucket is a folder made before the start: no key is needed to create it.
	if err := errors.Join(os.MkdirAll(certs, 0o700), os.MkdirAll(filepath.Join(dir, minioData, bucket), 0o700)); err != nil {
		return m, err
	}
	if err := selfSigned(m.CAFile, filepath.Join(certs, "private.key"), net.ParseIP(host)); err != nil {
		return m, fmt.Errorf("certificate for MinIO: %w", err)
	}
	env = append(env, "MINIO_BROWSER=off", "MINIO_UPDATE=off", "MINIO_API_REQUESTS_MAX=100")
	p, err := startProcess(dir, "minio", env, binary, "server", "--quiet", "--certs-dir", certs,
		"--address", net.JoinHostPort(host, strconv.Itoa(port)), filepath.Join(dir, minioData))
	if err != nil {
		return m, err
	}
	return m, waitHTTPS(ctx, m.URL+"/minio/health/ready", m.CAFile, p, 60*time.Second)
}

// waitHTTPS waits until url answers 200, or its server has died.
func waitHTTPS(ctx context.Context, url, caFile string, p process, patience time.Duration) error {
	ca, err := os.ReadFile(caFile)
	if err != nil {
		return err
	}
	pool := x509.NewCertPool()
	pool.AppendCertsFromPEM(ca)
	client := &http.Client{Timeout: 2 * time.Second, Transport: &http.Transport{TLSClientConfig: &tls.Config{RootCAs: pool}}}
	last := fmt.Errorf("no answer yet")
	for end := time.Now().Add(patience); time.Now().Before(end); {
		req, err := http.NewRequestWithContext(ctx, http.MethodGet, url, nil)
		if err != nil {
			return err
		}
		resp, err := client.Do(req)
		if err == nil {
			_ = resp.Body.Close()
			if resp.StatusCode == http.StatusOK {
				return nil
			}
			err = fmt.Errorf("status %s", resp.Status)
		}
		last = err
		if !p.alive() {
			return fmt.Errorf("%s ended before it was ready: see %s.log", p.Name, p.Name)
		}
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-time.After(200 * time.Millisecond):
		}
	}
	return fmt.Errorf("%s not ready after %s: %w", p.Name, patience, last)
}

// selfSigned writes a certificate for ip that is its own CA, and its key.
func selfSigned(certFile, keyFile string, ip net.IP) error {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return err
	}
	now := time.Now()
	template := &x509.Certificate{
		SerialNumber: big.NewInt(now.UnixNano()), Subject: pkix.Name{CommonName: "podpass test S3"},
		NotBefore: now.Add(-time.Hour), NotAfter: now.Add(7 * 24 * time.Hour),
		KeyUsage: x509.KeyUsageDigitalSignature | x509.KeyUsageCertSign, ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth},
		IPAddresses: []net.IP{ip}, IsCA: true, BasicConstraintsValid: true,
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, &key.PublicKey, key)
	if err != nil {
		return err
	}
	keyDER, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		return err
	}
	if err := os.WriteFile(certFile, pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der}), 0o600); err != nil {
		return err
	}
	return os.WriteFile(keyFile, pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: keyDER}), 0o600)
}
