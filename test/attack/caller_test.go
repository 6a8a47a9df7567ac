package attack

import (
	"bytes"
	"context"
	"crypto/tls"
	"crypto/x509"
	"fmt"
	"io"
	"net/http"
	"os"
	"strings"
	"sync"
	"testing"
	"time"
)

// caller reaches the webhook's port, past any API server.
type caller struct {
	http *http.Client
	url  string
}

func newCaller(t *testing.T, f files, url string) *caller {
	t.Helper()
	pem, err := os.ReadFile(f.certificate)
	if err != nil {
		t.Fatal(err)
	}
	pool := x509.NewCertPool()
	pool.AppendCertsFromPEM(pem)
	transport := &http.Transport{TLSClientConfig: &tls.Config{RootCAs: pool, MinVersion: tls.VersionTLS12}, MaxIdleConnsPerHost: 256}
	t.Cleanup(transport.CloseIdleConnections)
	return &caller{&http.Client{Transport: transport, Timeout: time.Minute}, url}
}

// post sends a body to path and gives status and length of the answer. An error is a
// connection refused or cut, which is an answer too: the webhook defends itself.
func (c *caller) post(ctx context.Context, path string, body []byte) (status, length int, err error) {
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, c.url+path, bytes.NewReader(body))
	if err != nil {
		return 0, 0, err
	}
	req.Header.Set("Content-Type", "application/json")
	resp, err := c.http.Do(req)
	if err != nil {
		return 0, 0, err
	}
	defer resp.Body.Close()
	n, err := io.Copy(io.Discard, resp.Body)
	return resp.StatusCode, int(n), err
}

// flood posts what body gives from as many goroutines for as long as it takes, and gives
// the longest answer and the answers by status; 0 are connections that were cut.
func (c *caller) flood(ctx context.Context, path string, goroutines int, d time.Duration, body func(n int) []byte) (longest int, by map[int]int) {
	ctx, cancel := context.WithTimeout(ctx, d)
	defer cancel()
	var wg sync.WaitGroup
	var mu sync.Mutex
	by = map[int]int{}
	for g := range goroutines {
		wg.Go(func() {
			for i := 0; ctx.Err() == nil; i++ {
				status, length, err := c.post(ctx, path, body(g+i*goroutines))
				if err != nil && ctx.Err() != nil {
					return
				}
				mu.Lock()
				longest = max(longest, length)
				by[status]++
				mu.Unlock()
			}
		})
	}
	wg.Wait()
	return longest, by
}

// review wraps a pod, or a ServiceAccount.
func review(kind, namespace, object string) []byte {
	return fmt.Appendf(nil, `{"apiVersion":"admission.k8s.io/v1","kind":"AdmissionReview","request":{"uid":"u","kind":{"group":"","version":"v1","kind":%q},"namespace":%q,"operation":"CREATE","object":%s}}`,
		kind, namespace, object)
}

// pod is a pod's JSON with labels, annotations and containers given as JSON.
func pod(name, account, annotations, containers string) string {
	return fmt.Sprintf(`{"apiVersion":"v1","kind":"Pod","metadata":{"name":%q,"labels":{"podpass.io/inject":"true"},"annotations":{%s}},"spec":{"serviceAccountName":%q,"containers":[%s]}}`,
		name, annotations, account, containers)
}

// repeat joins n items with commas.
func repeat(n int, item func(i int) string) string {
	var b strings.Builder
	for i := range n {
		if i > 0 {
			b.WriteByte(',')
		}
		b.WriteString(item(i))
	}
	return b.String()
}

// container is the smallest there is.
func container(i int) string { return fmt.Sprintf(`{"name":"c%d"}`, i) }
