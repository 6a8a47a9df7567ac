package testbed

import (
	"bytes"
	"context"
	"crypto/rand"
	"crypto/sha256"
	"crypto/tls"
	"crypto/x509"
	"encoding/hex"
	"fmt"
	"io/fs"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	awssdk "github.com/aws/aws-sdk-go-v2/aws"
	v4 "github.com/aws/aws-sdk-go-v2/aws/signer/v4"
)

// Store is a MinIO of one test, that trusts no cluster: a real S3 with one bucket, which
// everybody may read.
type Store struct {
	MinIO
	Bucket                       string
	AccessKeyID, SecretAccessKey string

	dir string
}

// StartStore starts a store that ends with the test. The first time on a machine MinIO is
// built, which takes some minutes.
func StartStore(t testing.TB, bucket string) Store {
	t.Helper()
	binary, err := installTool(t.Context(), t.Output(), minioModule)
	if err != nil {
		t.Fatal(err)
	}
	const host = "127.0.0.1"
	port, err := freePort(host)
	if err != nil {
		t.Fatal(err)
	}
	s := Store{Bucket: bucket, AccessKeyID: "AKIA" + rand.Text()[:12], SecretAccessKey: rand.Text(), dir: t.TempDir()}
	ctx := context.WithoutCancel(t.Context()) // which ends before cleanups run
	t.Cleanup(func() {
		if err := stopProcesses(ctx, s.dir); err != nil {
			t.Errorf("stop MinIO: %v", err)
		}
	})
	s.MinIO, err = serveMinIO(t.Context(), s.dir, binary, host, port, bucket, []string{"MINIO_ROOT_USER=" + s.AccessKeyID, "MINIO_ROOT_PASSWORD=" + s.SecretAccessKey})
	if err == nil {
		err = s.open(t.Context())
	}
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// open lets everybody read the bucket's objects.
func (s Store) open(ctx context.Context) error {
	policy := fmt.Appendf(nil, `{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":{"AWS":["*"]},"Action":["s3:GetObject"],"Resource":["arn:aws:s3:::%s/*"]}]}`, s.Bucket)
	req, err := http.NewRequestWithContext(ctx, http.MethodPut, s.URL+"/"+s.Bucket+"?policy=", bytes.NewReader(policy))
	if err != nil {
		return err
	}
	sum := sha256.Sum256(policy)
	req.Header.Set("X-Amz-Content-Sha256", hex.EncodeToString(sum[:]))
	keys := awssdk.Credentials{AccessKeyID: s.AccessKeyID, SecretAccessKey: s.SecretAccessKey}
	if err := v4.NewSigner().SignHTTP(ctx, keys, req, hex.EncodeToString(sum[:]), "s3", "us-east-1", time.Now()); err != nil {
		return err
	}
	client, err := s.Client()
	if err != nil {
		return err
	}
	resp, err := client.Do(req)
	if err != nil {
		return err
	}
	defer resp.Body.Close()
	if resp.StatusCode/100 != 2 {
		return fmt.Errorf("policy of bucket %s: status %s", s.Bucket, resp.Status)
	}
	return nil
}

// Client trusts the store.
func (s Store) Client() (*http.Client, error) {
	ca, err := os.ReadFile(s.CAFile)
	if err != nil {
		return nil, err
	}
	pool := x509.NewCertPool()
	pool.AppendCertsFromPEM(ca)
	return &http.Client{Timeout: 30 * time.Second, Transport: &http.Transport{TLSClientConfig: &tls.Config{RootCAs: pool}}}, nil
}

// Objects are the names of all objects of the bucket, as they are on the disk.
func (s Store) Objects() ([]string, error) {
	root := filepath.Join(s.dir, minioData, s.Bucket)
	var names []string
	err := filepath.WalkDir(root, func(path string, e fs.DirEntry, err error) error {
		if err == nil && e.Name() == "xl.meta" {
			names = append(names, strings.TrimPrefix(filepath.ToSlash(filepath.Dir(path)), filepath.ToSlash(root)+"/"))
		}
		return err
	})
	return names, err
}
