// Package bench measures what a pod pays for podpass, and an admission: `make bench`.
package bench

import (
	"encoding/json"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/podpass-io/podpass/federation/aws"
	"github.com/podpass-io/podpass/federation/azure"
	"github.com/podpass-io/podpass/federation/gcp"
	"github.com/podpass-io/podpass/federation/serviceaccount"
	"github.com/podpass-io/podpass/test/cloud"
	"github.com/podpass-io/podpass/test/cloud/issuer"
	"github.com/podpass-io/podpass/test/cloud/trust"
)

const (
	role     = "arn:aws:iam::111122223333:role/orders"
	provider = "projects/123456789012/locations/global/workloadIdentityPools/clusters/providers/demo"
	account  = "orders@example-project.iam.gserviceaccount.com"
	client   = "11111111-2222-3333-4444-555555555555"
	tenant   = "99999999-8888-7777-6666-555555555555"
	subject  = "system:serviceaccount:shop:orders"
	requests = 10_000
)

// BenchmarkBroker runs the real binary against three clouds, and a bare net/http
// server of the same toolchain under the same load, in one run: noise is large, so
// ratios count.
func BenchmarkBroker(b *testing.B) {
	dir := b.TempDir()
	broker, bare := filepath.Join(dir, "podpass-broker"), filepath.Join(dir, "bare")
	build(b, broker, "../../cmd/podpass-broker")
	build(b, bare, "./bare")
	env := world(b, dir)
	for b.Loop() { // one run says it all: it is not the loop that is timed
	}
	info, err := os.Stat(broker)
	if err != nil {
		b.Fatal(err)
	}
	b.ReportMetric(float64(info.Size())/(1<<20), "binary-MiB")

	floor := run(b, bare, []string{"LISTEN=" + free(b)}, func(string) bool { return true })
	floor.load(b)
	measured := run(b, broker, env, ready)
	b.ReportMetric(measured.started.Seconds()*1000, "exec-to-ready-ms")
	b.ReportMetric(floor.started.Seconds()*1000, "bare-exec-to-ready-ms")
	b.ReportMetric(measured.idleRSS, "idle-RSS-MiB")
	b.ReportMetric(measured.idlePrivate, "idle-private-MiB")
	measured.load(b)
	for name, s := range map[string]*server{"": measured, "bare-": floor} {
		rss, private := s.memory(b)
		b.ReportMetric(rss, name+"RSS-MiB")
		b.ReportMetric(private, name+"private-MiB")
		b.ReportMetric(s.quantile(0.50), name+"p50-us")
		b.ReportMetric(s.quantile(0.99), name+"p99-us")
		b.ReportMetric(s.cpu, name+"cpu-ms/1000req")
	}
	b.ReportMetric(0, "ns/op") // means nothing here
}

func build(b *testing.B, out, pkg string) {
	b.Helper()
	cmd := exec.CommandContext(b.Context(), "go", "build", "-trimpath", "-ldflags", "-s -w", "-o", out, pkg)
	cmd.Env = append(os.Environ(), "CGO_ENABLED=0")
	if out, err := cmd.CombinedOutput(); err != nil {
		b.Fatalf("%v\n%s", err, out)
	}
}

func free(b *testing.B) string {
	b.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		b.Fatal(err)
	}
	defer l.Close()
	return l.Addr().String()
}

// world gives the broker's environment.
func world(b *testing.B, dir string) []string {
	b.Helper()
	i := issuer.Start(b)
	gcpAudience := "//iam.googleapis.com/" + provider
	clouds := cloud.Start(b, trust.Config{
		Issuers: []trust.Issuer{i.Trust()},
		AWS: trust.AWS{
			Providers: []trust.AWSProvider{{Account: "111122223333", Issuer: i.URL, Audiences: []string{aws.DefaultAudience}}},
			Roles:     []trust.AWSRole{{ARN: role, Issuer: i.URL, Audiences: []string{aws.DefaultAudience}, Subjects: []string{subject}}},
		},
		GCP: trust.GCP{
			Providers:       []trust.GCPProvider{{Name: provider, Issuer: i.URL}},
			ServiceAccounts: []trust.GCPServiceAccount{{Email: account, Members: []string{gcp.Principal(gcpAudience, subject)}}},
		},
		Azure: trust.Azure{Tenants: []trust.Tenant{{ID: tenant, Applications: []trust.Application{{ClientID: client, FederatedCredentials: []trust.FederatedCredential{
			{Issuer: i.URL, Subject: subject, Audience: azure.DefaultAudience}}}}}}},
	})
	for name, audience := range map[string]string{"aws": aws.DefaultAudience, "gcp": gcpAudience, "azure": azure.DefaultAudience} {
		i.Write(b, filepath.Join(dir, name), issuer.Claims{Namespace: "shop", ServiceAccount: "orders", Pod: "orders-1", Audience: audience})
	}
	identities, err := json.Marshal(serviceaccount.Identities{
		AWS:   &aws.Identity{RoleARN: role, Audience: aws.DefaultAudience, Region: "eu-central-1"},
		GCP:   &gcp.Identity{Provider: gcpAudience, Audience: gcpAudience, ServiceAccount: account},
		Azure: &azure.Identity{ClientID: client, TenantID: tenant, Audience: azure.DefaultAudience},
	})
	if err != nil {
		b.Fatal(err)
	}
	return []string{
		"PODPASS_IDENTITIES=" + string(identities), "PODPASS_SECRET=secret", "PODPASS_TOKEN_DIR=" + dir, "PODPASS_LISTEN=" + free(b),
		"PODPASS_AWS_STS_ENDPOINT=" + clouds.AWS, "PODPASS_GCP_STS_ENDPOINT=" + clouds.GCP, "PODPASS_GCP_IAM_CREDENTIALS_ENDPOINT=" + clouds.GCP,
		"PODPASS_AZURE_AUTHORITY_HOST=" + clouds.Azure, "PODPASS_CA_BUNDLE=" + clouds.CAFile, "LISTEN=",
	}
}

// server is a running process under measurement.
type server struct {
	process
	url                  string
	started              time.Duration
	idleRSS, idlePrivate float64
	latencies            []time.Duration
	cpu                  float64 // milliseconds of its own CPU time for 1,000 requests
}

func run(b *testing.B, binary string, env []string, ready func(url string) bool) *server {
	b.Helper()
	s := new(server)
	for _, e := range env {
		if v, ok := strings.CutPrefix(e, "PODPASS_LISTEN="); ok {
			s.url = "http://" + v
		} else if v, ok := strings.CutPrefix(e, "LISTEN="); ok && v != "" {
			s.url = "http://" + v
		}
	}
	cmd := exec.CommandContext(b.Context(), binary)
	cmd.Env = append(os.Environ(), env...)
	began := time.Now()
	if err := cmd.Start(); err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() {
		_ = cmd.Process.Signal(syscall.SIGTERM) // it may have gone
		_ = cmd.Wait()                          // its exit code says nothing here
	})
	s.process = process(cmd.Process.Pid)
	for ; ; time.Sleep(500 * time.Microsecond) {
		if conn, err := net.Dial("tcp", strings.TrimPrefix(s.url, "http://")); err == nil {
			_ = conn.Close()
			if ready(s.url) {
				break
			}
		}
		if time.Since(began) > 10*time.Second {
			b.Fatal(binary + " is not ready after 10 s")
		}
	}
	s.started = time.Since(began)
	time.Sleep(time.Second)
	s.idleRSS, s.idlePrivate = s.memory(b)
	return s
}

func ready(url string) bool {
	resp, err := http.Get(url + "/readyz") //nolint:noctx // a benchmark of seconds
	if err != nil {
		return false
	}
	_ = resp.Body.Close()
	return resp.StatusCode == http.StatusOK
}

// load makes requests for all three clouds over 10 connections.
func (s *server) load(b *testing.B) {
	b.Helper()
	const connections = 10
	paths := []string{"/aws/v1/credentials", "/azure/v1/token?api-version=2019-08-01&resource=https://management.azure.com", "/computeMetadata/v1/instance/service-accounts/default/token"}
	before := s.cpuTime(b)
	var mu sync.Mutex
	var wg sync.WaitGroup
	for range connections {
		wg.Go(func() {
			c := &http.Client{Transport: &http.Transport{}}
			var mine []time.Duration
			for i := range requests / connections {
				req, err := http.NewRequestWithContext(b.Context(), http.MethodGet, s.url+paths[i%len(paths)], nil)
				if err != nil {
					b.Error(err)
					return
				}
				req.Header = http.Header{"Authorization": {"secret"}, "X-Identity-Header": {"secret"}, "Metadata-Flavor": {"Google"}}
				began := time.Now()
				resp, err := c.Do(req)
				if err != nil {
					b.Error(err)
					return
				}
				_, _ = io.Copy(io.Discard, resp.Body) // loopback
				_ = resp.Body.Close()
				mine = append(mine, time.Since(began))
				if resp.StatusCode != http.StatusOK {
					b.Errorf("status %s", resp.Status)
					return
				}
			}
			mu.Lock()
			defer mu.Unlock()
			s.latencies = append(s.latencies, mine...)
		})
	}
	wg.Wait()
	slices.Sort(s.latencies)
	s.cpu = (s.cpuTime(b) - before).Seconds() * 1000 / (requests / 1000)
}

// quantile of the latencies, in microseconds.
func (s *server) quantile(q float64) float64 {
	if len(s.latencies) == 0 {
		return 0
	}
	return float64(s.latencies[int(q*float64(len(s.latencies)-1))].Microseconds())
}
